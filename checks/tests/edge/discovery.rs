//! Every branch of "Resolving server names" (Matrix server-server API): the way, and what the
//! server at its end sees; then each branch wrong in just one thing.

use std::net::IpAddr;

use mxdoctor_model::Outcome::{Fail, Pass, Skip};

use crate::branches::{VERSION, WELL_KNOWN, branches, by_name, by_well_known, homeserver};
use crate::lab::{MATRIX, Seen, address6};

#[tokio::test]
async fn each_branch_leads_with_its_host_sni_and_certificate() {
    for branch in branches() {
        let lab = branch.lab().await;
        let resolved = lab.run("federation.resolve").await.remove(0);
        assert_eq!((resolved.outcome, resolved.summary.as_str()), (Pass, branch.way));
        let last = format!("step {}: ", branch.step);
        let step = resolved.evidence.iter().rfind(|it| it.text.starts_with("step "));
        let step = step.expect("there are steps");
        assert!(step.text.starts_with(&last), "{}: {}", branch.way, step.text);
        lab.expect("federation.tls", Pass, None).await;
        let several = branch.at.len() > 1;
        let answers = if several {
            "Synapse 1.147.0 answers on 2 addresses"
        } else {
            "Synapse 1.147.0 answers"
        };
        let (outcome, _, summary) = lab.verdict("federation.version").await;
        assert_eq!((outcome, summary.as_str()), (Pass, answers), "{}", branch.way);
        let seen = lab.seen.lock().expect("the log").clone();
        let mut asked: Vec<Seen> = seen.into_iter().filter(|seen| seen.path == VERSION).collect();
        asked.retain(|seen| seen.host != MATRIX);
        asked.sort_by_key(|seen| seen.at);
        asked.dedup();
        let expected: Vec<Seen> = branch
            .at
            .iter()
            .map(|at| Seen {
                at: *at,
                sni: branch.sni.map(str::to_owned),
                host: branch.host.into(),
                path: VERSION.into(),
            })
            .collect();
        assert_eq!(asked, expected, "{}", branch.way);
    }
}

/// No server asks for the file of a name with a port or of an address.
#[tokio::test]
async fn the_file_is_not_asked_for_where_the_name_says_all() {
    for branch in by_name() {
        let lab = branch.lab().await;
        lab.expect("federation.well_known", Skip, None).await;
        lab.expect("federation.resolve", Pass, None).await;
        let seen = lab.seen.lock().expect("the log").clone();
        assert!(seen.iter().all(|seen| seen.path != WELL_KNOWN), "{seen:?}");
    }
}

#[tokio::test]
async fn a_closed_port_at_the_end_of_a_branch_is_named() {
    for branch in branches() {
        let mut lab = branch.lab().await;
        for at in &branch.at {
            lab.refuse_at(*at).await;
        }
        let cause = match branch.step {
            "3.5" => "delegation-needs-port",
            "6" => "well-known-server-missing",
            _ => "federation-port-closed",
        };
        lab.expect("federation.resolve", Fail, Some(cause)).await;
        for blocked in ["federation.tls", "federation.version"] {
            lab.expect(blocked, Skip, None).await;
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_named_in_each_branch() {
    for branch in branches() {
        let mut lab = branch.lab().await;
        for at in &branch.at {
            // The machine's own name, as people are tempted to.
            lab.https_at(*at, &["a.borooka.ee", "b.borooka.ee"], homeserver(branch.host)).await;
        }
        lab.expect("federation.resolve", Pass, None).await;
        let cause = Some("certificate-wrong-name");
        lab.expect("federation.tls", Fail, cause).await;
        lab.expect("federation.version", Skip, None).await;
    }
}

#[tokio::test]
async fn a_proxy_that_knows_another_host_only_is_named_in_each_branch() {
    for branch in branches() {
        let mut lab = branch.lab().await;
        for at in &branch.at {
            lab.https_at(*at, &[branch.certificate], homeserver("another.borooka.ee")).await;
        }
        lab.expect("federation.resolve", Pass, None).await;
        lab.expect("federation.version", Fail, Some("federation-not-served")).await;
    }
}

#[tokio::test]
async fn one_address_of_several_that_fails_is_named() {
    for branch in branches().into_iter().filter(|branch| branch.at.len() > 1) {
        for (index, at) in branch.at.iter().enumerate() {
            let mut lab = branch.lab().await;
            lab.refuse_at(*at).await;
            lab.expect("federation.resolve", Pass, None).await;
            let finding = lab.run("federation.version").await.remove(0);
            assert_eq!(finding.cause, Some("one-address-broken"), "{index}: {finding:?}");
            assert!(finding.actual.expect("it is told").contains(&at.ip().to_string()));
        }
    }
}

#[tokio::test]
async fn a_family_that_cannot_be_reached_is_not_judged() {
    let branch = by_well_known().remove(2);
    let mut lab = branch.lab().await;
    // No such way: the address is not directed to a server of the test.
    lab.config.overrides.addresses.remove(&(IpAddr::from(address6(2)), 443));
    let resolved = lab.run("federation.resolve").await.remove(0);
    let (outcome, _, summary) = lab.verdict("federation.version").await;
    let skipped = resolved.evidence.iter().any(|it| it.text.contains("not judged"));
    assert_eq!(resolved.outcome, Pass, "{resolved:?}");
    if skipped {
        assert_eq!((outcome, summary.as_str()), (Pass, "Synapse 1.147.0 answers"));
    } else {
        // This machine is on the IPv6 internet, where nobody has that address.
        assert_eq!(outcome, Fail, "{summary}");
    }
}
