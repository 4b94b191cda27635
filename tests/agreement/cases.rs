//! The zones, one thing wrong with each at most, and what a validator is to make
//! of them. Who makes something else of one stands in `differences`.

mod chain;
mod names;
mod signing;

use super::states::State;
use super::zones::Plan;

/// One question.
pub(crate) struct Case {
    /// The zone's apex, and the name of the case.
    pub(crate) zone: &'static str,
    /// The host as in a zone file, relative to the zone.
    pub(crate) host: &'static str,
    /// The zone, and others that it needs.
    pub(crate) plans: Vec<Plan>,
    /// What a validator makes of it by the RFCs.
    pub(crate) truth: State,
}

impl Case {
    fn at(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }

    fn and(mut self, plan: Plan) -> Self {
        self.plans.push(plan);
        self
    }
}

fn case(zone: &'static str, make: impl Fn(Plan) -> Plan, truth: State) -> Case {
    Case {
        zone,
        host: "mail",
        plans: vec![make(Plan::new(zone))],
        truth,
    }
}

/// The zones above all others. `example` proves with NSEC, `opt` with NSEC3 and opt-out.
pub(crate) fn above() -> Vec<Plan> {
    vec![
        Plan::new("").records(""),
        Plan::new("example").records(""),
        Plan::new("opt")
            .records("")
            .sign_with(&["-3", "-", "-A", "-u"]),
    ]
}

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    [signing::cases(), chain::cases(), names::cases()]
        .into_iter()
        .flatten()
        .collect()
}
