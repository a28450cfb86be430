//! How far our clock is from those of the servers.

use std::time::Duration;

use futures_util::future::join_all;
use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::{Request, Response};
use url::Url;

use super::addresses::host_of;
use crate::{Cx, Fact, Unavailable};

/// Clocks that differ by more than this, in seconds, are not taken for the same. Dates of HTTP have
/// whole seconds, and answers take their time.
pub const TOLERANCE: f64 = 60.0;

/// How long a server has to tell its time: verdicts on dates wait for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The servers' clocks by their `Date` headers (RFC 9110, section 6.6.1). Certificates are not
/// verified for it, since that needs a clock.
///
/// Only configured hosts are asked: discovering others may need the clock.
#[derive(Debug, Clone)]
pub struct Clock;

/// Seconds by which each server is ahead of us.
#[derive(Debug, Clone, Default)]
pub struct Offsets {
    /// By host.
    pub hosts: Vec<(String, f64)>,
}

impl Offsets {
    /// Seconds by which our clock is behind, if most servers differ from it by more than
    /// [`TOLERANCE`] and in the same direction; else none.
    pub fn skew(&self) -> Option<f64> {
        let off = |ahead: bool| {
            let mut off: Vec<f64> = self
                .hosts
                .iter()
                .map(|(_, offset)| *offset)
                .filter(|offset| offset.abs() > TOLERANCE && (*offset > 0.0) == ahead)
                .collect();
            off.sort_by(f64::total_cmp);
            (off.len() * 2 > self.hosts.len()).then(|| off[off.len() / 2])
        };
        off(true).or_else(|| off(false))
    }

    /// What `vantage.clock` reports when the clocks disagree.
    pub fn finding(&self) -> Option<Finding> {
        let skew = self.skew()?;
        let direction = if skew > 0.0 { "behind" } else { "ahead of" };
        let seconds = skew.abs().round();
        let summary = if self.hosts.len() == 1 {
            format!("our clock is {seconds} s {direction} that of the only server asked")
        } else {
            format!("our clock is {seconds} s {direction} those of most servers")
        };
        let finding = Finding::error_of("own-clock-wrong", summary)
            .expected(format!("at most {TOLERANCE} s apart"))
            .actual(format!("{seconds} s apart"));
        Some(self.shown(finding))
    }

    /// Adds what each server said.
    pub fn shown(&self, finding: Finding) -> Finding {
        self.hosts.iter().fold(finding, |finding, (host, offset)| {
            let text = format!("Date of {host}: {offset:+.0} s from our clock");
            finding.evidence(EvidenceKind::Request, text)
        })
    }
}

impl Fact for Clock {
    type Value = Offsets;
    const OWNER: &'static str = "vantage.clock";

    async fn observe(&self, cx: &Cx) -> Result<Offsets, Unavailable> {
        let looks = bases(cx).into_iter().map(|base| async move {
            let host = base.host_str().unwrap_or_default().to_owned();
            let mut request = Request::get(base);
            request.accept_any_certificate = true;
            let answer = tokio::time::timeout(PATIENCE, cx.net().http(request)).await;
            let exchange = answer.ok()?.ok()?;
            let now = jiff::Timestamp::now().as_millisecond();
            Some((host, offset(exchange.last(), now)?))
        });
        Ok(Offsets { hosts: join_all(looks).await.into_iter().flatten().collect() })
    }
}

/// Roots of the configured hosts, each once.
fn bases(cx: &Cx) -> Vec<Url> {
    let target = cx.target();
    let host = host_of(&target.server_name);
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let server_name = Url::parse(&format!("https://{host}/")).ok();
    let mut bases: Vec<Url> = Vec::new();
    let configured = [&server_name, &target.homeserver, &target.element, &target.jitsi];
    for base in configured.into_iter().flatten() {
        if let Ok(root) = base.join("/")
            && !bases.contains(&root)
        {
            bases.push(root);
        }
    }
    bases
}

/// Seconds by which the server that answered is ahead of `now` (Unix milliseconds).
fn offset(response: &Response, now: i64) -> Option<f64> {
    let date = jiff::fmt::rfc2822::parse(response.header("date")?).ok()?;
    // An answer from a cache bears the date of its making (RFC 9111, section 5.1).
    let age: i64 = response.header("age").and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    let theirs = date.timestamp().as_second().saturating_add(age.clamp(0, 31_536_000));
    // The header cuts the second short: on average by half of it.
    Some(theirs as f64 + 0.5 - now as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(of: &[f64]) -> Offsets {
        Offsets { hosts: of.iter().map(|offset| ("example.org".into(), *offset)).collect() }
    }

    #[test]
    fn most_servers_decide() {
        assert_eq!(offsets(&[]).skew(), None);
        assert_eq!(offsets(&[0.4, -0.3, 600.0]).skew(), None);
        assert_eq!(offsets(&[600.0, 0.0]).skew(), None);
        assert_eq!(offsets(&[600.0, 601.0, 0.0]).skew(), Some(601.0));
        assert_eq!(offsets(&[-3600.0, -3600.0, -3599.0]).skew(), Some(-3600.0));
        assert_eq!(offsets(&[900.0, -900.0, 0.0]).skew(), None);
    }
}
