//! `database.connect`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::postgres::PgError;

use crate::facts::{DatabaseAnswer, Snapshot, database_refusal};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// PostgreSQL answers at the configured host and port. Whether it lets us in is for
    /// `database.auth`, `database.tls` and `database.connections` to say.
    ///
    /// ## Why it matters
    /// Without its database Synapse serves nothing, while its `/health` still says OK.
    ///
    /// ## What makes it fail
    /// The name does not resolve, the port refuses or does not answer, something else than
    /// PostgreSQL answers, or the server is starting up or shutting down.
    ///
    /// Skipped where no `[database]` is configured.
    ///
    /// ## How to fix it
    /// `kubectl -n app-matrix get cluster matrix-db` and the pods of that cluster; the host is the
    /// Service for writing, `matrix-db-rw.app-matrix.svc`.
    ///
    /// ## Where it comes from
    /// PostgreSQL, "Error codes", class 57; Synapse, "Using Postgres".
    "database.connect" at C: "PostgreSQL answers"
    causes [
        "database-down",
        "database-unreachable",
        "database-name-unknown",
        "database-not-postgresql",
    ]
    timeout 30
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let answer = cx.fact(DatabaseAnswer).await?;
    let database = cx.target().database.as_ref();
    let place = database.map_or_else(String::new, |d| format!("{}:{}", d.host, d.port));
    match judge(&answer, &place) {
        Ok(finding) => Ok(finding.into()),
        Err(finding) => Err(Unavailable::by("database.connect", finding)),
    }
}

fn judge(answer: &Result<Snapshot, PgError>, place: &str) -> Result<Finding, Finding> {
    let finding = match answer {
        Ok(snapshot) => Finding::pass(format!("PostgreSQL answers at {}", snapshot.address))
            .metric("database_ready", snapshot.ready_ms, "ms"),
        Err(error) => match database_refusal(error, place) {
            ("database.connect", finding) => return Err(finding),
            _ => Finding::pass(format!("PostgreSQL answers at {place}, and refuses the session"))
                .evidence(EvidenceKind::Database, error.to_string()),
        },
    };
    Ok(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_refuses_is_there() {
        let refused = |code: &str| {
            Err(PgError::Server {
                code: code.into(),
                severity: "FATAL".into(),
                message: String::new(),
            })
        };
        assert!(judge(&refused("28P01"), "db:5432").is_ok());
        assert!(judge(&refused("53300"), "db:5432").is_ok());
        assert!(judge(&refused("57P03"), "db:5432").is_err());
        let closed = Err(PgError::Closed { address: ([192, 0, 2, 1], 5432).into() });
        assert_eq!(judge(&closed, "db:5432").expect_err("down").cause, Some("database-down"));
    }
}
