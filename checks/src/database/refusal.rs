//! Why there is no session with the database, and which check is to say so.

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::dns::{Answer, Kind};
use mxdoctor_probes::postgres::{PgError, PgTarget, PgTls};
use mxdoctor_probes::tls::{ConnectError, Session, Trust};

use crate::facts::{Clock, Endpoint};
use crate::tls::validity;
use crate::{Cx, Unavailable};

/// What every check of the family says where there is nothing to look at.
pub(crate) fn absent() -> Finding {
    Finding::skip("no database is configured: set [database] in stack.toml")
}

/// The check that reports it, with what it says. `just_unencrypted`: the same is let in with TLS.
pub(crate) async fn blame(
    cx: &Cx,
    target: &PgTarget,
    error: &PgError,
    just_unencrypted: bool,
) -> Unavailable {
    if let PgError::Resolve { .. } = error
        && is_service(&target.host)
        && !in_cluster(cx).await
    {
        return Unavailable::by("database.connect", outside(target));
    }
    if let PgError::Certificate(session) = error
        && let Some(ours) = our_clock(cx, target, session).await
    {
        return ours;
    }
    let (owner, finding) = judge(target, error, just_unencrypted);
    Unavailable::by(owner, finding.evidence(EvidenceKind::Database, format!("{target:?}: {error}")))
}

/// Whether it is the name of a Kubernetes Service, which exists in its cluster only.
fn is_service(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.ends_with(".svc") || host.contains(".svc.")
}

/// Whether names of Services are known here: every cluster has this one.
async fn in_cluster(cx: &Cx) -> bool {
    let lookup = cx.net().lookup("kubernetes.default.svc", Kind::A).await;
    matches!(lookup.answer, Answer::Records(_) | Answer::NoData)
}

fn outside(target: &PgTarget) -> Finding {
    Finding::error(format!(
        "{} is the name of a Kubernetes Service, and no such name is known here",
        target.host
    ))
    .remedy("run this in the cluster, or name an address at which the database can be reached")
}

/// What `vantage.clock` says where just our own clock puts a certificate out of its dates.
async fn our_clock(cx: &Cx, target: &PgTarget, session: &Session) -> Option<Unavailable> {
    if session.verification.in_dates {
        return None;
    }
    let offsets = cx.fact(Clock).await.ok()?;
    let endpoint = Endpoint::new(target.host.clone(), target.port);
    let now = jiff::Timestamp::now().as_second();
    match validity::judge(&endpoint, session, now, &offsets) {
        validity::Judged::Ours(finding) => Some(Unavailable::by("vantage.clock", finding)),
        validity::Judged::Theirs(_) => None,
    }
}

fn judge(target: &PgTarget, error: &PgError, just_unencrypted: bool) -> (&'static str, Finding) {
    let PgTarget { host, port, .. } = target;
    let finding = match error {
        PgError::Resolve { reason, .. } => Finding::fail(
            "database-name-unknown",
            format!("the database's host {host} has no address: {reason}"),
        )
        .expected("an address"),
        PgError::Connect { error, .. } => unconnected(target, error),
        PgError::TimedOut { limit, .. } => down(
            target,
            &format!("accepts the connection and does not answer within {} s", limit.as_secs()),
        ),
        PgError::Closed { .. } => down(target, "closes the connection without an answer"),
        PgError::TlsRefused | PgError::Handshake(_) | PgError::Certificate(_) => {
            return ("database.tls", encryption(target, error));
        }
        PgError::Server { code, message, .. } => {
            return server(target, code, message, just_unencrypted);
        }
        PgError::Protocol(reason) if reason.starts_with("authentication error") => {
            let summary = format!("{host}:{port} asks for a login that cannot be done: {reason}");
            return ("database.auth", Finding::error(summary));
        }
        PgError::Protocol(_) => Finding::fail(
            "database-not-postgres",
            format!("what answers at {host}:{port} is not PostgreSQL"),
        )
        .expected("PostgreSQL's protocol")
        .actual(error.to_string()),
        PgError::Ours(reason) => Finding::error(reason.clone()).transient(),
    };
    ("database.connect", finding)
}

fn down(target: &PgTarget, what: &str) -> Finding {
    let summary = format!("the database at {}:{} {what}", target.host, target.port);
    Finding::fail("database-down", summary).expected("PostgreSQL answers").actual(what).transient()
}

