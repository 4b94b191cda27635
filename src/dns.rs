//! Name servers asked directly.
