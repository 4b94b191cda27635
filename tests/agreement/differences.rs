//! Where somebody makes something else of a zone than the RFCs, and why. One
//! that no longer is has to go from here.

use super::states::State::{self, Bogus, Insecure, Secure, Unknown};
use super::states::Who::{self, Delv, Library, Ours, Unbound};

/// One reason, and the zones where it shows.
pub(crate) struct Difference {
    /// Whose it is.
    pub(crate) who: Who,
    /// What they say.
    pub(crate) state: State,
    /// Where.
    pub(crate) zones: &'static [&'static str],
    /// Why.
    pub(crate) reason: &'static str,
}

const fn differs(
    who: Who,
    state: State,
    zones: &'static [&'static str],
    reason: &'static str,
) -> Difference {
    Difference {
        who,
        state,
        zones,
        reason,
    }
}

/// All differences there are.
pub(crate) const DIFFERENCES: &[Difference] = &[
    differs(
        Ours,
        Unknown,
        &["ds-sha1-only.example"],
        "a DS that is a SHA-1 digest is passed over (RFC 4509 section 3, RFC 9905), and nothing else is there",
    ),
    differs(
        Ours,
        Unknown,
        &["ed448.example"],
        "Ed448 cannot be verified here, and the zone has no other signatures",
    ),
    differs(
        Ours,
        Unknown,
        &[
            "wildcard-unproven.example",
            "wildcard-copied.example",
            "wildcard-denial-expired.example",
            "wildcard-denial-broken.example",
            "wildcard-optout.example",
        ],
        "a wildcard's answer without a good denial proves nothing; whether that is an attack is not decided",
    ),
    differs(
        Ours,
        Unknown,
        &["dname.example", "dname-broken.example"],
        "a DNAME is not followed",
    ),
    differs(
        Ours,
        Bogus,
        &[
            "expired-beside-good.example",
            "two-algorithms-tlsa-broken.example",
            "keys-broken-by-zsk.example",
            "two-algorithms-dnskey-broken.example",
        ],
        "any failing signature over the set blocks: some validators give up at the first",
    ),
    differs(
        Ours,
        Bogus,
        &["expired-soa.example", "broken-soa.example"],
        "the serial and the negative TTL are taken from the SOA, so that has to be proven as well",
    ),
    differs(
        Ours,
        Bogus,
        &[
            "ds-wrong-beside-good.example",
            "ds-sha384-wrong-beside.example",
            "ds-sha256-wrong-beside.example",
        ],
        "validators differ in which DS records they look at, so none may contradict a key (RFC 4509 section 3)",
    ),
    differs(
        Ours,
        Unknown,
        &["ds-digest-unknown.example", "ds-algorithm-unknown.example"],
        "insecure by RFC 4035 section 5.2 to whoever does not know the number; others may know it",
    ),
    differs(
        Ours,
        Insecure,
        &["ds-taken-away.example", "ds-absence-unsigned.example"],
        "that there is no DS is not proven here, and without one a zone is not secure in any case",
    ),
    differs(
        Ours,
        Unknown,
        &["tag-collision.example"],
        "some validators take the wrong one of two keys with one tag, and give up",
    ),
    differs(
        Ours,
        Unknown,
        &["wildcard-iterations.example"],
        "NSEC3 with many rounds counts as insecure with some validators (RFC 9276 section 3.2)",
    ),
    differs(
        Library,
        Insecure,
        &["wildcard-iterations.example"],
        "it takes no more than 100 rounds of NSEC3 (RFC 9276 section 3.2)",
    ),
    differs(
        Delv,
        Bogus,
        &["tag-collision.example"],
        "BIND allows one failed trial since KeyTrap, and keys of one tag are tried in any order",
    ),
    differs(
        Delv,
        Bogus,
        &["two-algorithms-tlsa-broken.example"],
        "BIND gives up at the first signature that fails",
    ),
    differs(
        Unbound,
        Secure,
        &["signer-parent.example"],
        "the zone above signed it, and whether there is a cut between is not looked at",
    ),
    differs(
        Delv,
        Secure,
        &["signer-parent.example"],
        "the zone above signed it, and whether there is a cut between is not looked at",
    ),
    differs(
        Library,
        Secure,
        &["signer-parent.example"],
        "the zone above signed it, and whether there is a cut between is not looked at",
    ),
    differs(
        Library,
        Insecure,
        &[
            "p384.example",
            "p384-single.example",
            "ed25519.example",
            "ed25519-single.example",
            "ed448.example",
            "child.p256.example",
        ],
        UNKNOWN_TO_THE_LIBRARY,
    ),
];

/// Whoever does not know an algorithm takes what is signed with it for unsigned
/// (RFC 4035 section 5.2), and loses nothing by a deployment. The one reason for
/// which we may call secure what somebody else does not.
pub(crate) const UNKNOWN_TO_THE_LIBRARY: &str = "P-384 and the Edwards curves are unknown to it";

/// Zones that all call secure and where the key is held back all the same.
pub(crate) const SECURE_AND_NOT_SAFE: &[(&str, &str)] = &[
    ("nodata.example", "the record is not there yet"),
    ("nodata-nsec3.example", "the record is not there yet"),
    ("noname.example", "the record is not there yet"),
    ("noname-nsec3.example", "the record is not there yet"),
    ("alias-to-nothing.example", "the record is not there yet"),
    (
        "two-algorithms-dnskey-by-one.example",
        "some validators demand every algorithm of the DS set (RFC 4035 section 2.2)",
    ),
    (
        "two-algorithms-tlsa-by-one.example",
        "some validators demand every algorithm of the DS set (RFC 4035 section 2.2)",
    ),
    (
        "algorithm-known-and-not.example",
        "the parent names Ed448, which cannot be verified here",
    ),
    (
        "ds-algorithm-without-key.example",
        "some validators demand every algorithm of the DS set (RFC 4035 section 2.2)",
    ),
];
