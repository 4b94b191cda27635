//! Where somebody makes something else of a zone than the RFCs, and why.

use super::states::State::{self, Bogus, Secure, Unknown};
use super::states::Who::{self, Ours};

/// One reason, and the zones where it shows.
pub(crate) struct Difference {
    pub(crate) who: Who,
    pub(crate) state: State,
    pub(crate) reason: &'static str,
    pub(crate) zones: &'static [&'static str],
}

/// All differences there are; one that no longer is has to go.
pub(crate) const DIFFERENCES: &[Difference] = &[];
