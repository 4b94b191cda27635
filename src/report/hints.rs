//! What to do about a finding: one sentence per code, for the person who reads
//! the report at night. Codes without a hint speak for themselves, and so does
//! what only follows from another finding: that one is to be mended.

use crate::finding::{Finding, Severity};
use crate::propagation::Judged;
use crate::propagation::evidence::Security;

/// What to do about a finding of this target.
#[must_use]
pub(crate) fn of(target: &Judged, finding: &Finding) -> Option<&'static str> {
    if follows(finding, &target.verdict.findings) {
        return None;
    }
    if finding.code == "host-address-insecure" && target.evidence.host == Some(Security::Bogus) {
        return Some(
            "see to the signatures over the host's A and AAAA records (delv +vtrace shows the chain)",
        );
    }
    hint(finding.code, finding.severity)
}

/// Whether a finding follows from another one that weighs no less.
#[must_use]
pub(crate) fn follows(finding: &Finding, all: &[Finding]) -> bool {
    const BROKEN: &[&str] = &[
        "bogus",
        "signature-expired",
        "insecure",
        "delegation-missing",
    ];
    const MUTE: &[&str] = &[
        "unreachable",
        "servfail",
        "refused",
        "not-authoritative",
        "malformed",
        "error-code",
        "truncated-without-tcp",
    ];
    let causes: &[&[&str]] = match finding.code {
        "host-address-insecure" | "cname-target-insecure" => &[BROKEN],
        "host-address-unknown" | "chain-incomplete" | "indeterminate" => {
            &[BROKEN, MUTE, &["no-servers"]]
        }
        "no-servers" => &[MUTE],
        "rrset-differs" | "serial-behind" => &[&["record-missing"]],
        _ => return false,
    };
    let is_cause = |other: &Finding| causes.iter().any(|codes| codes.contains(&other.code));
    all.iter()
        .any(|other| other.severity >= finding.severity && is_cause(other))
}

