use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CAA, CNAME, NS, SOA, SRV, TXT};
use hickory_proto::rr::{Name, RData};
use proptest::prelude::*;

use super::message::{Question, answer, dnssec};
use super::{Answer, Data, Dnssec, Kind, Lookup, Record};
use crate::testing::{Process, Responder, eventually, free_address, record, reply};
use crate::{Net, NetConfig};

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn net(servers: &[SocketAddr]) -> Net {
    Net::new(NetConfig { dns_servers: servers.to_vec(), ..NetConfig::default() })
}

/// For what must not be answered in time.
fn impatient(servers: &[SocketAddr]) -> Net {
    let dns_timeout = Duration::from_millis(300);
    Net::new(NetConfig { dns_servers: servers.to_vec(), dns_timeout, ..NetConfig::default() })
}

fn a(text: &str, last: u8) -> hickory_proto::rr::Record {
    record(text, RData::A(A::new(192, 0, 2, last)))
}

fn alias(from: &str, to: &str) -> hickory_proto::rr::Record {
    record(from, RData::CNAME(CNAME(name(to))))
}

async fn ask(fill: impl Fn(&Message, &mut Message) + Send + Sync + 'static) -> Lookup {
    let server = Responder::new(fill).await;
    net(&[server.address]).lookup("Matrix.Example.ORG.", Kind::A).await
}

#[tokio::test]
async fn aliases_come_first_and_strangers_are_left_out() {
    let server = Responder::new(|_, answer| {
        answer.add_answers([
            a("edge.example.net.", 7),
            a("stranger.example.net.", 8),
            alias("matrix.example.org.", "edge.EXAMPLE.net."),
        ]);
    })
    .await;
    let lookup = net(&[server.address]).lookup("Matrix.Example.ORG.", Kind::A).await;
    let edge =
        Record { name: "edge.example.net".into(), ttl: 300, data: Data::A([192, 0, 2, 7].into()) };
    let alias = Record {
        name: "matrix.example.org".into(),
        ttl: 300,
        data: Data::Cname("edge.example.net".into()),
    };
    assert_eq!(lookup.answer, Answer::Records(vec![alias, edge]));
    assert_eq!(lookup.addresses(), ["192.0.2.7".parse::<std::net::IpAddr>().expect("an address")]);
    assert_eq!((lookup.name.as_str(), lookup.kind), ("matrix.example.org", Kind::A));
    assert_eq!((lookup.server, lookup.dnssec), (Some(server.address), Dnssec::Unsigned));
    let asked = server.asked();
    let edns = asked[0].edns.as_ref().expect("EDNS");
    assert!(edns.flags().dnssec_ok && asked[0].metadata.recursion_desired);
}

#[tokio::test]
async fn a_dangling_alias_is_told_from_a_missing_name() {
    let dangling = ask(|_, answer| {
        answer.add_answer(alias("matrix.example.org.", "gone.example.net."));
        answer.metadata.response_code = ResponseCode::NXDomain;
    })
    .await;
    assert!(matches!(&dangling.answer, Answer::Records(records) if records.len() == 1));
    assert!(dangling.records().next().is_none());
    let missing = ask(|_, answer| answer.metadata.response_code = ResponseCode::NXDomain).await;
    assert_eq!(missing.answer, Answer::NxDomain);
    assert_eq!(ask(|_, _| {}).await.answer, Answer::NoData);
}

#[tokio::test]
async fn a_loop_of_aliases_ends() {
    let lookup = ask(|_, answer| {
        answer.add_answers([
            alias("matrix.example.org.", "other.example.org."),
            alias("other.example.org.", "matrix.example.org."),
        ]);
    })
    .await;
    assert!(matches!(&lookup.answer, Answer::Records(records) if records.len() <= 3));
    assert!(lookup.addresses().is_empty());
}

