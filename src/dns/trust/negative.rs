//! How far a negative answer is proven: every denial that comes with it must be
//! signed, as a validator that finds one that is not gives up, and together they
//! must prove what is claimed. Whatever falls short of that is to senders not an
//! absence but a lookup that fails.

use hickory_proto::rr::Record;

use crate::dns::trust::absence::{Absence, Claim, absence};
use crate::dns::trust::denial::too_many;
use crate::dns::trust::proof::Proof;
use crate::dns::wire::convert::to_hickory;
use crate::dns::wire::rrset::{RrSet, denials};
use crate::finding::{Finding, Severity};
use crate::name::Name;
use crate::propagation::evidence::Security;

/// The code of the finding about an absence that is not proven.
pub(crate) const UNPROVEN: &str = "denial-unproven";

/// What the denials in the authority section prove of the claim; `prove` is to
/// say what the signatures over each of them prove.
pub(crate) fn denied(
    authorities: &[Record],
    zone: &Name,
    name: &Name,
    claim: Claim,
    prove: impl Fn(&RrSet) -> Proof,
) -> Proof {
    let sets = denials(authorities);
    let mut whole = Proof::secure();
    let mut wrong: Option<String> = None;
    for set in &sets {
        let mut proof = prove(set);
        if proof.security == Security::Bogus {
            wrong = wrong.or_else(|| {
                proof
                    .findings
                    .first()
                    .map(|finding| finding.message.clone())
            });
            proof.findings.retain(|finding| finding.code != "bogus");
        }
        whole.weakened_by(&proof);
    }
    let what = match claim {
        Claim::NoName => format!("that there is no name {name}"),
        Claim::NoData(kind) => format!("that {name} has no {kind} records"),
        Claim::Unsigned => format!("that {name} begins a zone that is not signed"),
    };
    let fails = |why: &str| {
        let message = format!("{what} is not proven, so lookups fail at senders now: {why}");
        Proof::only(
            Security::Bogus,
            Finding::new(UNPROVEN, Severity::Unsafe, message),
        )
    };
    let cannot_tell = |why: &str| {
        let message = format!("it cannot be told whether it is proven {what}: {why}");
        Proof::only(
            Security::Indeterminate,
            Finding::new(UNPROVEN, Severity::Unknown, message),
        )
    };
    let proven = match whole.security {
        Security::Secure => absence(&sets, &to_hickory(zone), &to_hickory(name), claim),
        // The reason is among the findings already.
        Security::Indeterminate => Absence::CannotTell("its denials cannot be verified here"),
        Security::Insecure | Security::Bogus => {
            whole.weakened_by(&fails(
                &wrong.unwrap_or_else(|| "a signature over its denials has expired".to_owned()),
            ));
            return whole;
        }
    };
    whole.weakened_by(&match proven {
        Absence::Proven => return whole,
        Absence::CannotTell(why) => cannot_tell(why),
        Absence::Unproven if too_many(authorities) => {
            cannot_tell("it comes with more denials than are looked at")
        }
        Absence::Unproven if sets.is_empty() => {
            fails("the answer has neither NSEC nor NSEC3 records")
        }
        Absence::Unproven => fails("its NSEC or NSEC3 records do not say so"),
    });
    whole
}