fn unconnected(target: &PgTarget, error: &ConnectError) -> Finding {
    let PgTarget { host, port, .. } = target;
    match error {
        ConnectError::Refused => down(target, "refuses connections"),
        // Our own machine has no route; routers on the way speak of hosts.
        ConnectError::Unreachable(reason) if reason.contains("Network is unreachable") => {
            Finding::error(format!("this machine has no way to {host}:{port}: {reason}"))
        }
        ConnectError::Ours(reason) => Finding::error(reason.clone()).transient(),
        ConnectError::TimedOut(_) | ConnectError::Unreachable(_) => Finding::fail(
            "database-unreachable",
            format!("the database at {host}:{port} cannot be reached: {error}"),
        )
        .expected("a TCP connection")
        .actual(error.to_string())
        .transient(),
    }
}

/// By SQLSTATE (PostgreSQL documentation, appendix A).
fn server(
    target: &PgTarget,
    code: &str,
    message: &str,
    just_unencrypted: bool,
) -> (&'static str, Finding) {
    let PgTarget { host, user, name, .. } = target;
    let said = format!("{code}: {message}");
    let failed = |what: String| Finding::fail("database-auth-failed", what);
    let (owner, finding) = match code {
        "28000" if just_unencrypted => {
            let summary = format!("{host} lets {user} in with TLS only, and sslmode is disable");
            ("database.tls", Finding::fail("database-tls-required", summary))
        }
        "28P01" => {
            let summary = format!("the database does not accept the password of {user}");
            ("database.auth", failed(summary).expected("the password is accepted"))
        }
        "28000" | "42501" => {
            let summary = format!("the database does not let {user} into {name}");
            ("database.auth", failed(summary).expected("the role may log in"))
        }
        "3D000" => {
            let summary = format!("the server has no database {name}");
            ("database.auth", Finding::fail("database-missing", summary))
        }
        "53300" => {
            let summary = "every connection that the database gives is in use".to_owned();
            let finding = Finding::fail("database-connections-exhausted", summary);
            ("database.connections", finding.expected("room for the homeserver's pool").transient())
        }
        _ if code.starts_with("57P") => {
            ("database.connect", down(target, "is starting up, shutting down or recovering"))
        }
        _ => {
            let summary =
                format!("the database at {host} refuses sessions with an error of its own");
            ("database.connect", Finding::fail("database-refuses", summary).transient())
        }
    };
    (owner, finding.actual(said))
}

fn encryption(target: &PgTarget, error: &PgError) -> Finding {
    let (host, mode) = (&target.host, mode(target.tls));
    match error {
        PgError::Certificate(session) => {
            let summary =
                format!("sslmode is {mode}, and the certificate of {host} is not acceptable");
            let finding = Finding::fail("database-certificate-wrong", summary)
                .expected(format!("a certificate of a trusted authority, for {host}"))
                .actual(unacceptable(target, session));
            session.chain.iter().fold(finding, |finding, one| {
                let text = format!("{}, issued by {}", one.subject, one.issuer);
                finding.evidence(EvidenceKind::Certificate, text)
            })
        }
        PgError::TlsRefused => {
            let summary = format!("sslmode is {mode}, and the database at {host} does not encrypt");
            Finding::fail("database-tls-off", summary).expected("TLS").actual("no TLS")
        }
        other => {
            let summary = format!("no encrypted session with {host} comes about");
            Finding::fail("database-tls-broken", summary).actual(other.to_string()).transient()
        }
    }
}

/// What is wrong with the certificate, all of it.
fn unacceptable(target: &PgTarget, session: &Session) -> String {
    let seen = &session.verification;
    let trust = match &seen.trust {
        Trust::Trusted => None,
        Trust::IssuerNotSent { issuer, .. } => {
            Some(format!("its issuer {issuer} is neither sent nor trusted"))
        }
        Trust::UntrustedRoot(root) => Some(format!("the authority {root} is not trusted")),
        Trust::SelfSigned => Some("signed by itself".to_owned()),
        Trust::Invalid(reason) => Some(reason.clone()),
    };
    let names = session.chain.first().map(|leaf| leaf.names.join(", ")).unwrap_or_default();
    let name = (!seen.name_matches && target.tls == PgTls::VerifyFull)
        .then(|| format!("not for {} but for: {names}", target.host));
    let dates = (!seen.in_dates).then(|| "out of its dates".to_owned());
    trust.into_iter().chain(name).chain(dates).collect::<Vec<_>>().join("; ")
}

