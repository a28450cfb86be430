//! `database.auth`

use mxdoctor_model::Finding;

use crate::facts::DatabaseSession;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The configured role and password are accepted for the configured database.
    ///
    /// ## Why it matters
    /// Synapse does not start with a wrong password, and a password that was changed in one place
    /// shows only at the next restart.
    ///
    /// ## What makes it fail
    /// A wrong password, a role that does not exist or may not log in, no rule in `pg_hba.conf`, or
    /// a database that does not exist: told apart by the server's own code.
    ///
    /// ## How to fix it
    /// Role and database are `synapse`; the password is the key `password` of the Secret
    /// `matrix-db-app`, which CloudNativePG makes. Give Synapse that Secret, and restart it after
    /// the password was changed.
    ///
    /// ## Where it comes from
    /// PostgreSQL, "Error codes", classes 28 and 3D.
    "database.auth" at C: "the role, its password and the database are accepted"
    causes ["database-auth-failed", "database-missing"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let snapshot = cx.fact(DatabaseSession).await?;
    let user = cx.target().database.as_ref().map_or("", |database| &database.user);
    Ok(Finding::pass(format!("{user} is let in at {}", snapshot.address)).into())
}
