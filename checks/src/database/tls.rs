//! `database.tls`

use mxdoctor_model::{EvidenceKind, Finding};

use crate::facts::{DatabaseSession, Snapshot};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The session is encrypted as `database.sslmode` says: `disable`, `prefer`, `require` (whoever
    /// the server is), `verify-ca` or `verify-full` (with a certificate for the host).
    ///
    /// ## Why it matters
    /// Passwords and messages cross the cluster's network.
    ///
    /// ## What makes it fail
    /// - The server offers no TLS, and `sslmode` demands it; or the handshake fails.
    /// - The server demands TLS by its `pg_hba.conf`, and `sslmode` is `disable`.
    /// - The certificate is not of a trusted authority, or for another name, and `sslmode`
    ///   verifies.
    ///
    /// ## How to fix it
    /// Write the same `sslmode` as in the `args` of Synapse's `database` section. CloudNativePG
    /// offers TLS with a certificate of its own authority: give its `ca.crt` (Secret
    /// `matrix-db-ca`) as a CA file.
    ///
    /// ## Where it comes from
    /// PostgreSQL, "libpq: SSL support".
    "database.tls" at C: "encryption as configured"
    causes ["database-tls-refused", "database-tls-required", "database-certificate-refused"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let snapshot = cx.fact(DatabaseSession).await?;
    let mode = cx.target().database.as_ref().map_or("", |database| &database.sslmode);
    Ok(judge(&snapshot, mode).into())
}

/// Who came so far has what its mode demands: the session is made so.
fn judge(snapshot: &Snapshot, mode: &str) -> Finding {
    match &snapshot.tls {
        None => Finding::pass(format!("not encrypted, as sslmode={mode} permits")),
        Some(session) => {
            let names = session.chain.first().map(|leaf| leaf.names.join(", ")).unwrap_or_default();
            let text = format!("{} with {}, names: {names}", session.version, session.cipher);
            Finding::pass(format!("{} as sslmode={mode} says", session.version))
                .evidence(EvidenceKind::Connection, text)
        }
    }
}
