//! The ways to a homeserver that need a name server: SRV records, several addresses.

use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::SRV;
use http::Request;
use hyper::body::Incoming;
use mxdoctor_model::Outcome::{Fail, Pass, Skip, Warn};

use crate::lab::{Answer, Lab, MATRIX, SERVER, Serve, Zone, address, answer, name};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const VERSION: &str = r#"{"server":{"name":"Synapse","version":"1.147.0"}}"#;
const DELEGATION: &str = r#"{"m.server":"fed.testing.borooka.ee:8448"}"#;

/// A homeserver that answers requests for the server name only, as behind a record.
fn behind_srv(request: &Request<Incoming>) -> Answer {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let asked = host.or_else(|| request.uri().host());
    if asked == Some(SERVER) && request.uri().path() == "/_matrix/federation/v1/version" {
        return answer(200, JSON, VERSION);
    }
    answer(404, JSON, r#"{"errcode":"M_UNRECOGNIZED"}"#)
}

fn nothing(_: &Request<Incoming>) -> Answer {
    answer(404, &[], "not here")
}

fn page(_: &Request<Incoming>) -> Answer {
    answer(200, &[("content-type", "text/html")], "<!doctype html><title>a website</title>")
}

fn delegation(_: &Request<Incoming>) -> Answer {
    answer(200, JSON, DELEGATION)
}

fn version(_: &Request<Incoming>) -> Answer {
    answer(200, JSON, VERSION)
}

/// The server name's website at .1, what the record names at .2 with a certificate for these.
async fn by_record(record: &str, target: &str, names: &[&str], site: Serve) -> Lab {
    let srv = RData::SRV(SRV::new(10, 0, 443, name(target)));
    let zone = Zone::default().a(SERVER, 1).a(MATRIX, 2).a("hs.testing.borooka.ee", 2);
    let mut lab = Lab::new(zone.with(&format!("{record}.{SERVER}"), srv)).await;
    lab.target.server_name = SERVER.into();
    lab.target.homeserver = format!("https://{MATRIX}").parse().ok();
    lab.https(1, &[SERVER], site).await;
    lab.https(2, names, behind_srv).await;
    lab.refuse(1, 8448).await;
    lab
}

#[tokio::test]
async fn a_record_leads_with_the_server_names_own_host_and_certificate() {
    for record in ["_matrix-fed._tcp", "_matrix._tcp"] {
        let target = "hs.testing.borooka.ee";
        let lab = by_record(record, target, &[SERVER, MATRIX], nothing).await;
        let (outcome, _, summary) = lab.verdict("federation.resolve").await;
        let way = "by a SRV record: port 443, Host testing.borooka.ee, SNI and certificate \
                   testing.borooka.ee";
        assert_eq!((outcome, summary.as_str()), (Pass, way));
        lab.expect("federation.well_known", Pass, None).await;
        lab.expect("federation.tls", Pass, None).await;
        lab.expect("federation.version", Pass, None).await;
    }
}

#[tokio::test]
async fn a_certificate_for_the_records_target_is_the_wrong_one() {
    let target = "hs.testing.borooka.ee";
    let lab = by_record("_matrix-fed._tcp", target, &[MATRIX, target], nothing).await;
    lab.expect("federation.resolve", Pass, None).await;
    lab.expect("federation.tls", Fail, Some("certificate-wrong-name")).await;
    lab.expect("federation.version", Skip, None).await;
    lab.expect("federation.keys", Skip, None).await;
}

#[tokio::test]
async fn a_broken_file_warns_where_a_record_leads_and_fails_where_none_does() {
    let target = "hs.testing.borooka.ee";
    let lab = by_record("_matrix-fed._tcp", target, &[SERVER], page).await;
    lab.expect("federation.well_known", Warn, Some("well-known-not-json")).await;
    let (outcome, _, summary) = lab.verdict("federation.resolve").await;
    assert_eq!(outcome, Pass, "{summary}");
    assert!(summary.contains("although the well-known is broken"), "{summary}");
    lab.expect("federation.version", Pass, None).await;

    // The record is there, and what it leads to is of no use to a peer.
    let lab = by_record("_matrix-fed._tcp", target, &[MATRIX], page).await;
    lab.expect("federation.well_known", Fail, Some("well-known-not-json")).await;
    lab.expect("federation.resolve", Skip, None).await;
    lab.expect("federation.version", Skip, None).await;
}

#[tokio::test]
async fn a_record_that_leads_nowhere_is_final() {
    let lab = by_record("_matrix-fed._tcp", "no.testing.borooka.ee", &[SERVER], nothing).await;
    lab.expect("dns.srv", Fail, Some("srv-target-unusable")).await;
    lab.expect("federation.resolve", Skip, None).await;
    let target = "hs.testing.borooka.ee";
    let mut lab = by_record("_matrix-fed._tcp", target, &[SERVER], nothing).await;
    lab.refuse(2, 443).await;
    // Not a host of the stack by this name, so that nobody else says it.
    lab.target.homeserver = None;
    lab.expect("federation.resolve", Fail, Some("federation-port-closed")).await;
}

/// A delegation to a host apart from the stack, on port 8448 of .2 and .3.
async fn on_two_addresses() -> Lab {
    let fed = "fed.testing.borooka.ee";
    let zone = Zone::default().a(SERVER, 1).a(fed, 2).a(fed, 3);
    let mut lab = Lab::new(zone).await;
    lab.target.server_name = SERVER.into();
    lab.target.homeserver = Some(format!("https://{SERVER}").parse().expect("a URL"));
    lab.https(1, &[SERVER], delegation).await;
    for last in [2, 3] {
        lab.https(last, &[fed], version).await;
        let to = lab.config.overrides.addresses[&(address(last).into(), 443)];
        lab.map(last, 8448, to);
    }
    lab
}

#[tokio::test]
async fn every_address_must_answer() {
    let mut lab = on_two_addresses().await;
    let (outcome, _, summary) = lab.verdict("federation.version").await;
    assert_eq!((outcome, summary.as_str()), (Pass, "Synapse 1.147.0 answers on 2 addresses"));
    lab.refuse(3, 8448).await;
    lab.expect("federation.resolve", Pass, None).await;
    lab.expect("federation.version", Fail, Some("one-address-broken")).await;
}

#[tokio::test]
async fn a_file_must_be_the_same_on_every_address() {
    let zone = Zone::default().a(SERVER, 1).a(SERVER, 4).a("fed.testing.borooka.ee", 2);
    let mut lab = Lab::new(zone).await;
    lab.target.server_name = SERVER.into();
    lab.https(1, &[SERVER], delegation).await;
    lab.https(4, &[SERVER], nothing).await;
    lab.expect("federation.well_known", Fail, Some("well-known-server-differs")).await;
}
