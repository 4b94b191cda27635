//! Without a resolver that can be used, the walk goes from the root servers.

use danewright::demo::authority::{Fault, Role};

use crate::lab::{LONG_AGO, Lab, NOBODY, NS2, RESOLVER, ROOT, Said, TLD};

const MAIL: [&str; 11] = [
    "new.pem",
    "--host",
    "mail.leaf.example",
    "--port",
    "25",
    "--hold",
    "0",
    "--since",
    LONG_AGO,
    "--timeout",
    "1s",
];

fn verify(lab: &Lab, more: &[&str]) -> Said {
    Said::of(
        lab.begin(
            &[
                &MAIL[..],
                &["--root-server", &lab.socket(ROOT), "--json"],
                more,
            ]
            .concat(),
        ),
    )
}

fn nobody(lab: &Lab) -> [String; 2] {
    ["--resolver".to_owned(), lab.socket(NOBODY)]
}

#[test]
fn from_root_needs_no_resolver() {
    let lab = Lab::new();
    let [resolver, nobody] = nobody(&lab);
    let said = verify(&lab, &["--from-root", &resolver, &nobody]);
    assert_eq!(
        (said.status, &said.json()["verdict"]),
        (0, &"safe".into()),
        "{said:?}"
    );
    assert_eq!(
        said.json()["targets"][0]["servers"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(
        !said.codes(0).contains(&"walked-from-root".to_owned()),
        "it was asked for: {said:?}"
    );
    // The same faults are found on this way.
    lab.serve_leaf(&lab.leaf("leaf", 0, &["old"]), &[NS2]);
    assert_eq!(verify(&lab, &["--from-root", &resolver, &nobody]).status, 4);
    lab.authority.fault(NS2, Some(Fault::BadSignature));
    assert_eq!(verify(&lab, &["--from-root", &resolver, &nobody]).status, 1);
    assert_eq!(lab.authority.asked(RESOLVER), 0);
}

#[test]
fn a_resolver_that_is_silent_fails_or_strips_is_gone_around() {
    let lab = Lab::new();
    let spoilers: [&dyn Fn(); 4] = [
        &|| lab.authority.fault(RESOLVER, Some(Fault::Silent)),
        &|| lab.authority.fault(RESOLVER, Some(Fault::Refuse)),
        &|| lab.authority.fault(RESOLVER, Some(Fault::ServFail)),
        &|| {
            lab.authority.role(
                RESOLVER,
                Role::Resolver {
                    authenticated: false,
                },
            );
            lab.authority.fault(RESOLVER, Some(Fault::DropSignatures));
        },
    ];
    for (index, spoil) in spoilers.into_iter().enumerate() {
        spoil();
        let said = verify(&lab, &["--resolver", &lab.socket(RESOLVER)]);
        let codes = said.codes(0);
        assert!(
            codes.contains(&"walked-from-root".to_owned()),
            "{index}: {said:?}"
        );
        // One that answers SERVFAIL to everything says nothing about this zone by it.
        assert_eq!(said.status, 0, "{index}: {said:?}");
        assert_eq!(
            codes.contains(&"resolver-broken".to_owned()),
            index == 2,
            "{index}: {said:?}"
        );
        // Without root servers to ask there is no way around, except for one that only strips.
        let stuck =
            Said::of(lab.begin(&[&MAIL[..], &["--resolver", &lab.socket(RESOLVER)]].concat()));
        assert_eq!(
            stuck.status,
            if index == 3 { 0 } else { 3 },
            "{index}: {stuck:?}"
        );
    }
}

#[test]
fn root_servers_that_are_silent_lie_or_refer_in_circles_make_nothing_safe() {
    let lab = Lab::new();
    let [resolver, nobody] = nobody(&lab);
    for fault in [
        Fault::Silent,
        Fault::Refuse,
        Fault::Garbage,
        Fault::WrongQuestion,
        Fault::DropSignatures,
    ] {
        lab.authority.fault(ROOT, Some(fault));
        let said = verify(&lab, &["--from-root", &resolver, &nobody]);
        assert!(matches!(said.status, 1 | 3), "{fault:?}: {said:?}");
    }
    lab.authority.fault(ROOT, None);
    lab.forget();
    assert_eq!(verify(&lab, &["--from-root", &resolver, &nobody]).status, 0);
    // One that is silent is asked around.
    let said = verify(
        &lab,
        &["--from-root", &resolver, &nobody, "--root-server", &nobody],
    );
    assert_eq!(said.status, 0, "{said:?}");
}

/// The delegation of `leaf.example.` names these servers, and gives no address.
fn without_glue(lab: &mut Lab, servers: &[&str]) {
    lab.tld.remove("leaf", "NS").unwrap();
    for own in ["ns1.leaf", "ns2.leaf"] {
        lab.tld.remove(own, "A").unwrap();
    }
    for server in servers {
        lab.tld.add("leaf", 3600, "NS", server).unwrap();
    }
    lab.publish();
}

#[test]
fn servers_without_glue_are_looked_up_where_they_are() {
    let mut lab = Lab::with(&["leaf", "host"]);
    without_glue(&mut lab, &["ns1.host.example.", "ns2.host.example."]);
    let [resolver, nobody] = nobody(&lab);
    let said = verify(&lab, &["--from-root", &resolver, &nobody]);
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn delegations_in_a_circle_end_soon_and_nothing_is_safe() {
    let mut lab = Lab::with(&["leaf", "loop"]);
    without_glue(&mut lab, &["ns1.loop.example.", "ns2.loop.example."]);
    for own in ["ns1.loop", "ns2.loop"] {
        lab.tld.remove(own, "A").unwrap();
    }
    lab.tld.remove("loop", "NS").unwrap();
    lab.tld
        .add("loop", 3600, "NS", "ns1.leaf.example.")
        .unwrap();
    lab.publish();
    let [resolver, nobody] = nobody(&lab);
    let before = [ROOT, TLD].map(|server| lab.authority.asked(server));
    let said = verify(&lab, &["--from-root", &resolver, &nobody]);
    assert_eq!(said.status, 3, "{said:?}");
    let asked: usize = [ROOT, TLD]
        .map(|server| lab.authority.asked(server))
        .iter()
        .sum::<usize>()
        - before.iter().sum::<usize>();
    assert!(asked < 100, "{asked} questions");
}

#[test]
fn the_servers_of_a_root_of_ones_own_have_to_be_named() {
    let lab = Lab::new();
    let said = Said::of(lab.begin(&[&MAIL[..], &["--from-root"]].concat()));
    assert_eq!(said.status, 2, "{said:?}");
    assert!(
        said.err.contains("hint: name them with --root-server"),
        "{said:?}"
    );
}
