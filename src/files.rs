//! Files: read, and replaced in one step.
