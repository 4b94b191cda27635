//! What is asked, and in which role whoever is asked answers.

use hickory_proto::rr::{Name as WireName, RecordType};

/// What to ask, and in which role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) name: WireName,
    pub(crate) kind: RecordType,
    pub(crate) role: Role,
}

/// In which role a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// As an authority: RD clear.
    Authority,
    /// As a resolver that is to hand out what it cannot validate, too: RD and CD.
    Finding,
    /// As a resolver, as a sender of mail asks it: RD.
    Sender,
}

/// What a server may be silent about while it answers otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// Everything.
    Any,
    /// TLSA: some authorities drop questions about types that they do not know.
    Tlsa,
    /// What is asked over TCP, which a firewall may hold back.
    Tcp,
}

impl Question {
    /// A question to an authority.
    pub(crate) fn authority(name: &WireName, kind: RecordType) -> Self {
        Self {
            name: name.clone(),
            kind,
            role: Role::Authority,
        }
    }

    /// What an answer, or none, says about the server. Of a resolver it is nothing
    /// about TLSA: it may be silent about one zone and not about the next.
    pub(crate) fn topics(&self) -> &'static [Topic] {
        match (self.role, self.kind) {
            (Role::Authority, RecordType::TLSA) => &[Topic::Any, Topic::Tlsa],
            _ => &[Topic::Any],
        }
    }
}
