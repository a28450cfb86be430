//! The checks of the database against a real PostgreSQL, healthy and broken.

use std::io::Read as _;
use std::net::TcpListener;

use mxdoctor_checks::{Cx, Database, Expect, Target};
use mxdoctor_fixtures::ca::{Authority, Leaf};
use mxdoctor_fixtures::postgres::Postgres;
use mxdoctor_model::{Outcome, Vantage};
use mxdoctor_probes::{Net, NetConfig};
use rustls::pki_types::CertificateDer;

use crate::stack::{expect, finding};

const CHECKS: [&str; 6] = [
    "database.connect",
    "database.auth",
    "database.encoding",
    "database.version",
    "database.tls",
    "database.connections",
];

const PASSWORD: &str = "correct horse";

const HBA: &str = "host all all 127.0.0.1/32 scram-sha-256";

/// A server with role and database as the homeserver wants them.
fn server(settings: &str, hba: &str, files: &[(&str, &str)]) -> Postgres {
    let server = Postgres::start(settings, hba, files).expect("PostgreSQL is installed and starts");
    let role = format!("CREATE ROLE synapse LOGIN PASSWORD '{PASSWORD}'");
    server.sql(&[&role, "CREATE DATABASE synapse OWNER synapse"]).expect("role and database");
    server
}

fn database(port: u16) -> Database {
    Database {
        host: "localhost".into(),
        port,
        user: "synapse".into(),
        password: PASSWORD.into(),
        name: "synapse".into(),
        sslmode: "prefer".into(),
    }
}

fn trusting(database: Database, roots: Vec<CertificateDer<'static>>) -> Cx {
    let target =
        Target { server_name: "example.org".into(), database: Some(database), ..Target::default() };
    let config = NetConfig { extra_roots: roots, system_roots: false, ..NetConfig::default() };
    Cx::new(Vantage::Cluster, target, Net::new(config))
}

fn cx(database: Database) -> Cx {
    trusting(database, Vec::new())
}

/// That just this check fails, so; that the server answers, or not; and the rest is blocked by it.
async fn just(cx: &Cx, id: &str, cause: &str) {
    for other in CHECKS {
        let finding = finding(cx, other).await;
        assert!(!format!("{finding:?}").contains(PASSWORD), "{finding:?}");
        if other == id {
            expect(cx, id, Outcome::Fail, Some(cause)).await;
        } else if other == "database.connect" {
            assert_eq!(finding.outcome, Outcome::Pass, "{finding:?}");
        } else {
            assert_eq!(finding.outcome, Outcome::Skip, "{other}: {finding:?}");
            assert!(finding.summary.starts_with(&format!("blocked by {id}")), "{finding:?}");
        }
    }
}

#[tokio::test]
async fn nothing_configured_is_a_skip_each() {
    let target = Target { server_name: "example.org".into(), ..Target::default() };
    let cx = Cx::new(Vantage::Cluster, target, Net::new(NetConfig::default()));
    for id in CHECKS {
        let finding = finding(&cx, id).await;
        assert_eq!(finding.outcome, Outcome::Skip);
        assert!(finding.summary.starts_with("no database is configured"), "{finding:?}");
    }
}

