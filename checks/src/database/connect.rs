//! `database.connect`

use mxdoctor_model::Finding;

use super::absent;
use crate::facts::DatabaseSession;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// PostgreSQL answers at the address where the homeserver looks for its database.
    ///
    /// ## Why it matters
    /// Without its database Synapse goes on running, says that it is well, and answers whatever
    /// needs an account, a room or a key with errors.
    ///
    /// ## What makes it fail
    /// The host name has no address, the connection is refused or not answered, the server is
    /// starting up or shutting down, refuses every session, or is no PostgreSQL. What is refused
    /// for a password, a certificate or a limit is left to `database.auth`, `database.tls` and
    /// `database.connections`. It is an error where names of the cluster are not known here.
    ///
    /// ## How to fix it
    /// `kubectl -n app-matrix get cluster matrix-db` and `get endpoints matrix-db-rw`: the Service
    /// must be `matrix-db-rw.app-matrix.svc`, port 5432, with one endpoint. Where the connection is
    /// not answered at all, look for a NetworkPolicy.
    ///
    /// ## Where it comes from
    /// PostgreSQL documentation, "Frontend/Backend Protocol" and appendix A (57P03); CloudNativePG
    /// documentation, "Service management".
    "database.connect" at C: "the database can be reached"
    causes [
        "database-name-unknown",
        "database-down",
        "database-unreachable",
        "database-not-postgres",
        "database-refuses",
    ]
    timeout 65
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let Some(database) = &cx.target().database else { return Ok(absent().into()) };
    let place = format!("{}:{}", database.host, database.port);
    match cx.fact(DatabaseSession).await {
        Ok(session) => {
            let took = session.ready.as_secs_f64() * 1000.0;
            let pass = Finding::pass(format!("PostgreSQL answers at {place}"));
            Ok(pass.metric("session", took, "ms").into())
        }
        // It was PostgreSQL that said no.
        Err(by) if by.owner != CHECK.id && by.finding.cause.is_some() && ours(by.owner) => {
            Ok(Finding::pass(format!("PostgreSQL answers at {place}, and does not let us in"))
                .into())
        }
        Err(by) => Err(by),
    }
}

/// Whether a check of this family reports it.
fn ours(owner: &str) -> bool {
    owner.starts_with("database.")
}
