//! The homeserver's database, looked at once.

use std::net::SocketAddr;
use std::sync::Arc;

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::postgres::{PgError, PgSession, PgTarget};
use mxdoctor_probes::tls::{ConnectError, Session};

use crate::{Cx, Database, Fact, Unavailable};

/// One read-only session with the database, closed again at once; or why there is none.
///
/// Not to be had only where no database is configured, or its settings make no sense.
#[derive(Debug, Clone)]
pub struct DatabaseAnswer;

/// What one session saw.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Address connected to, before overrides.
    pub address: SocketAddr,
    /// The TLS session; none without encryption.
    pub tls: Option<Arc<Session>>,
    /// From the start to being authenticated, in milliseconds.
    pub ready_ms: f64,
    /// Encoding of the database.
    pub encoding: String,
    /// Its collation (`LC_COLLATE`).
    pub collate: String,
    /// Its character types (`LC_CTYPE`).
    pub ctype: String,
    /// For instance 160010.
    pub version_number: u32,
    /// For instance `16.10 (Debian 16.10-1.pgdg12+1)`.
    pub version: String,
    /// How its connections are used.
    pub connections: Connections,
}

/// How the server's connections are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Connections {
    /// `max_connections`.
    pub max: i64,
    /// Kept back for superusers and for `pg_use_reserved_connections`.
    pub reserved: i64,
    /// In use by anybody, without our own.
    pub used: i64,
    /// In use by our role, without our own: the homeserver's pool as it is.
    pub by_role: i64,
    /// Limit of the role or the database, whichever is lower.
    pub limit: Option<i64>,
}

const SNAPSHOT: &str = "\
    SELECT pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, \
    current_setting('server_version_num'), current_setting('server_version'), \
    current_setting('max_connections'), current_setting('superuser_reserved_connections'), \
    coalesce(current_setting('reserved_connections', true), '0'), \
    (SELECT coalesce(sum(numbackends), 0) - 1 FROM pg_stat_database), \
    (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user \
    AND pid <> pg_backend_pid()), d.datconnlimit, r.rolconnlimit \
    FROM pg_database d, pg_roles r \
    WHERE d.datname = current_database() AND r.rolname = current_user";

impl Fact for DatabaseAnswer {
    type Value = Result<Snapshot, PgError>;
    const OWNER: &'static str = "database.connect";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

    async fn observe(&self, cx: &Cx) -> Result<Self::Value, Unavailable> {
        let not = |finding| Unavailable::by("database.connect", finding);
        let Some(database) = &cx.target().database else {
            return Err(not(Finding::skip("no database configured: set [database]")));
        };
        let target = target(database).map_err(|reason| not(Finding::error(reason)))?;
        let session = match cx.net().postgres(&target).await {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        let seen = look(&session).await;
        session.close().await;
        Ok(seen)
    }
}

fn target(database: &Database) -> Result<PgTarget, String> {
    Ok(PgTarget {
        host: database.host.clone(),
        port: database.port,
        user: database.user.clone(),
        password: database.password.clone(),
        name: database.name.clone(),
        tls: database.sslmode.parse()?,
    })
}

async fn look(session: &PgSession) -> Result<Snapshot, PgError> {
    let rows = session.rows(SNAPSHOT).await?;
    let row = rows.into_iter().next().unwrap_or_default();
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let number = |at: usize| {
        text(at).parse::<i64>().map_err(|_| {
            PgError::Protocol(format!("column {at} of the session's view is `{}`", text(at)))
        })
    };
    let limits = [number(10)?, number(11)?];
    let connections = Connections {
        max: number(5)?,
        reserved: number(6)? + number(7)?,
        used: number(8)?,
        by_role: number(9)?,
        limit: limits.into_iter().filter(|limit| *limit >= 0).min(),
    };
    Ok(Snapshot {
        address: session.address,
        tls: session.tls.clone(),
        ready_ms: session.ready.as_secs_f64() * 1000.0,
        encoding: text(0),
        collate: text(1),
        ctype: text(2),
        version_number: u32::try_from(number(3)?).unwrap_or_default(),
        version: text(4),
        connections,
    })
}

/// The session's view.
///
/// Owned by `database.connect`, `database.auth`, `database.tls` or `database.connections`,
/// whichever the server's refusal belongs to.
#[derive(Debug, Clone)]
pub struct DatabaseSession;

impl Fact for DatabaseSession {
    type Value = Snapshot;
    const OWNER: &'static str = "database.connect";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

