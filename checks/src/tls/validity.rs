//! `tls.validity`

use mxdoctor_model::{EvidenceKind, Finding, Outcome};
use mxdoctor_probes::tls::{Certificate, Session};

use crate::facts::{Clock, Endpoint, Offsets, Sessions, endpoints};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The certificate of every host is in its dates, and far enough from their end that renewal
    /// can be trusted to happen.
    ///
    /// ## Why it matters
    /// An expired certificate closes the stack for everybody at once. Renewal happens long before
    /// the end, so a certificate near its end says that renewal is broken already.
    ///
    /// ## What makes it fail
    /// - fail: the certificate, or one that vouches for it, is out of its dates; or the end is less
    ///   than 3 days away (a tenth of the life for certificates that live less than 30 days).
    /// - warn: the end is less than 21 days away (a third of the life for certificates that live
    ///   less than 63 days).
    /// - error: the verdict depends on whose clock is right, ours or that of most servers.
    ///
    /// ## How to fix it
    /// Look at the cert-manager `Certificate`, its `CertificateRequest` and `Challenge` objects for
    /// the reason why it is not renewed; for an edge certificate, at its validation records.
    ///
    /// ## Where it comes from
    /// RFC 5280, section 4.1.2.5; cert-manager renews after two thirds of the life.
    "tls.validity" at PI: "the certificate is in its dates"
    causes ["certificate-expired", "certificate-expiring", "certificate-not-yet-valid"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let endpoints = endpoints(cx).await?;
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint.clone();
        let handshakes = cx.fact(Sessions { host, port }).await?;
        let session = handshakes.session();
        if !session.verification.accepted() {
            super::unless_stale(cx, &endpoint, &handshakes).await?;
        }
        if let Some(finding) = super::chain::judge(&endpoint, session, cx.vantage()) {
            return Err(Unavailable::by("tls.chain", finding));
        }
        if let Some(finding) = super::name::judge(&endpoint, session) {
            return Err(Unavailable::by("tls.name", finding));
        }
        let offsets = cx.fact(Clock).await?;
        match judge(&endpoint, session, jiff::Timestamp::now().as_second(), &offsets) {
            Judged::Theirs(finding) => Ok(finding.into()),
            Judged::Ours(finding) => Err(Unavailable::by("vantage.clock", finding)),
        }
    };
    Ok(cx.each(endpoints, look).await)
}

/// A verdict on dates.
#[derive(Debug)]
pub(crate) enum Judged {
    /// Holds by whatever clock.
    Theirs(Finding),
    /// Depends on a clock that seems to be wrong: ours. What `vantage.clock` reports.
    Ours(Finding),
}

/// Judges the dates by our clock, and by that of most servers where it differs.
pub(crate) fn judge(endpoint: &Endpoint, session: &Session, now: i64, offsets: &Offsets) -> Judged {
    let finding = match at(endpoint, session, now) {
        finding if finding.outcome < Outcome::Fail && !session.verification.in_dates => {
            let host = &endpoint.host;
            let summary = format!("an authority that vouches for {host} is out of its dates");
            Finding::fail("certificate-expired", summary).on(endpoint.to_string())
        }
        finding => finding,
    };
    let Some(skew) = offsets.skew() else { return Judged::Theirs(finding) };
    let by_theirs = at(endpoint, session, now.saturating_add(skew as i64));
    match offsets.finding() {
        Some(clock) if (by_theirs.outcome, by_theirs.cause) != (finding.outcome, finding.cause) => {
            Judged::Ours(clock)
        }
        _ => Judged::Theirs(finding),
    }
}

const DAY: i64 = 86_400;

