//! The branches of "Resolving server names" (Matrix server-server API), each with the server at
//! its end.

use std::net::SocketAddr;

use hickory_proto::rr::RData;
use hickory_proto::rr::rdata::SRV;
use http::Request;
use hyper::body::Incoming;

use crate::lab::{Answer, Lab, MATRIX, SERVER, Zone, address, address6, answer, name, versions};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
pub(crate) const VERSION: &str = "/_matrix/federation/v1/version";
pub(crate) const WELL_KNOWN: &str = "/.well-known/matrix/server";
pub(crate) const FED: &str = "fed.testing.borooka.ee";

/// Records of DNS.
pub(crate) type Records = Vec<(&'static str, RData)>;

/// A homeserver that knows itself by one `Host` only.
pub(crate) fn homeserver(
    host: &str,
) -> impl Fn(&Request<Incoming>) -> Answer + Clone + Send + Sync + use<> {
    let host = host.to_owned();
    move |request| {
        let authority = request.uri().authority().map(|authority| authority.as_str());
        let asked = request.headers().get("host").and_then(|host| host.to_str().ok());
        if asked.or(authority) == Some(&host) && request.uri().path() == VERSION {
            return answer(200, JSON, r#"{"server":{"name":"Synapse","version":"1.147.0"}}"#);
        }
        answer(404, JSON, r#"{"errcode":"M_UNRECOGNIZED"}"#)
    }
}

pub(crate) fn delegation(
    to: &str,
) -> impl Fn(&Request<Incoming>) -> Answer + Clone + Send + Sync + use<> {
    let body = serde_json::json!({ "m.server": to }).to_string();
    move |request| match request.uri().path() {
        WELL_KNOWN => answer(200, JSON, body.clone()),
        _ => answer(404, &[], "not here"),
    }
}

fn nothing(_: &Request<Incoming>) -> Answer {
    answer(404, &[], "not here")
}

pub(crate) fn srv(priority: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, 0, port, name(target)))
}

/// A branch of the steps, and how a server at its end is to be asked.
pub(crate) struct Branch {
    pub(crate) server_name: &'static str,
    /// What the delegation file says; none for 404.
    pub(crate) delegated: Option<&'static str>,
    pub(crate) records: Records,
    /// Where the homeserver is.
    pub(crate) at: Vec<SocketAddr>,
    /// What the certificate must cover.
    pub(crate) certificate: &'static str,
    pub(crate) sni: Option<&'static str>,
    pub(crate) host: &'static str,
    /// What `federation.resolve` says.
    pub(crate) way: &'static str,
    /// The last step's number.
    pub(crate) step: &'static str,
}

impl Branch {
    pub(crate) async fn lab(&self) -> Lab {
        let zone = Zone::default().a(SERVER, 1).a(MATRIX, 9).a(FED, 2).aaaa(FED, 2);
        let zone = zone.a("a.borooka.ee", 3).a("b.borooka.ee", 4);
        let records = self.records.iter().cloned();
        let zone = records.fold(zone, |zone, (owner, data)| zone.with(owner, data));
        let mut lab = Lab::new(zone).await;
        lab.target.server_name = self.server_name.into();
        lab.https(9, &[MATRIX], versions).await;
        match self.delegated {
            Some(to) => lab.https_at((address(1), 443), &[SERVER], delegation(to)).await,
            None => lab.https(1, &[SERVER], nothing).await,
        }
        for (last, port) in [(1, 8448), (2, 443), (2, 8448), (7, 443)] {
            lab.refuse(last, port).await;
        }
        lab.refuse_at((address6(7), 443)).await;
        for at in &self.at {
            lab.https_at(*at, &[self.certificate], homeserver(self.host)).await;
        }
        lab
    }
}

pub(crate) fn v4(last: u8, port: u16) -> SocketAddr {
    (address(last), port).into()
}

pub(crate) fn v6(last: u16, port: u16) -> SocketAddr {
    (address6(last), port).into()
}

pub(crate) fn branch(server_name: &'static str, delegated: Option<&'static str>) -> Branch {
    Branch {
        server_name,
        delegated,
        records: Vec::new(),
        at: Vec::new(),
        certificate: SERVER,
        sni: Some(SERVER),
        host: SERVER,
        way: "",
        step: "",
    }
}

/// Steps 1 and 2.
pub(crate) fn by_name() -> Vec<Branch> {
    let literal = |server_name, certificate, at, way| Branch {
        at: vec![at],
        certificate,
        sni: None,
        host: server_name,
        way,
        step: "1",
        ..branch(server_name, None)
    };
    let ported = "testing.borooka.ee:8449";
    vec![
        literal(
            "198.51.100.7",
            "198.51.100.7",
            v4(7, 8448),
            "by the name itself: port 8448, Host 198.51.100.7, no SNI, certificate 198.51.100.7",
        ),
        literal(
            "198.51.100.7:8449",
            "198.51.100.7",
            v4(7, 8449),
            "by the name itself: port 8449, Host 198.51.100.7:8449, no SNI, certificate \
             198.51.100.7",
        ),
        literal(
            "[2001:db8::7]",
            "2001:db8::7",
            v6(7, 8448),
            "by the name itself: port 8448, Host [2001:db8::7], no SNI, certificate 2001:db8::7",
        ),
        literal(
            "[2001:db8::7]:8449",
            "2001:db8::7",
            v6(7, 8449),
            "by the name itself: port 8449, Host [2001:db8::7]:8449, no SNI, certificate \
             2001:db8::7",
        ),
        Branch {
            at: vec![v4(1, 8449)],
            host: ported,
            way: "by the name itself: port 8449, Host testing.borooka.ee:8449, SNI and \
                  certificate testing.borooka.ee",
            step: "2",
            ..branch(ported, None)
        },
    ]
}

/// Steps 3.1 to 3.5.
pub(crate) fn by_well_known() -> Vec<Branch> {
    let literal = |to, certificate, at, way| Branch {
        at: vec![at],
        certificate,
        sni: None,
        host: to,
        way,
        step: "3.1",
        ..branch(SERVER, Some(to))
    };
    let named = |to, at, way, step| Branch {
        at,
        certificate: FED,
        sni: Some(FED),
        host: to,
        way,
        step,
        ..branch(SERVER, Some(to))
    };
    let both = |port| vec![v4(2, port), v6(2, port)];
    let records = |service, branch| Branch {
        records: vec![
            (service, srv(10, 8443, "a.borooka.ee.")),
            (service, srv(20, 8444, "b.borooka.ee.")),
        ],
        ..branch
    };
    vec![
        literal(
            "198.51.100.7",
            "198.51.100.7",
            v4(7, 8448),
            "by the well-known: port 8448, Host 198.51.100.7, no SNI, certificate 198.51.100.7",
        ),
        literal(
            "[2001:db8::7]:8449",
            "2001:db8::7",
            v6(7, 8449),
            "by the well-known: port 8449, Host [2001:db8::7]:8449, no SNI, certificate \
             2001:db8::7",
        ),
        named(
            "fed.testing.borooka.ee:443",
            both(443),
            "by the well-known: port 443, Host fed.testing.borooka.ee:443, SNI and certificate \
             fed.testing.borooka.ee",
            "3.2",
        ),
        records(
            "_matrix-fed._tcp.fed.testing.borooka.ee",
            named(
                FED,
                vec![v4(3, 8443), v4(4, 8444)],
                "by the well-known and a SRV record: ports 8443, 8444, Host \
                 fed.testing.borooka.ee, SNI and certificate fed.testing.borooka.ee",
                "3.3",
            ),
        ),
        records(
            "_matrix._tcp.fed.testing.borooka.ee",
            named(
                FED,
                vec![v4(3, 8443), v4(4, 8444)],
                "by the well-known and a SRV record: ports 8443, 8444, Host \
                 fed.testing.borooka.ee, SNI and certificate fed.testing.borooka.ee",
                "3.4",
            ),
        ),
        named(
            FED,
            both(8448),
            "by the well-known: port 8448, Host fed.testing.borooka.ee, SNI and certificate \
             fed.testing.borooka.ee",
            "3.5",
        ),
    ]
}

/// Steps 4 to 6.
fn by_fallback() -> Vec<Branch> {
    let recorded = |service, step| Branch {
        records: vec![(service, srv(10, 443, "fed.testing.borooka.ee."))],
        at: vec![v4(2, 443), v6(2, 443)],
        way: "by a SRV record: port 443, Host testing.borooka.ee, SNI and certificate \
              testing.borooka.ee",
        step,
        ..branch(SERVER, None)
    };
    vec![
        recorded("_matrix-fed._tcp.testing.borooka.ee", "4"),
        recorded("_matrix._tcp.testing.borooka.ee", "5"),
        Branch {
            at: vec![v4(1, 8448)],
            way: "by the default port: port 8448, Host testing.borooka.ee, SNI and certificate \
                  testing.borooka.ee",
            step: "6",
            ..branch(SERVER, None)
        },
    ]
}

pub(crate) fn branches() -> Vec<Branch> {
    [by_name(), by_well_known(), by_fallback()].into_iter().flatten().collect()
}