/// What to do about findings with this code.
fn hint(code: &str, severity: Severity) -> Option<&'static str> {
    Some(match code {
        // As a note it is permitted, or about a resolver that decides nothing.
        "unreachable"
        | "servfail"
        | "refused"
        | "malformed"
        | "error-code"
        | "truncated-without-tcp"
        | "bogus"
            if severity == Severity::Note =>
        {
            return None;
        }
        "alias-loop" => "shorten the chain of aliases at the owner",
        "algorithm-incomplete" => {
            "sign the zone with every algorithm that its DS records name, or remove those DS records"
        }
        "algorithm-outdated" => {
            "move the zone to a newer algorithm, such as ECDSAP256SHA256 (RFC 6781 section 4.1.4)"
        }
        "alias-not-followed" | "alias-unsupported" => {
            "publish the records at the owner itself, or name another --host"
        }
        "bogus" | "signature-expired" => {
            "mail to this host is at risk already: see to the zone's signatures first (delv +vtrace shows the chain)"
        }
        "chain-incomplete" | "indeterminate" | "zone-unknown" | "zone-not-found" => {
            "see whether the resolver and the parent zones answer from here, then try again"
        }
        "clock-before-build" => "set the clock, then try again",
        "cname-target-insecure" => {
            "have the other zone signed, or publish the records at the owner itself"
        }
        "denial-unproven" if severity == Severity::Unsafe => {
            "mail to this host is at risk already: its server is to give NSEC or NSEC3 records with their signatures \
             (dig +dnssec shows them)"
        }
        "denial-unproven" => {
            "publish the records at the owner itself; that it is not there, or not closer than a wildcard, is not proven"
        }
        "delegation-differs" => {
            "make the parent's delegation and the zone's own NS records the same"
        }
        "delegation-missing" | "insecure" => {
            "the parent has no DS for the zone: sign the zone and publish the DS first"
        }
        "delegation-unknown" => {
            "ask the parent's servers for the zone's NS records with dig, then try again"
        }
        "machines-differ" => {
            "see that every machine behind the address has loaded the zone's newest version"
        }
        "name-servers-unproven" => {
            "see whether the resolver can be trusted, and the signatures over the NS, A and AAAA records that are named"
        }
        "name-servers-unknown" => {
            "ask the server for the zone's NS records with dig, over UDP and over TCP (+tcp)"
        }
        "digest-of-nothing" | "unknown-parameters" | "wrong-length" => {
            "remove the record; no client can use it"
        }
        "family-not-asked" => "leave --ipv4 or --ipv6 away to ask these addresses too",
        "host-is-alias" if severity == Severity::Note => return None,
        "host-is-alias" => {
            "senders look for TLSA where the alias leads: verify with that name as --host"
        }
        "host-without-address" => {
            "publish an A or AAAA record for the host, or name another --host"
        }
        "limits-exceeded" => {
            "the zone asks for more work than one verdict may take: see its name servers and aliases, or --max-questions"
        }
        "host-address-insecure" => "sign the zone of the host's A and AAAA records",
        "key-tag-collision" => "replace one of the zone's keys that share a key tag by a new one",
        "malformed" | "error-code" | "truncated-without-tcp" => {
            "ask the server with dig, over UDP and over TCP (+tcp)"
        }
        "no-route" => {
            "with --ipv4 only addresses that can be reached from a machine without IPv6 are asked"
        }
        "check-timeout" => {
            "see why the servers named are slow or silent; where very many are asked, --check-timeout may be longer"
        }
        "resolver-broken" => "see to this resolver, or name another with --resolver",
        "signature-unused" => "a key roll leaves such signatures for a while; they may stay",
        "ttl-above-signed" => {
            "see whether something before this server, or a setting of its own, raises TTLs"
        }
        "no-servers" | "unreachable" => {
            "start the server or take it out of the delegation; --allow-unreachable N permits silence"
        }
        "not-authoritative" | "refused" => {
            "the server has not loaded the zone or lost its transfer: see its log"
        }
        "servfail" => {
            "see the log: a server has not loaded the zone or lost its transfer, a resolver could not validate"
        }
        "nothing-expected" => "name the file of the new key",
        "old-record-missing" => {
            "put the records of the deployed key back; if another key is deployed, name it with --current"
        }
        "old-signature-unknown" => {
            "use --hold with a duration as long as the zone's signatures live"
        }
        "not-published" => {
            "add the record with danewright patch and reload the zone, or see whether key, host and port are the right ones"
        }
        "old-ttl-unknown" => {
            "whoever looks a day ahead (verify of the deployed key) waits for twice the TTL only; --hold states another length"
        }
        "parameter-set-unmatched" => {
            "add the new key's record with these parameters, or remove the others; \
             for usage 0 and 2 give the whole chain as FILE"
        }
        "parent-keys-bogus" => {
            "tell the parent zone's operator; one of its servers gives keys that do not validate"
        }
        "record-missing" | "rrset-differs" | "serial-behind" => {
            "see whether the zone was reloaded and transferred; NOTIFY or the SOA's refresh time bring it over"
        }
        "resolver-stale" => "the cache drops it by itself",
        "serial-unknown" => "ask the server for the zone's SOA with dig",
        "since-contradicted" => "a server was seen without the records after that time",
        "walked-from-root" => "see to the resolver, or choose this way with --from-root",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_something_heavier_or_as_heavy_is_no_cause() {
        let finding = |code, severity| Finding::new(code, severity, "");
        let host = finding("host-address-insecure", Severity::Unsafe);
        for (cause, severity, is_cause) in [
            ("signature-expired", Severity::Unsafe, true),
            ("bogus", Severity::Unsafe, true),
            ("bogus", Severity::Note, false),
            ("old-record-missing", Severity::Unsafe, false),
        ] {
            let all = [finding(cause, severity), host.clone()];
            assert_eq!(follows(&host, &all), is_cause, "{cause} {severity}");
        }
        assert!(!follows(&host, std::slice::from_ref(&host)));
        let none = finding("no-servers", Severity::Unknown);
        assert!(follows(
            &none,
            &[finding("refused", Severity::Unknown), none.clone()]
        ));
    }
}