    async fn observe(&self, cx: &Cx) -> Result<Snapshot, Unavailable> {
        match &*cx.fact(DatabaseAnswer).await? {
            Ok(snapshot) => Ok(snapshot.clone()),
            Err(error) => {
                let shown = cx.target().database.as_ref().map_or_else(String::new, place);
                let (owner, finding) = refusal(error, &shown);
                Err(Unavailable::by(owner, finding))
            }
        }
    }
}

fn place(database: &Database) -> String {
    format!("{}:{}", database.host, database.port)
}

/// Which check reports it, and how.
pub(crate) fn refusal(error: &PgError, place: &str) -> (&'static str, Finding) {
    let (owner, finding) = told(error, place);
    (owner, finding.evidence(EvidenceKind::Database, format!("{place}: {error}")))
}

fn told(error: &PgError, place: &str) -> (&'static str, Finding) {
    let connect = |finding: Finding| {
        ("database.connect", finding.expected("PostgreSQL to answer").actual(error.to_string()))
    };
    let fail = |cause, what: &str| Finding::fail(cause, format!("{place} {what}")).transient();
    match error {
        PgError::Ours(reason) => ("database.connect", Finding::error(reason.clone())),
        PgError::Resolve { .. } => connect(fail("database-name-unknown", "does not resolve")),
        PgError::Connect { error: ConnectError::Refused, .. } => {
            connect(fail("database-down", "refuses connections"))
        }
        PgError::Connect { .. } => connect(fail("database-unreachable", "is not reachable")),
        PgError::TimedOut { .. } => {
            connect(fail("database-down", "takes the connection and does not answer"))
        }
        PgError::Closed { .. } => connect(fail("database-down", "closes the connection")),
        PgError::Protocol(_) => {
            connect(fail("database-not-postgresql", "does not answer as PostgreSQL does"))
        }
        PgError::TlsRefused => {
            let finding = fail("database-tls-refused", "offers no TLS, which `sslmode` demands");
            ("database.tls", finding)
        }
        PgError::Handshake(error) => {
            let what = format!("offers TLS, and the handshake fails: {error}");
            ("database.tls", fail("database-tls-refused", &what))
        }
        PgError::Certificate(session) => ("database.tls", certificate(session, place)),
        PgError::Server { code, message, .. } => server(code, message, place),
    }
}

fn certificate(session: &Session, place: &str) -> Finding {
    let seen = &session.verification;
    let why = if !seen.name_matches {
        "is for another name"
    } else if !seen.in_dates {
        "is out of its dates"
    } else {
        "is not of a trusted authority"
    };
    let names = session.chain.first().map(|leaf| leaf.names.join(", ")).unwrap_or_default();
    Finding::fail("database-certificate-refused", format!("the certificate of {place} {why}"))
        .expected(format!("a certificate for {} of a trusted authority", session.name))
        .actual(format!("names: {names}; {:?}", seen.trust))
}

/// By SQLSTATE (PostgreSQL, appendix A).
fn server(code: &str, message: &str, place: &str) -> (&'static str, Finding) {
    let unencrypted = message.contains("no encryption") || message.contains("SSL off");
    let fail = |cause, what: &str| Finding::fail(cause, format!("{place}: {what}")).actual(message);
    match code {
        "28000" if unencrypted => {
            let what = "the server lets nobody in without TLS, and `sslmode` is disable";
            ("database.tls", fail("database-tls-required", what))
        }
        "28P01" => ("database.auth", fail("database-auth-failed", "the password is not accepted")),
        "28000" => ("database.auth", fail("database-auth-failed", "the role is not let in")),
        "3D000" => ("database.auth", fail("database-missing", "there is no such database")),
        "42501" => ("database.auth", fail("database-auth-failed", "the role may not connect")),
        "53300" => (
            "database.connections",
            fail("database-connections-exhausted", "every connection is taken").transient(),
        ),
        "57P03" | "57P01" | "57P02" => (
            "database.connect",
            fail("database-down", "the server is starting up or shutting down").transient(),
        ),
        _ => ("database.connect", fail("database-down", &format!("the server answers {code}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_by(code: &str, message: &str) -> (&'static str, Option<&'static str>) {
        let error = PgError::Server {
            code: code.into(),
            severity: "FATAL".into(),
            message: message.into(),
        };
        let (owner, finding) = refusal(&error, "db:5432");
        (owner, finding.cause)
    }

    #[test]
    fn each_refusal_has_its_check_and_cause() {
        let auth = Some("database-auth-failed");
        assert_eq!(told_by("28P01", ""), ("database.auth", auth));
        assert_eq!(told_by("28000", "role \"x\" does not exist"), ("database.auth", auth));
        assert_eq!(told_by("3D000", ""), ("database.auth", Some("database-missing")));
        assert_eq!(
            told_by("28000", "no pg_hba.conf entry for host \"::1\", user \"x\", no encryption"),
            ("database.tls", Some("database-tls-required"))
        );
        assert_eq!(
            told_by("53300", ""),
            ("database.connections", Some("database-connections-exhausted"))
        );
        assert_eq!(told_by("57P03", ""), ("database.connect", Some("database-down")));
    }

    #[test]
    fn our_own_trouble_is_no_failure() {
        let (owner, finding) = refusal(&PgError::Ours("no file descriptors".into()), "db:5432");
        assert_eq!((owner, finding.outcome), ("database.connect", mxdoctor_model::Outcome::Error));
    }
}
