//! `database.tls`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::tls::Session;

use super::absent;
use crate::facts::DatabaseSession;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The session with the database is encrypted as `database.sslmode` demands: with `require` it
    /// is, with `verify-full` by a certificate of a trusted authority for the database's host.
    ///
    /// ## Why it matters
    /// A client that demands TLS does not connect without; and one that does not verify shows
    /// messages and password hashes to whoever answers in the database's place.
    ///
    /// ## What makes it fail
    /// The server does not encrypt though it must, lets nobody in without TLS though sslmode is
    /// `disable`, ends the handshake, or shows a certificate that `verify-full` does not accept.
    /// With `disable` and `prefer` an unencrypted session is what was asked for, and passes.
    ///
    /// ## How to fix it
    /// CloudNativePG encrypts by itself, with an authority of its own: `ca.crt` of the Secret
    /// `matrix-db-ca` must be among `ca_files`, and the host one of the Service's names.
    ///
    /// ## Where it comes from
    /// PostgreSQL documentation, libpq, "SSL Support", table of `sslmode`; CloudNativePG
    /// documentation, "Certificates".
    "database.tls" at C: "the database's connections are encrypted as configured"
    causes [
        "database-tls-off",
        "database-tls-required",
        "database-tls-broken",
        "database-certificate-wrong",
    ]
    timeout 65
}

async fn run(cx: &Cx) -> Verdict {
    let Some(database) = &cx.target().database else { return Ok(absent().into()) };
    let session = cx.fact(DatabaseSession).await?;
    Ok(judge(&database.sslmode, session.tls.as_deref()).into())
}

fn judge(mode: &str, tls: Option<&Session>) -> Finding {
    let Some(session) = tls else {
        return Finding::pass(match mode {
            "disable" => "not encrypted, as sslmode disable says".to_owned(),
            _ => format!("not encrypted: sslmode {mode} accepts that"),
        });
    };
    let Session { version, cipher, chain, .. } = session;
    let verified = match mode {
        "verify-full" => "the certificate is accepted",
        "verify-ca" => "the certificate's authority is accepted",
        _ => "sslmode does not ask for the certificate to be verified",
    };
    let finding = Finding::pass(format!("encrypted with {version}; {verified}"));
    let finding = finding.evidence(EvidenceKind::Connection, format!("{version}, {cipher}"));
    match chain.first() {
        Some(leaf) => {
            let text = format!("{}, issued by {}", leaf.subject, leaf.issuer);
            finding.evidence(EvidenceKind::Certificate, text)
        }
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_verified_is_said() {
        let session = crate::tls::tests::session("db.example.org", 90);
        let summary = |mode, tls| judge(mode, tls).summary;
        assert!(summary("disable", None).starts_with("not encrypted"));
        assert!(summary("prefer", None).starts_with("not encrypted"));
        assert!(summary("verify-full", Some(&session)).ends_with("certificate is accepted"));
        assert!(summary("require", Some(&session)).contains("does not ask"));
    }
}
