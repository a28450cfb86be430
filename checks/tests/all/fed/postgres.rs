//! The database's checks against a real PostgreSQL.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use mxdoctor_checks::{Cx, Database, Target};
use mxdoctor_model::{Outcome, Vantage};
use mxdoctor_probes::postgres::{PgTarget, PgTls};
use mxdoctor_probes::{Net, NetConfig};
use tempfile::TempDir;

use crate::stack::expect;

const ALL: &[&str] = &[
    "database.connect",
    "database.auth",
    "database.encoding",
    "database.version",
    "database.tls",
    "database.connections",
];

/// Where PostgreSQL's programs are: the newest that Debian has put there.
fn programs() -> std::path::PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.exists()).max();
    newest.expect("PostgreSQL is missing: install Debian's package `postgresql`")
}

/// A server of its own in a folder of its own; it may not run as root.
struct Postgres {
    folder: TempDir,
    port: u16,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let _ = self.try_run(
            "pg_ctl",
            &["stop", "-w", "-m", "immediate", "-D", &data.display().to_string()],
        );
    }
}

impl Postgres {
    /// Starts one with these settings; TCP sessions need a password, local ones none.
    fn start(settings: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
        let postgres = Self { folder, port: port.expect("an address").port() };
        let at = postgres.folder.path();
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(at).status();
            assert!(owned.expect("chown runs").success(), "the folder is given to postgres");
        }
        let data = at.join("data").display().to_string();
        postgres.run(
            "initdb",
            &[
                "-D",
                &data,
                "-A",
                "scram-sha-256",
                "-U",
                "admin",
                "--no-sync",
                "--locale",
                "C",
                "-E",
                "UTF8",
                "--pwfile",
                &postgres.file("pw", "admin-password"),
            ],
        );
        postgres.append(&data, "pg_hba.conf", "");
        let local = "local all all trust\nhost all all all scram-sha-256\n";
        postgres.replace(&data, "pg_hba.conf", local);
        postgres.append(
            &data,
            "postgresql.conf",
            &format!(
                "listen_addresses = '127.0.0.1'\nport = {}\n\
                 unix_socket_directories = '{}'\nfsync = off\n{settings}\n",
                postgres.port,
                at.display()
            ),
        );
        postgres.go();
        postgres.sql("CREATE ROLE synapse LOGIN PASSWORD 'secret'");
        postgres.sql("CREATE DATABASE synapse OWNER synapse TEMPLATE template0");
        postgres
    }

    fn go(&self) {
        let data = self.folder.path().join("data").display().to_string();
        let log = self.folder.path().join("log").display().to_string();
        self.run("pg_ctl", &["start", "-w", "-D", &data, "-l", &log]);
    }

    fn stop(&self) {
        let data = self.folder.path().join("data").display().to_string();
        self.run("pg_ctl", &["stop", "-w", "-m", "fast", "-D", &data]);
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn append(&self, data: &str, name: &str, text: &str) {
        let path = Path::new(data).join(name);
        let old = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, old + text).expect("written");
    }

    fn replace(&self, data: &str, name: &str, text: &str) {
        std::fs::write(Path::new(data).join(name), text).expect("written");
    }

    fn hba(&self, text: &str) {
        let data = self.folder.path().join("data").display().to_string();
        self.replace(&data, "pg_hba.conf", text);
        self.run("pg_ctl", &["reload", "-D", &data]);
    }

    fn sql(&self, sql: &str) {
        let (host, port) = (self.folder.path().display().to_string(), self.port.to_string());
        self.run(
            "psql",
            &[
                "-qX",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                &host,
                "-p",
                &port,
                "-U",
                "admin",
                "-d",
                "postgres",
                "-c",
                sql,
            ],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.try_run(program, arguments).expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(output.status.success(), "{program} {arguments:?}: {said}\n{log}");
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> std::io::Result<std::process::Output> {
        let program = programs().join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        // A server that is started keeps what it inherits: pipes would never end.
        let errors = std::fs::File::create(self.folder.path().join("errors"))?;
        let command = command.args(arguments).current_dir(self.folder.path());
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).status()?;
        let stderr = std::fs::read(self.folder.path().join("errors"))?;
        Ok(std::process::Output { status, stdout: Vec::new(), stderr })
    }

    fn with(&self, set: impl FnOnce(&mut Database)) -> Cx {
        let mut database = Database {
            host: "127.0.0.1".into(),
            port: self.port,
            user: "synapse".into(),
            password: "secret".into(),
            name: "synapse".into(),
            sslmode: "prefer".into(),
        };
        set(&mut database);
        let database = Some(database);
        let target = Target { server_name: "example.org".into(), database, ..Target::default() };
        Cx::new(Vantage::Cluster, target, Net::new(NetConfig::default()))
    }

    fn target(&self) -> PgTarget {
        PgTarget {
            host: "127.0.0.1".into(),
            port: self.port,
            user: "synapse".into(),
            password: "secret".into(),
            name: "synapse".into(),
            tls: PgTls::Disable,
        }
    }
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("this process's state");
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// One check fails for the cause; each other one passes or is blocked.
async fn only(cx: &Cx, id: &str, cause: &str) {
    expect(cx, id, Outcome::Fail, Some(cause)).await;
    for other in ALL.iter().filter(|other| **other != id) {
        let said = crate::stack::finding(cx, other).await;
        assert!(matches!(said.outcome, Outcome::Pass | Outcome::Skip), "{other}: {said:#?}");
    }
}

#[tokio::test]
async fn without_a_database_all_is_skipped() {
    let target = Target { server_name: "example.org".into(), ..Target::default() };
    let cx = Cx::new(Vantage::Cluster, target, Net::new(NetConfig::default()));
    for id in ALL {
        let said = crate::stack::finding(&cx, id).await;
        assert_eq!(said.outcome, Outcome::Skip, "{id}");
        assert!(said.summary.contains("no database configured"), "{}", said.summary);
    }
}

#[tokio::test]
async fn a_real_server_healthy_and_with_each_fault() {
    let postgres = Postgres::start("max_connections = 30");
    let cx = postgres.with(|_| {});
    for id in ALL {
        expect(&cx, id, Outcome::Pass, None).await;
    }
    let cx = postgres.with(|database| database.password = "wrong".into());
    only(&cx, "database.auth", "database-auth-failed").await;
    let cx = postgres.with(|database| database.name = "nothing".into());
    only(&cx, "database.auth", "database-missing").await;
    let cx = postgres.with(|database| database.sslmode = "require".into());
    only(&cx, "database.tls", "database-tls-refused").await;

    postgres.sql("CREATE DATABASE other OWNER synapse TEMPLATE template0 LC_CTYPE 'C.UTF-8'");
    let cx = postgres.with(|database| database.name = "other".into());
    only(&cx, "database.encoding", "database-collation-wrong").await;

    postgres.hba("local all all trust\nhostssl all all all scram-sha-256\n");
    // The reload is asked for and not waited for: the server itself says when it is through.
    let refused = async {
        while Net::new(NetConfig::default()).postgres(&postgres.target()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, refused).await.expect("the rule is read");
    let cx = postgres.with(|database| database.sslmode = "disable".into());
    only(&cx, "database.tls", "database-tls-required").await;

    postgres.stop();
    only(&postgres.with(|_| {}), "database.connect", "database-down").await;
}

#[tokio::test]
async fn a_real_server_without_room() {
    let postgres = Postgres::start(
        "max_connections = 8\nsuperuser_reserved_connections = 2\nmax_wal_senders = 0",
    );
    let net = Net::new(NetConfig { connections_per_host: 32, ..NetConfig::default() });
    let few = crate::stack::finding(&postgres.with(|_| {}), "database.connections").await;
    assert_eq!((few.outcome, few.cause), (Outcome::Warn, Some("database-connections-few")));
    let mut taken = Vec::new();
    while let Ok(session) = net.postgres(&postgres.target()).await {
        taken.push(session);
    }
    assert_eq!(taken.len(), 6, "8 connections, 2 of them kept back");
    let cx = postgres.with(|_| {});
    only(&cx, "database.connections", "database-connections-exhausted").await;
    for session in taken {
        session.close().await;
    }
}