#[tokio::test]
async fn a_real_server_is_judged() {
    let server = server("", HBA, &[]);
    let healthy = cx(database(server.port));
    for id in CHECKS {
        expect(&healthy, id, Outcome::Pass, None).await;
    }
    let wrong = Database { password: "wrong horse".into(), ..database(server.port) };
    just(&cx(wrong), "database.auth", "database-auth-failed").await;
    let missing = Database { name: "nothing".into(), ..database(server.port) };
    just(&cx(missing), "database.auth", "database-missing").await;
    let demanding = Database { sslmode: "require".into(), ..database(server.port) };
    just(&cx(demanding), "database.tls", "database-tls-off").await;
    let target = Target {
        database: Some(database(server.port)),
        expect: Expect { postgres_version: Some("9.1".into()), ..Expect::default() },
        ..Target::default()
    };
    let other = Cx::new(Vantage::Cluster, target, Net::new(NetConfig::default()));
    expect(&other, "database.version", Outcome::Fail, Some("version-differs")).await;
    let template = "CREATE DATABASE utf OWNER synapse TEMPLATE template0 LOCALE 'C.UTF-8'";
    server.sql(&[template]).expect("a database");
    let unordered = cx(Database { name: "utf".into(), ..database(server.port) });
    expect(&unordered, "database.auth", Outcome::Pass, None).await;
    expect(&unordered, "database.encoding", Outcome::Fail, Some("database-collation-wrong")).await;
    let port = server.port;
    drop(server);
    expect(&cx(database(port)), "database.connect", Outcome::Fail, Some("database-down")).await;
}

#[tokio::test]
async fn connections_run_out() {
    let settings = "max_connections = 20\nsuperuser_reserved_connections = 3";
    let server = server(settings, HBA, &[]);
    let roomy = cx(database(server.port));
    expect(&roomy, "database.connections", Outcome::Pass, None).await;
    server.sql(&["CREATE ROLE other LOGIN PASSWORD 'x'"]).expect("a role");
    // Without the usual limit of connections to one address.
    let config = NetConfig { connections_per_host: 32, ..NetConfig::default() };
    let net = Net::new(config);
    let other = mxdoctor_probes::postgres::PgTarget {
        host: "localhost".into(),
        port: server.port,
        user: "other".into(),
        password: "x".into(),
        name: "synapse".into(),
        tls: mxdoctor_probes::postgres::PgTls::Disable,
    };
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(net.postgres(&other).await.expect("a session"));
    }
    let few = cx(database(server.port));
    expect(&few, "database.connections", Outcome::Warn, Some("database-connections-few")).await;
    // Ended sessions are taken from the count a moment after their goodbye.
    let refused = loop {
        assert!(held.len() <= 17, "there are seventeen in all");
        match net.postgres(&other).await {
            Ok(session) => held.push(session),
            Err(error) if held.len() < 17 => assert_eq!(error.code(), Some("53300")),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), Some("53300"));
    let full = cx(database(server.port));
    just(&full, "database.connections", "database-connections-exhausted").await;
}

#[tokio::test]
async fn encryption_is_as_configured() {
    let authority = Authority::new("database").expect("an authority");
    let issued = authority.issue(&Leaf::of(["localhost"])).expect("a certificate");
    let files = [("tls.crt", issued.chain_pem.as_str()), ("tls.key", issued.key_pem.as_str())];
    let settings = "ssl = on\nssl_cert_file = 'tls.crt'\nssl_key_file = 'tls.key'";
    let hba = "hostssl all all 127.0.0.1/32 scram-sha-256";
    let server = server(settings, hba, &files);
    let with = |mode: &str, host: &str| Database {
        sslmode: mode.into(),
        host: host.into(),
        ..database(server.port)
    };
    let roots = vec![authority.root_der().clone()];
    let full = trusting(with("verify-full", "localhost"), roots.clone());
    for id in CHECKS {
        expect(&full, id, Outcome::Pass, None).await;
    }
    for mode in ["prefer", "require"] {
        expect(&cx(with(mode, "localhost")), "database.tls", Outcome::Pass, None).await;
    }
    let wrong = "database-certificate-wrong";
    just(&cx(with("verify-full", "localhost")), "database.tls", wrong).await;
    just(&trusting(with("verify-full", "127.0.0.1"), roots), "database.tls", wrong).await;
    just(&cx(with("disable", "localhost")), "database.tls", "database-tls-required").await;
}

#[tokio::test]
async fn another_program_is_no_database() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 64]);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let cx = cx(database(port));
    expect(&cx, "database.connect", Outcome::Fail, Some("database-not-postgres")).await;
}
