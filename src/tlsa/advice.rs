//! Choices that are allowed and regretted (RFC 7671, RFC 7672): what to warn of
//! before a record with such parameters is made.

use crate::tlsa::{Matching, Params, Port, Selector, Usage};

/// Sentences on what is ill-advised about these parameters on this port; none
/// for `3 1 1` and the other sound choices.
#[must_use]
pub fn on(params: Params, port: Option<Port>) -> Vec<String> {
    let mut advice = Vec::new();
    let Params {
        usage,
        selector,
        matching,
    } = params;
    if usage == Usage::DANE_EE && selector == Selector::CERT {
        advice.push(format!(
            "{params} breaks with every renewed certificate; {} 1 1 names the key (RFC 7671 section 5.1)",
            usage.0
        ));
    }
    if matching == Matching::FULL {
        advice.push(format!(
            "{params} publishes the whole data instead of a digest; answers may outgrow UDP (RFC 7671 section 10.1)"
        ));
    }
    if let Some(port) =
        port.filter(|port| port.is_mail() && (usage == Usage::PKIX_TA || usage == Usage::PKIX_EE))
    {
        advice.push(format!(
            "usage {} is of no use on mail port {}: senders treat it as unusable (RFC 7672 section 3.1.3)",
            usage.0, port.number
        ));
    }
    if usage.0 > 3 || selector.0 > 1 || matching.0 > 2 {
        advice.push(format!(
            "{params} has a number that no client knows (RFC 6698 section 2.1)"
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(usage: u8, selector: u8, matching: u8, port: &str) -> usize {
        let params = Params {
            usage: Usage(usage),
            selector: Selector(selector),
            matching: Matching(matching),
        };
        on(params, port.parse().ok()).len()
    }

    #[test]
    fn sound_choices_are_not_commented_on() {
        assert_eq!(advice(3, 1, 1, "25"), 0);
        assert_eq!(advice(2, 0, 1, "25"), 0);
        assert_eq!(advice(1, 1, 1, "443"), 0);
    }

    #[test]
    fn regretted_choices_are() {
        assert_eq!(advice(3, 0, 1, "25"), 1);
        assert_eq!(advice(3, 0, 0, "443"), 2);
        assert_eq!(advice(1, 1, 1, "smtp"), 1);
        assert_eq!(advice(3, 1, 9, "smtp"), 1);
    }
}
