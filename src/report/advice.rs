//! What is ill-advised about the parameters of a record, in sentences, before it is made.

use crate::dane::{IllAdvised, ill_advised};
use crate::tlsa::{Params, Port};

/// A sentence for each choice that is allowed and regretted at this port.
#[must_use]
pub fn on(params: Params, port: Option<Port>) -> Vec<String> {
    let (usage, number) = (params.usage.0, port.map_or(0, |port| port.number));
    let sentence = |choice| match choice {
        IllAdvised::BreaksOnRenewal => format!(
            "{params} breaks with every renewed certificate; {usage} 1 1 names the key (RFC 7671 section 5.1)"
        ),
        IllAdvised::FullData => format!(
            "{params} publishes the whole data instead of a digest; answers may outgrow UDP (RFC 7671 section 10.1)"
        ),
        IllAdvised::PublicCaForSmtp => format!(
            "usage {usage} is of no use on mail port {number}: senders treat it as unusable (RFC 7672 section 3.1.3)"
        ),
        IllAdvised::PublicCaBesides => format!(
            "usage {usage} at mail port {number} demands a public CA besides (RFC 7671 section 4.1)"
        ),
        IllAdvised::PrivateNumbers => format!(
            "{params} has the number 255, which only clients of your own understand (RFC 6698 section 7)"
        ),
        IllAdvised::UnassignedNumbers => {
            format!("{params} has a number that no client knows (RFC 6698 section 2.1)")
        }
    };
    ill_advised(params, port)
        .into_iter()
        .map(sentence)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tlsa::Usage;

    #[test]
    fn the_port_decides_what_a_public_ca_is_good_for() {
        let params = Params {
            usage: Usage::PKIX_EE,
            ..Params::default()
        };
        let said = |port: &str| on(params, port.parse().ok()).join("; ");
        assert!(said("25").contains("RFC 7672"));
        assert!(said("993").contains("demands a public CA besides"));
        assert_eq!(said("443"), "");
    }
}
