//! Who leads to an owner in the end: an alias, what a template makes, a name below a DNAME.

use crate::name::Name;

/// Who leads to an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// An alias.
    Owner(Name),
    /// Aliases that a `$GENERATE` makes: its template.
    Template(String),
    /// A name below a DNAME, or an alias that leads there.
    Moved(Name),
    /// Names below DNAMEs, more than are told apart: the owner of the first of those.
    Below(Name),
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "{owner}"),
            Self::Template(template) => write!(f, "{template} (made by $GENERATE)"),
            Self::Moved(name) => write!(f, "{name} (over a DNAME)"),
            Self::Below(owner) => write!(f, "names below {owner} (a DNAME) and others like it"),
        }
    }
}

/// An alias that leads to an owner in the end.
#[derive(Clone, Debug)]
pub(crate) struct Reaching {
    /// The alias.
    pub(crate) who: Who,
    /// Where it leads next.
    pub(crate) to: Name,
    /// The owner that has the records.
    pub(crate) end: Name,
    /// Where the DNAME leads that makes the alias.
    pub(crate) top: Option<Name>,
}

impl Reaching {
    /// Whether the DNAME moves the host too: who asks for a service at the alias comes to the one at
    /// the name where it leads, which is looked at by itself.
    pub(super) fn is_with_its_host(&self) -> bool {
        let is_host = |name: &Name| {
            name.labels()
                .next()
                .is_none_or(|label| !label.starts_with(b"_") && label != b"*")
        };
        let host = self.to.ancestors().find(is_host);
        self.top
            .as_ref()
            .zip(host)
            .is_some_and(|(top, host)| host != *top && host.is_within(top))
    }
}
