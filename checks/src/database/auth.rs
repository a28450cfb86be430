//! `database.auth`

use mxdoctor_model::Finding;

use super::absent;
use crate::facts::DatabaseSession;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The configured role is let into the configured database with the configured password.
    ///
    /// ## Why it matters
    /// A password that was rotated on one side only is noticed when the homeserver opens its next
    /// connection, which may be days later.
    ///
    /// ## What makes it fail
    /// A wrong password (28P01), a role that does not exist or may not log in from here (28000),
    /// one that may not use the database (42501), or a database that does not exist (3D000).
    ///
    /// ## How to fix it
    /// The password is key `password` of the Secret `matrix-db-app`, which CloudNativePG keeps; the
    /// homeserver's configuration must have the same. Restart Synapse after a change.
    ///
    /// ## Where it comes from
    /// PostgreSQL documentation, "Client Authentication" and appendix A; CloudNativePG
    /// documentation, "Connecting from an application".
    "database.auth" at C: "the database accepts the credentials"
    causes ["database-auth-failed", "database-missing"]
    timeout 65
}

async fn run(cx: &Cx) -> Verdict {
    let Some(database) = &cx.target().database else { return Ok(absent().into()) };
    cx.fact(DatabaseSession).await?;
    Ok(Finding::pass(format!("{} is let into {}", database.user, database.name)).into())
}
