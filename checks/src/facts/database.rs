//! One session with the homeserver's database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mxdoctor_model::Finding;
use mxdoctor_probes::postgres::{PgError, PgSession, PgTarget, PgTls};
use mxdoctor_probes::tls::Session;

use crate::database::refusal;
use crate::{Cx, Database, Fact, Unavailable};

/// What the database says of itself, asked in one read-only session that is closed at once.
///
/// Owned by `database.connect`, `database.tls`, `database.auth` or `database.connections`,
/// whichever names what keeps us out.
#[derive(Debug, Clone)]
pub struct DatabaseSession;

/// What was learnt in the session.
#[derive(Debug, Clone)]
pub struct Postgres {
    /// Address connected to, before overrides.
    pub address: SocketAddr,
    /// The TLS session; none without encryption.
    pub tls: Option<Arc<Session>>,
    /// From the start to being authenticated.
    pub ready: Duration,
    /// `server_version`: `16.10 (Debian 16.10-1)`.
    pub version: String,
    /// `server_encoding`, and `datcollate` and `datctype` of the database: what Synapse looks at.
    pub locale: Locale,
    /// Connections and their limits, or why they could not be counted.
    pub connections: Result<Connections, String>,
}

/// How a database keeps and orders text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    /// `UTF8`, …
    pub encoding: String,
    /// `C`, `en_US.UTF-8`, …
    pub collate: String,
    /// Likewise.
    pub ctype: String,
}

/// Connections and their limits; all counts without our own session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// `max_connections`.
    pub max: i64,
    /// Of these, kept for superusers and for roles with reserved connections.
    pub reserved: i64,
    /// In use, by whomever.
    pub used: i64,
    /// In use by our role, which is the homeserver's.
    pub own: i64,
    /// In use in our database.
    pub here: i64,
    /// `rolconnlimit`; negative for none.
    pub role_limit: i64,
    /// `datconnlimit`; negative for none.
    pub database_limit: i64,
}

const LOCALE: &str = "SELECT current_setting('server_version'), \
    current_setting('server_encoding'), datcollate, datctype \
    FROM pg_database WHERE datname = current_database()";

/// What kind a backend is, is told of other roles' sessions only to those who may know.
const CONNECTIONS: &str = "SELECT current_setting('max_connections'), \
    current_setting('superuser_reserved_connections')::int \
        + coalesce(current_setting('reserved_connections', true), '0')::int, \
    count(a.pid), \
    count(a.pid) FILTER (WHERE a.usesysid = r.oid), \
    count(a.pid) FILTER (WHERE a.datid = d.oid), \
    r.rolconnlimit, d.datconnlimit \
    FROM pg_database d JOIN pg_roles r ON r.rolname = session_user \
    LEFT JOIN pg_stat_activity a ON a.pid <> pg_backend_pid() \
        AND a.datid IS NOT NULL AND a.usesysid IS NOT NULL \
        AND coalesce(a.backend_type, 'client backend') = 'client backend' \
    WHERE d.datname = current_database() \
    GROUP BY r.rolconnlimit, d.datconnlimit";

impl Fact for DatabaseSession {
    type Value = Postgres;
    const OWNER: &'static str = "database.connect";
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Postgres, Unavailable> {
        let Some(database) = &cx.target().database else {
            return Err(Unavailable::by(Self::OWNER, crate::database::absent()));
        };
        let target = target(database)?;
        let session = match open(cx, &target).await {
            Ok(session) => session,
            Err(Trouble { error, just_unencrypted }) => {
                return Err(refusal::blame(cx, &target, &error, just_unencrypted).await);
            }
        };
        let learnt = learn(&session).await;
        session.close().await;
        match learnt {
            Ok(learnt) => Ok(learnt),
            Err(error) => Err(refusal::blame(cx, &target, &error, false).await),
        }
    }
}

fn target(database: &Database) -> Result<PgTarget, Unavailable> {
    let tls = database.sslmode.parse().map_err(|reason: String| {
        Unavailable::by(
            "database.tls",
            Finding::error(format!("[database] in stack.toml: {reason}")),
        )
    })?;
    Ok(PgTarget {
        host: database.host.clone(),
        port: database.port,
        user: database.user.clone(),
        password: database.password.clone(),
        name: database.name.clone(),
        tls,
    })
}

struct Trouble {
    error: PgError,
    /// The same with encryption is let in.
    just_unencrypted: bool,
}

/// Connects as libpq does: `prefer` tries without TLS what fails with it. A refusal without TLS is
/// tried once more with it, just to know the reason.
async fn open(cx: &Cx, target: &PgTarget) -> Result<PgSession, Trouble> {
    let error = match cx.net().postgres(target).await {
        Ok(session) => return Ok(session),
        Err(error) => error,
    };
    let refused = error.code() == Some("28000");
    let with = |tls| PgTarget { tls, ..target.clone() };
    match target.tls {
        PgTls::Prefer if refused || matches!(error, PgError::Handshake(_)) => {
            if let Ok(session) = cx.net().postgres(&with(PgTls::Disable)).await {
                return Ok(session);
            }
        }
        PgTls::Disable if refused => {
            if let Ok(session) = cx.net().postgres(&with(PgTls::Require)).await {
                session.close().await;
                return Err(Trouble { error, just_unencrypted: true });
            }
        }
        _ => {}
    }
    Err(Trouble { error, just_unencrypted: false })
}

async fn learn(session: &PgSession) -> Result<Postgres, PgError> {
    let rows = session.rows(LOCALE).await?;
    let [version, encoding, collate, ctype] = texts(rows)
        .ok_or_else(|| PgError::Protocol("no row of the database's own settings".into()))?;
    let connections = match session.rows(CONNECTIONS).await {
        Ok(rows) => numbers(rows).ok_or_else(|| "the counts are not as expected".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Ok(Postgres {
        address: session.address,
        tls: session.tls.clone(),
        ready: session.ready,
        version,
        locale: Locale { encoding, collate, ctype },
        connections,
    })
}

/// The only row, if it has so many values.
fn texts<const N: usize>(rows: Vec<Vec<Option<String>>>) -> Option<[String; N]> {
    let [row] = <[_; 1]>::try_from(rows).ok()?;
    row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()
}

fn numbers(rows: Vec<Vec<Option<String>>>) -> Option<Connections> {
    let texts: [String; 7] = texts(rows)?;
    let mut numbers = [0; 7];
    for (number, text) in numbers.iter_mut().zip(&texts) {
        *number = text.parse().ok()?;
    }
    let [max, reserved, used, own, here, role_limit, database_limit] = numbers;
    Some(Connections { max, reserved, used, own, here, role_limit, database_limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_asked_for() {
        let row = |values: &[&str]| vec![values.iter().map(|v| Some((*v).to_owned())).collect()];
        let read = numbers(row(&["100", "3", "12", "10", "10", "-1", "-1"])).expect("numbers");
        assert_eq!((read.max, read.used, read.database_limit), (100, 12, -1));
        assert_eq!(numbers(row(&["100"])), None);
        assert_eq!(numbers(row(&["100", "3", "x", "10", "10", "-1", "-1"])), None);
        assert_eq!(numbers(Vec::new()), None);
        assert_eq!(numbers(vec![vec![None; 7]]), None);
    }
}
