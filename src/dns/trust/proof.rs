//! How far something is proven, and what is to be told of that.

use chrono::{DateTime, Utc};

use crate::finding::{Finding, Severity};
use crate::propagation::evidence::Security;

/// How far something can be trusted, and why not further.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    pub(crate) security: Security,
    pub(crate) findings: Vec<Finding>,
    /// When the first of the signatures that it rests on expires.
    pub(crate) expires: Option<DateTime<Utc>>,
    /// When the last of those over the set itself expires.
    pub(crate) set_expires: Option<DateTime<Utc>>,
    /// The largest original TTL that a signature states.
    pub(crate) original_ttl: Option<u32>,
    /// Which of the keys have a signature that holds, by index; of a wildcard's
    /// those whose algorithm holds for the denial, too.
    pub(crate) signers: Vec<usize>,
}

impl Proof {
    /// Nothing to say against it.
    pub(crate) fn secure() -> Self {
        Self {
            security: Security::Secure,
            findings: Vec::new(),
            expires: None,
            set_expires: None,
            original_ttl: None,
            signers: Vec::new(),
        }
    }

    /// Nothing is proven, for a reason that is told elsewhere.
    pub(crate) fn unknown() -> Self {
        Self {
            security: Security::Indeterminate,
            ..Self::secure()
        }
    }

    /// No more than this, for a reason.
    pub(crate) fn only(security: Security, finding: Finding) -> Self {
        Self {
            security,
            findings: vec![finding],
            ..Self::secure()
        }
    }

    /// No more than bogus, for a reason.
    pub(crate) fn bogus(message: impl Into<String>) -> Self {
        Self::only(
            Security::Bogus,
            Finding::new("bogus", Severity::Unsafe, message),
        )
    }

    /// Weakened by what the other proof lacks, on which it rests, too; what is
    /// said of the set itself stays its own.
    pub(crate) fn weakened_by(&mut self, other: &Self) {
        self.security = self.security.max(other.security);
        self.expires_by(other.expires);
        for finding in &other.findings {
            if !self.findings.contains(finding) {
                self.findings.push(finding.clone());
            }
        }
    }

    /// Rests on something that expires at this moment, if at any.
    pub(crate) fn expires_by(&mut self, moment: Option<DateTime<Utc>>) {
        self.expires = self.expires.into_iter().chain(moment).min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::fixtures::at;

    #[test]
    fn a_proof_is_as_good_as_the_worst_that_it_rests_on() {
        let lasting = |time: Option<&str>| Proof {
            expires: time.map(at),
            set_expires: time.map(at),
            signers: vec![1],
            ..Proof::secure()
        };
        for (own, other, expires) in [
            (None, None, None),
            (None, Some("12:00:00"), Some("12:00:00")),
            (Some("12:00:00"), None, Some("12:00:00")),
            (Some("11:00:00"), Some("12:00:00"), Some("11:00:00")),
            (Some("12:00:00"), Some("11:00:00"), Some("11:00:00")),
        ] {
            let mut proof = lasting(own);
            proof.weakened_by(&lasting(other));
            assert_eq!(
                (proof.security, proof.expires, proof.set_expires),
                (Security::Secure, expires.map(at), own.map(at))
            );
            proof.weakened_by(&Proof::bogus("so"));
            proof.weakened_by(&Proof::bogus("so"));
            proof.weakened_by(&Proof::unknown());
            assert_eq!((proof.security, proof.findings.len()), (Security::Bogus, 1));
            assert_eq!(proof.signers, [1]);
        }
        assert_eq!(Proof::unknown().security, Security::Indeterminate);
    }
}