fn at(endpoint: &Endpoint, session: &Session, now: i64) -> Finding {
    let host = &endpoint.host;
    let Some(leaf) = session.chain.first() else {
        return Finding::error(format!("{host} sent no certificate to judge"));
    };
    let left = leaf.not_after.saturating_sub(now);
    let life = leaf.not_after.saturating_sub(leaf.not_before);
    let days = left.div_euclid(DAY);
    let finding = if now < leaf.not_before {
        let summary = format!(
            "{host} shows a certificate that is not valid before {}",
            date(leaf.not_before)
        );
        Finding::fail("certificate-not-yet-valid", summary)
    } else if left <= 0 {
        let summary = format!("the certificate of {host} expired on {}", date(leaf.not_after));
        Finding::fail("certificate-expired", summary)
    } else if let Some(above) = expired_above(session, now) {
        let summary = format!(
            "a certificate that vouches for {host} expired on {}: {}",
            date(above.not_after),
            above.subject
        );
        Finding::fail("certificate-expired", summary)
    } else if left < (3 * DAY).min(life / 10) {
        Finding::fail("certificate-expiring", expires(host, leaf, left))
    } else if left < (21 * DAY).min(life / 3) {
        Finding::warn("certificate-expiring", expires(host, leaf, left))
    } else {
        Finding::pass(format!("valid until {}, {days} days more", date(leaf.not_after)))
    };
    let finding = if finding.outcome == Outcome::Pass {
        finding
    } else {
        finding.expected("a certificate in its dates, renewed in time").actual(format!(
            "{} to {}",
            date(leaf.not_before),
            date(leaf.not_after)
        ))
    };
    let span = format!("{}: {} to {}", leaf.subject, date(leaf.not_before), date(leaf.not_after));
    finding
        .on(endpoint.to_string())
        .metric("certificate_left", left as f64 / DAY as f64, "days")
        .evidence(EvidenceKind::Certificate, span)
}

/// A certificate above the leaf that verification says is out of its dates. One that is sent
/// without need does not count.
fn expired_above(session: &Session, now: i64) -> Option<&Certificate> {
    if session.verification.in_dates {
        return None;
    }
    session.chain.iter().skip(1).find(|above| above.not_after < now || now < above.not_before)
}

fn expires(host: &str, leaf: &Certificate, left: i64) -> String {
    let (amount, unit) = if left < 2 * DAY { (left / 3600, "hours") } else { (left / DAY, "days") };
    format!("the certificate of {host} expires in {amount} {unit}, on {}", date(leaf.not_after))
}

fn date(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => format!("{seconds} s from the epoch"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::tests::session;

    fn verdict(life: i64, left: i64) -> (Outcome, Option<&'static str>) {
        let mut session = session("example.org", 90);
        let now = 1_800_000_000;
        session.chain[0].not_after = now + left;
        session.chain[0].not_before = now + left - life;
        let finding = at(&Endpoint::new("example.org", 443), &session, now);
        (finding.outcome, finding.cause)
    }

    #[test]
    fn thresholds_follow_the_life_of_the_certificate() {
        use Outcome::{Fail, Pass, Warn};
        for (life, left, outcome) in [
            (90 * DAY, 60 * DAY, Pass),
            (90 * DAY, 22 * DAY, Pass),
            (90 * DAY, 20 * DAY, Warn),
            (90 * DAY, 4 * DAY, Warn),
            (90 * DAY, 2 * DAY, Fail),
            (365 * DAY, 100 * DAY, Pass),
            (365 * DAY, 20 * DAY, Warn),
            (6 * DAY, 3 * DAY, Pass),
            (6 * DAY, DAY, Warn),
            (6 * DAY, DAY / 2, Fail),
        ] {
            assert_eq!(verdict(life, left).0, outcome, "{} of {} days", left / DAY, life / DAY);
        }
        assert_eq!(verdict(90 * DAY, -1), (Fail, Some("certificate-expired")));
        assert_eq!(verdict(90 * DAY, 91 * DAY), (Fail, Some("certificate-not-yet-valid")));
    }

    #[test]
    fn a_wrong_clock_of_ours_is_not_their_fault() {
        let endpoint = Endpoint::new("example.org", 443);
        let now = 1_800_000_000;
        let mut session = session("example.org", 90);
        session.chain[0].not_after = now - DAY;
        session.chain[0].not_before = now - 80 * DAY;
        let offsets = |by: i64| Offsets { hosts: vec![("example.org".into(), by as f64)] };
        // Our clock is 40 days ahead: by theirs all is well.
        assert!(matches!(judge(&endpoint, &session, now, &offsets(-40 * DAY)), Judged::Ours(_)));
        // It is expired by either clock.
        assert!(matches!(judge(&endpoint, &session, now, &offsets(600)), Judged::Theirs(_)));
        assert!(matches!(judge(&endpoint, &session, now, &offsets(0)), Judged::Theirs(_)));
        // Our clock is behind: what passes here may have expired.
        session.chain[0].not_after = now + 30 * DAY;
        assert!(matches!(judge(&endpoint, &session, now, &offsets(60 * DAY)), Judged::Ours(_)));
    }
}