#[tokio::test]
async fn every_kind_is_understood() {
    let server = Responder::new(|question, answer| {
        let owner = "example.org.";
        let all = [
            record(owner, RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
            record(owner, RData::SRV(SRV::new(10, 5, 8448, name("Matrix.example.org.")))),
            record(owner, RData::CAA(CAA::new_issue(true, Some(name("ca.example.net")), vec![]))),
            record(owner, RData::TXT(TXT::new(vec!["one ".into(), "two".into()]))),
            record(owner, RData::NS(NS(name("ns.example.org.")))),
            record(owner, RData::SOA(SOA::new(name("ns."), name("me."), 42, 1, 1, 1, 1))),
        ];
        let kind = question.queries[0].query_type;
        answer.add_answers(all.into_iter().filter(|record| record.record_type() == kind));
    })
    .await;
    let net = net(&[server.address]);
    let expected = [
        (Kind::Aaaa, Data::Aaaa("2001:db8::1".parse().expect("an address"))),
        (
            Kind::Srv,
            Data::Srv { priority: 10, weight: 5, port: 8448, target: "matrix.example.org".into() },
        ),
        (
            Kind::Caa,
            Data::Caa { critical: true, tag: "issue".into(), value: "ca.example.net".into() },
        ),
        (Kind::Txt, Data::Txt("one two".into())),
        (Kind::Ns, Data::Ns("ns.example.org".into())),
        (Kind::Soa, Data::Soa(42)),
    ];
    for (kind, data) in expected {
        let lookup = net.lookup("example.org", kind).await;
        let found: Vec<_> = lookup.records().map(|record| &record.data).collect();
        assert_eq!(found, [&data], "{kind:?}");
    }
}

#[tokio::test]
async fn the_resolvers_word_on_signatures_is_kept() {
    let validated = ask(|_, answer| {
        answer.add_answer(a("matrix.example.org.", 1));
        answer.metadata.authentic_data = true;
    });
    assert_eq!(validated.await.dnssec, Dnssec::Validated);
    // The resolver refuses the answer unless it is told not to check.
    let bogus = ask(|question, answer| {
        if question.metadata.checking_disabled {
            answer.add_answer(a("matrix.example.org.", 1));
        } else {
            answer.metadata.response_code = ResponseCode::ServFail;
        }
    })
    .await;
    assert_eq!((bogus.answer, bogus.dnssec), (Answer::Refused("SERVFAIL".into()), Dnssec::Bogus));
    // Trouble that has nothing to do with signatures.
    let broken = ask(|_, answer| answer.metadata.response_code = ResponseCode::ServFail).await;
    let servfail = Answer::Refused("SERVFAIL".into());
    assert_eq!((broken.answer, broken.dnssec), (servfail, Dnssec::Unsigned));
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_over_tcp() {
    let server = Responder::raw(|question, tcp| {
        let mut answer = reply(question);
        if tcp {
            answer.add_answers((0..200).map(|last| a("matrix.example.org.", last)));
        } else {
            answer.metadata.truncation = true;
        }
        vec![answer.to_vec().expect("a message")]
    })
    .await;
    let lookup = net(&[server.address]).lookup("matrix.example.org", Kind::A).await;
    assert_eq!(lookup.addresses().len(), 200);
}

#[tokio::test]
async fn the_next_server_is_asked_where_one_does_not_answer() {
    let silent = Responder::raw(|_, _| vec![]).await;
    let refusing =
        Responder::new(|_, answer| answer.metadata.response_code = ResponseCode::Refused).await;
    let good = Responder::new(|_, answer| {
        answer.add_answer(a("matrix.example.org.", 1));
    })
    .await;
    let closed = free_address();
    let servers = [silent.address, closed, refusing.address, good.address];
    let lookup = impatient(&servers).lookup("matrix.example.org", Kind::A).await;
    assert_eq!((lookup.server, lookup.addresses().len()), (Some(good.address), 1));
    assert_eq!(silent.asked().len(), 2, "one question is repeated once");
    let lookup = impatient(&servers[..3]).lookup("matrix.example.org", Kind::A).await;
    assert_eq!(lookup.answer, Answer::Refused("REFUSED".into()));
    let lookup = impatient(&servers[..2]).lookup("matrix.example.org", Kind::A).await;
    let Answer::Unanswered(reason) = lookup.answer else { panic!("{:?}", lookup.answer) };
    assert!(reason.contains("no answer within") && reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn what_does_not_answer_the_question_is_passed_over() {
    let server = Responder::raw(|question, _| {
        let mut other_id = reply(question);
        other_id.metadata.id ^= 1;
        other_id.add_answer(a("matrix.example.org.", 66));
        let mut other_name = reply(question);
        other_name.queries[0].set_name(name("elsewhere.example.org."));
        other_name.add_answer(a("matrix.example.org.", 66));
        let mut right = reply(question);
        right.add_answer(a("matrix.example.org.", 1));
        let echo = question.to_vec().expect("a message");
        let [other_id, other_name, right] =
            [other_id, other_name, right].map(|message| message.to_vec().expect("a message"));
        vec![b"garbage".to_vec(), echo, other_id, other_name, right]
    })
    .await;
    let lookup = net(&[server.address]).lookup("matrix.example.org", Kind::A).await;
    assert_eq!(lookup.addresses(), ["192.0.2.1".parse::<std::net::IpAddr>().expect("an address")]);
}

#[tokio::test]
async fn a_server_without_edns_is_asked_without() {
    let server = Responder::new(|question, answer| {
        if question.edns.is_some() {
            answer.metadata.response_code = ResponseCode::FormErr;
        } else {
            answer.add_answer(a("matrix.example.org.", 1));
        }
    })
    .await;
    let lookup = net(&[server.address]).lookup("matrix.example.org", Kind::A).await;
    assert_eq!(lookup.addresses().len(), 1);
}

#[tokio::test]
async fn a_name_servers_address_can_be_overridden() {
    let server = Responder::new(|_, answer| {
        answer.add_answer(a("matrix.example.org.", 1));
    })
    .await;
    let public: SocketAddr = "198.51.100.53:53".parse().expect("an address");
    let mut config = NetConfig::default();
    config.overrides.addresses.insert((public.ip(), public.port()), server.address);
    let lookup = Net::new(config).lookup_at(&[public], "matrix.example.org", Kind::A).await;
    assert_eq!((lookup.server, lookup.addresses().len()), (Some(public), 1));
}

#[tokio::test]
async fn only_names_of_services_are_completed() {
    let server = Responder::new(|question, answer| {
        let asked = question.queries[0].name.to_ascii();
        match asked.strip_suffix("cluster.local.") {
            Some("synapse.app-matrix.svc.") => {
                answer.add_answer(a(&asked, 1));
            }
            _ => answer.metadata.response_code = ResponseCode::NXDomain,
        }
    })
    .await;
    let net = net(&[server.address]);
    let search = ["app.svc.cluster.local".to_owned(), "cluster.local".to_owned()];
    let service = net.lookup("synapse.app-matrix.svc", Kind::A).await;
    let service = net.complete(service, &search).await;
    assert_eq!((service.addresses().len(), service.name.as_str()), (1, "synapse.app-matrix.svc"));
    let other = net.lookup("synapse.app-matrix.example", Kind::A).await;
    assert_eq!(net.complete(other, &search).await.answer, Answer::NxDomain);
}

#[tokio::test]
async fn what_is_no_name_is_not_asked() {
    let label = "a".repeat(64);
    let lookup = net(&[free_address()]).lookup(&format!("{label}.example.org"), Kind::A).await;
    assert!(matches!(lookup.answer, Answer::Unanswered(reason) if reason.contains("no DNS name")));
}

proptest! {
    #[test]
    fn arbitrary_datagrams_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let question = Question::new("matrix.example.org", Kind::A).expect("a question");
        let id = bytes.get(..2).map_or(0, |id| u16::from_be_bytes([id[0], id[1]]));
        if let Ok(message) = question.decode(id, &bytes) {
            let _ = (answer(&message, &question), dnssec(&message));
        }
    }

    #[test]
    fn damaged_answers_do_no_harm(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let question = Question::new("matrix.example.org", Kind::A).expect("a question");
        let asked = Message::from_vec(&question.encode(7).expect("bytes")).expect("a message");
        let mut good = reply(&asked);
        good.add_answers([
            alias("matrix.example.org.", "edge.example.net."),
            a("edge.example.net.", 7),
            record("edge.example.net.", RData::TXT(TXT::new(vec!["text".into()]))),
            record("example.net.", RData::CAA(CAA::new_issue(false, None, vec![]))),
        ]);
        let mut bytes = good.to_vec().expect("bytes");
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        if let Ok(message) = question.decode(7, &bytes) {
            let _ = (answer(&message, &question), dnssec(&message));
        }
    }
}

/// A signed zone on a real server: signatures, an answer too large for a datagram, a missing name.
#[tokio::test]
async fn knot_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = free_address();
    let path = |file: &str| folder.path().join(file).display().to_string();
    let text = |number| format!("big TXT \"{number} {}\"\n", "x".repeat(200));
    let zone = "$ORIGIN example.org.\n$TTL 600\n\
        @ SOA ns hostmaster 2026 3600 600 86400 300\n@ NS ns\nns A 192.0.2.53\n\
        matrix CNAME edge\nedge A 192.0.2.10\nedge AAAA 2001:db8::10\n\
        _matrix-fed._tcp SRV 10 5 8448 matrix\n@ CAA 0 issue \"ca.example.net\"\n"
        .to_owned()
        + &(0..20).map(text).collect::<String>();
    std::fs::write(path("example.org.zone"), zone).expect("the zone");
    let knot = format!(
        "server:\n  rundir: {dir}\n  listen: 127.0.0.1@{port}\n\
         database:\n  storage: {dir}\n\
         template:\n  - id: default\n    storage: {dir}\n    zonefile-sync: -1\n    \
         journal-content: none\n\
         zone:\n  - domain: example.org\n    file: example.org.zone\n    dnssec-signing: on\n",
        dir = folder.path().display(),
        port = address.port(),
    );
    std::fs::write(path("knot.conf"), knot).expect("the configuration");
    let _knot = Process::start("knotd", &["-c", &path("knot.conf")], address).await;
    let net = net(&[address]);
    // It listens before the zone is signed.
    let lookup = eventually("the zone's signatures", async || {
        let lookup = net.lookup("matrix.example.org", Kind::Aaaa).await;
        (lookup.dnssec == Dnssec::Signed).then_some(lookup)
    })
    .await;
    assert_eq!(lookup.addresses(), ["2001:db8::10".parse::<std::net::IpAddr>().expect("an IP")]);
    assert_eq!((lookup.dnssec, lookup.server), (Dnssec::Signed, Some(address)));
    let big = net.lookup("big.example.org", Kind::Txt).await;
    assert_eq!(big.records().count(), 20, "{:?}", big.answer);
    let soa = net.lookup("example.org", Kind::Soa).await;
    assert!(matches!(soa.records().next().map(|record| &record.data), Some(Data::Soa(_))));
    let srv = net.lookup("_matrix-fed._tcp.example.org", Kind::Srv).await;
    let target = "matrix.example.org".to_owned();
    let data = Data::Srv { priority: 10, weight: 5, port: 8448, target };
    assert_eq!(srv.records().map(|record| &record.data).collect::<Vec<_>>(), [&data]);
    assert_eq!(net.lookup("missing.example.org", Kind::A).await.answer, Answer::NxDomain);
    assert_eq!(net.lookup("ns.example.org", Kind::Aaaa).await.answer, Answer::NoData);
}
