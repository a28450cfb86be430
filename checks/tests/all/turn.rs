//! `jitsi.turn` and `vantage.udp` against a real coturn.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mxdoctor_checks::facts::{Offered, OfferedTurn};
use mxdoctor_checks::{Cx, Entry, Target, jitsi};
use mxdoctor_fixtures::ca::{Authority, Leaf, days};
use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::turn::{Carrier, Server};
use mxdoctor_probes::{Net, NetConfig};

const NAME: &str = "turn.example.org";

/// A running coturn with a user `guest`, password `right`.
struct Coturn {
    child: Child,
    plain: SocketAddr,
    tls: SocketAddr,
    authority: Authority,
    _folder: tempfile::TempDir,
}

impl Drop for Coturn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

impl Coturn {
    async fn start(change: impl FnOnce(&mut Leaf), more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new("Test").expect("an authority");
        let mut leaf = Leaf::of([NAME]);
        change(&mut leaf);
        let issued = authority.issue(&leaf).expect("a certificate");
        let file = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(file("chain.pem"), &issued.chain_pem).expect("written");
        std::fs::write(file("key.pem"), &issued.key_pem).expect("written");
        let (plain, tls) = (free(), free());
        let child = Command::new("turnserver")
            .args(["-n", "--no-cli", "--no-dtls", "--lt-cred-mech", "--log-file=stdout"])
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=example.org"])
            .args(["--allow-loopback-peers", "--user=guest:right"])
            .arg(format!("--listening-port={}", plain.port()))
            .arg(format!("--tls-listening-port={}", tls.port()))
            .arg(format!("--cert={}", file("chain.pem")))
            .arg(format!("--pkey={}", file("key.pem")))
            .arg(format!("--userdb={}", file("users")))
            .arg(format!("--pidfile={}", file("pid")))
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("coturn is installed by cargo xtask test");
        let coturn = Self { child, plain, tls, authority, _folder: folder };
        let answers = |address: &SocketAddr| TcpStream::connect(address).is_ok();
        // It binds UDP in threads of its own, after TCP.
        let net = Net::new(NetConfig::default());
        for _ in 0..500 {
            let patience = Duration::from_millis(500);
            if [plain, tls].iter().all(answers) && net.stun_binding(plain, patience).await.is_ok() {
                return coturn;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("coturn does not listen in time");
    }

    fn cx(&self, set: impl FnOnce(&mut Target)) -> Cx {
        let mut config = NetConfig {
            extra_roots: vec![self.authority.root_der().clone()],
            system_roots: false,
            dns_servers: vec!["127.0.0.1:9".parse().expect("an address")],
            ..NetConfig::default()
        };
        for (port, to) in [(3478, self.plain), (5349, self.tls), (1, free())] {
            config.overrides.names.insert((NAME.into(), port), vec![to]);
        }
        let mut target = Target {
            server_name: "example.org".into(),
            stun_server: Some((NAME.into(), 3478)),
            ..Target::default()
        };
        set(&mut target);
        Cx::new(Vantage::Public, target, Net::new(config))
    }
}

fn offered(carrier: Carrier, port: u16, password: &str, expires: Option<i64>) -> OfferedTurn {
    let credentials = Some(("guest".to_owned(), password.to_owned()));
    let server = Server { host: NAME.into(), port, carrier, credentials };
    OfferedTurn { server, expires }
}

async fn judged(cx: &Cx, turn: Vec<OfferedTurn>) -> Vec<Finding> {
    let offered = Offered { turn, stun: Vec::new() };
    let findings = jitsi::turn::assess(cx, &offered).await.expect("judged");
    let finding = |entry| match entry {
        Entry::Finding(finding) => finding,
        Entry::Blocked { instance, by } => panic!("{instance:?} is blocked by {by:?}"),
    };
    findings.0.into_iter().map(finding).collect()
}

fn verdicts(findings: &[Finding]) -> Vec<(Outcome, Option<&'static str>)> {
    findings.iter().map(|finding| (finding.outcome, finding.cause)).collect()
}

#[tokio::test]
async fn what_is_offered_relays_over_each_transport() {
    let coturn = Coturn::start(|_| {}, &[]).await;
    let offer = |carrier, port| offered(carrier, port, "right", None);
    let all = vec![offer(Carrier::Udp, 3478), offer(Carrier::Tcp, 3478), offer(Carrier::Tls, 5349)];
    let findings = judged(&coturn.cx(|_| {}), all).await;
    assert_eq!(verdicts(&findings), [(Outcome::Pass, None); 3], "{findings:#?}");
    assert!(!format!("{findings:?}").contains("right"));
}

#[tokio::test]
async fn nothing_offered_is_normal() {
    let coturn = Coturn::start(|_| {}, &[]).await;
    let findings = judged(&coturn.cx(|_| {}), Vec::new()).await;
    assert_eq!(verdicts(&findings), [(Outcome::Skip, None)]);
}

#[tokio::test]
async fn credentials_that_are_refused_are_wrong_or_late() {
    let coturn = Coturn::start(|_| {}, &[]).await;
    let cx = coturn.cx(|_| {});
    for (expires, cause) in
        [(None, "turn-credentials-rejected"), (Some(1_500_000_000), "turn-credentials-expired")]
    {
        let findings = judged(&cx, vec![offered(Carrier::Udp, 3478, "wrong", expires)]).await;
        assert_eq!(verdicts(&findings), [(Outcome::Fail, Some(cause))], "{findings:#?}");
    }
}

#[tokio::test]
async fn one_that_is_down_weighs_less_beside_one_that_relays() {
    let coturn = Coturn::start(|_| {}, &[]).await;
    let cx = coturn.cx(|_| {});
    let down = || offered(Carrier::Tcp, 1, "right", None);
    let findings = judged(&cx, vec![down()]).await;
    assert_eq!(verdicts(&findings), [(Outcome::Fail, Some("turn-unreachable"))]);
    let findings = judged(&cx, vec![down(), offered(Carrier::Udp, 3478, "right", None)]).await;
    let warned = (Outcome::Warn, Some("turn-unreachable"));
    assert_eq!(verdicts(&findings), [warned, (Outcome::Pass, None)]);
}

#[tokio::test]
async fn certificates_are_judged_as_those_of_websites() {
    type Change = fn(&mut Leaf);
    let changes: [Change; 3] = [
        |leaf| leaf.names = vec!["www.example.org".into()],
        |leaf| leaf.with_intermediate = false,
        |leaf| leaf.not_after = leaf.not_before + days(1),
    ];
    for change in changes {
        let coturn = Coturn::start(change, &[]).await;
        let findings =
            judged(&coturn.cx(|_| {}), vec![offered(Carrier::Tls, 5349, "right", None)]).await;
        let expected = [(Outcome::Fail, Some("turn-tls-certificate"))];
        assert_eq!(verdicts(&findings), expected, "{findings:#?}");
    }
}

#[tokio::test]
async fn a_used_up_server_refuses() {
    let coturn = Coturn::start(|_| {}, &["--total-quota=1"]).await;
    let cx = coturn.cx(|_| {});
    let offer = offered(Carrier::Udp, 3478, "right", None);
    let address = coturn.plain;
    let family = mxdoctor_probes::turn::Family::V4;
    let other = cx.net().turn(&offer.server, address, family).await.outcome.expect("a place");
    let findings = judged(&cx, vec![offer]).await;
    assert_eq!(verdicts(&findings), [(Outcome::Fail, Some("turn-refuses"))], "{findings:#?}");
    other.close().await.expect("given up");
}

#[tokio::test]
async fn a_stun_server_tells_whether_udp_works() {
    let coturn = Coturn::start(|_| {}, &[]).await;
    let check = mxdoctor_checks::check("vantage.udp").expect("registered");
    let findings = (check.run)(&coturn.cx(|_| {})).await.expect("judged");
    let [Entry::Finding(finding)] = &findings.0[..] else { panic!("{findings:?}") };
    assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
    let silent = coturn.cx(|target| target.stun_server = Some((NAME.into(), 1)));
    let by = (check.run)(&silent).await.expect_err("our own trouble");
    assert_eq!(by.owner, "vantage.udp");
    assert_eq!((by.finding.outcome, by.finding.cause), (Outcome::Error, Some("no-udp-from-here")));
    let unknown = coturn.cx(|target| target.stun_server = None);
    let findings = (check.run)(&unknown).await.expect("judged");
    let [Entry::Finding(finding)] = &findings.0[..] else { panic!("{findings:?}") };
    assert_eq!(finding.outcome, Outcome::Skip, "{finding:?}");
}