/// The word of stack.toml.
fn mode(tls: PgTls) -> &'static str {
    match tls {
        PgTls::Disable => "disable",
        PgTls::Prefer => "prefer",
        PgTls::Require => "require",
        PgTls::VerifyCa => "verify-ca",
        PgTls::VerifyFull => "verify-full",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mxdoctor_model::Outcome;

    use super::*;

    fn judged(error: &PgError, just_unencrypted: bool) -> (&'static str, Option<&'static str>) {
        let target = PgTarget {
            host: "matrix-db-rw.app-matrix.svc".into(),
            port: 5432,
            user: "synapse".into(),
            password: "hunter2".into(),
            name: "synapse".into(),
            tls: PgTls::VerifyFull,
        };
        let (owner, finding) = judge(&target, error, just_unencrypted);
        assert!(!format!("{finding:?}").contains("hunter2"));
        assert_eq!(finding.outcome == Outcome::Fail, finding.cause.is_some());
        assert!(finding.cause.is_none_or(|cause| crate::cause(cause).is_some()), "{finding:?}");
        (owner, finding.cause)
    }

    fn server(code: &str) -> PgError {
        PgError::Server { code: code.into(), severity: "FATAL".into(), message: "no".into() }
    }

    #[test]
    fn each_refusal_has_its_owner() {
        let unencrypted = judged(&server("28000"), true);
        assert_eq!(unencrypted, ("database.tls", Some("database-tls-required")));
        for (code, owner, cause) in [
            ("28P01", "database.auth", "database-auth-failed"),
            ("28000", "database.auth", "database-auth-failed"),
            ("42501", "database.auth", "database-auth-failed"),
            ("3D000", "database.auth", "database-missing"),
            ("53300", "database.connections", "database-connections-exhausted"),
            ("57P03", "database.connect", "database-down"),
            ("XX000", "database.connect", "database-refuses"),
        ] {
            assert_eq!(judged(&server(code), false), (owner, Some(cause)), "{code}");
        }
    }

    #[test]
    fn each_silence_has_its_cause() {
        let address = ([127, 0, 0, 1], 5432).into();
        let connect = |error| judged(&PgError::Connect { address, error }, false).1;
        let limit = Duration::from_secs(5);
        assert_eq!(connect(ConnectError::Refused), Some("database-down"));
        assert_eq!(connect(ConnectError::TimedOut(limit)), Some("database-unreachable"));
        assert_eq!(connect(ConnectError::Ours("no descriptors".into())), None);
        let unreachable = |text: &str| connect(ConnectError::Unreachable(text.into()));
        assert_eq!(unreachable("No route to host (os error 113)"), Some("database-unreachable"));
        assert_eq!(unreachable("Network is unreachable (os error 101)"), None);
        let cause = |error| judged(&error, false).1;
        assert_eq!(cause(PgError::TimedOut { address, limit }), Some("database-down"));
        assert_eq!(cause(PgError::Closed { address }), Some("database-down"));
        assert_eq!(cause(PgError::Protocol("x".into())), Some("database-not-postgres"));
        assert_eq!(cause(PgError::Protocol("authentication error: x".into())), None);
        assert_eq!(cause(PgError::TlsRefused), Some("database-tls-off"));
        let resolve = PgError::Resolve { name: "x".into(), reason: "NXDOMAIN".into() };
        assert_eq!(cause(resolve), Some("database-name-unknown"));
    }

    #[test]
    fn all_that_is_wrong_with_a_certificate_is_said() {
        let mut session = crate::tls::tests::session("other.example.org", 90);
        session.verification.name_matches = false;
        session.verification.trust = Trust::SelfSigned;
        let error = PgError::Certificate(session.into());
        assert_eq!(judged(&error, false), ("database.tls", Some("database-certificate-wrong")));
    }

    #[test]
    fn names_of_services_are_known() {
        assert!(is_service("matrix-db-rw.app-matrix.svc"));
        assert!(is_service("matrix-db-rw.app-matrix.svc.cluster.local."));
        assert!(!is_service("db.example.org"));
    }
}
