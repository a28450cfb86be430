//! `federation.clock`

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use crate::facts::{Clock, Offsets, Software, federation_places, send_place};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// ## What it asserts
    /// The clock of the homeserver is within 10 s of ours, by the `Date` of its answers and by the
    /// time until which its signing key is valid.
    ///
    /// ## Why it matters
    /// Events bear the homeserver's time, and keys are valid by it. A clock that is ahead makes
    /// messages appear to come from the future; one that is behind makes keys look expired.
    ///
    /// ## What makes it fail
    /// More than a minute. Between 10 s and a minute it warns. Where something in front replaces
    /// `Date`, only the key can tell: it warns where the key is valid for longer than Synapse makes
    /// it by default, which a longer `key_refresh_interval` explains as well. Where most other
    /// servers side with the homeserver against our clock, that is our own trouble.
    ///
    /// ## How to fix it
    /// Synchronise the clock of the node that runs the homeserver (`timedatectl`, `chronyc
    /// tracking`).
    ///
    /// ## Where it comes from
    /// RFC 9110, section 6.6.1 (`Date`); Matrix server-server API, "Publishing keys"; Synapse's
    /// manual, `key_refresh_interval`.
    "federation.clock" at P: "the homeserver's clock is right"
    causes ["clock-skew", "own-clock-wrong"]
    timeout 60
    attempts 2
}

/// Seconds that are nobody's business.
const FINE: f64 = 10.0;
/// Seconds that do harm.
const HARM: f64 = 60.0;
/// How long a key of Synapse is valid when it is made, in seconds.
const FRESH: f64 = 86_400.0;

/// What one answer says of the time.
struct Told {
    /// Seconds by which its clock is ahead of ours, at least and at most.
    ahead: Option<(f64, f64)>,
    /// `Server`, where something else than the homeserver answers.
    by: Option<String>,
    /// Seconds by which the key's time is longer than Synapse makes it.
    longer: Option<f64>,
}

async fn run(cx: &Cx) -> Verdict {
    let document = super::keys::sound(cx).await?;
    let places = federation_places(cx).await?;
    let Some(place) = places.first() else {
        return Ok(Finding::error("there is no address that could be asked").into());
    };
    let synapse = cx.fact(Software).await.is_ok_and(|software| software.is_synapse());
    let accept = http::HeaderValue::from_static("application/json");
    let ask = place.ask(http::Method::GET, "/_matrix/key/v2/server");
    let before = seconds();
    let exchange = send_place(cx, place, ask.header(http::header::ACCEPT, accept)).await?;
    let after = seconds();
    let response = exchange.last();
    let valid = document.valid_until.map(|until| until as f64 / 1000.0 - after);
    let told = Told {
        ahead: ahead(response, before, after),
        by: response.header("server").filter(|by| !by.starts_with("Synapse")).map(str::to_owned),
        longer: valid.filter(|_| synapse).map(|valid| valid - FRESH),
    };
    let offsets = cx.fact(Clock).await?;
    let finding = judge(&told, &offsets)?;
    let date = response.header("date").unwrap_or("none");
    let finding = finding.evidence(EvidenceKind::Request, response.line());
    let finding = finding.evidence(EvidenceKind::Note, format!("Date: {date}"));
    Ok(match valid {
        Some(valid) => {
            let text = format!("the signing key is valid for {:.1} h more", valid / 3600.0);
            finding.evidence(EvidenceKind::Note, text)
        }
        None => finding,
    }
    .into())
}

fn seconds() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1000.0
}

/// Seconds by which the server that answered between two moments of ours is ahead. `Date` cuts the
/// second short, and an answer from a cache bears the time of its making.
fn ahead(response: &Response, before: f64, after: f64) -> Option<(f64, f64)> {
    let date = jiff::fmt::rfc2822::parse(response.header("date")?).ok()?;
    let age: i64 = response.header("age").and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    let theirs = date.timestamp().as_second().saturating_add(age.clamp(0, 31_536_000)) as f64;
    Some((theirs - after, theirs + 1.0 - before))
}

fn judge(told: &Told, offsets: &Offsets) -> Result<Finding, Unavailable> {
    let whose = match &told.by {
        Some(by) => format!("the clock of what answers for the homeserver ({by})"),
        None => "the homeserver's clock".to_owned(),
    };
    let off = told.ahead.map(|(least, most)| match (least > 0.0, most < 0.0) {
        (true, _) => least,
        (_, true) => most,
        _ => 0.0,
    });
    let Some(off) = off else {
        let reason = "answers have no Date, and nothing else tells the homeserver's time";
        return Ok(by_key(told).unwrap_or_else(|| Finding::skip(reason)));
    };
    if off.abs() <= FINE {
        let pass = Finding::pass(format!("{whose} is within {:.0} s of ours", off.abs().max(1.0)));
        let doubtful = told.by.is_some().then(|| by_key(told)).flatten();
        return Ok(doubtful.unwrap_or(pass).metric("clock_skew", off, "s"));
    }
    if let Some(finding) = offsets.finding() {
        return Err(Unavailable::by("vantage.clock", finding));
    }
    let with = offsets.hosts.iter().filter(|(_, other)| (other - off).abs() <= 5.0).count();
    if offsets.hosts.len() > 1 && with == offsets.hosts.len() {
        let summary = format!("all servers differ from our clock by {:.0} s", off.abs());
        return Ok(Finding::error_of("own-clock-wrong", summary));
    }
    let direction = if off > 0.0 { "ahead of" } else { "behind" };
    let summary = format!("{whose} is {:.0} s {direction} ours", off.abs());
    let finding = match off.abs() > HARM {
        true => Finding::fail("clock-skew", summary),
        false => Finding::warn("clock-skew", summary),
    };
    Ok(finding.expected(format!("at most {FINE} s apart")).metric("clock_skew", off, "s"))
}

/// What the key alone tells, where nothing else does.
fn by_key(told: &Told) -> Option<Finding> {
    let longer = told.longer.filter(|longer| *longer > HARM)?;
    let summary = format!(
        "the signing key is valid for {:.0} minutes longer than Synapse makes it: either its clock \
         is ahead by as much, or `key_refresh_interval` is longer than a day",
        longer / 60.0
    );
    Some(Finding::warn("clock-skew", summary).expected("at most 24 h").likely())
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn told(off: f64, by: Option<&str>, longer: f64) -> Told {
        let ahead = Some((off - 0.5, off + 0.5));
        Told { ahead, by: by.map(str::to_owned), longer: Some(longer) }
    }

    fn offsets(of: &[f64]) -> Offsets {
        Offsets { hosts: of.iter().map(|offset| ("example.org".into(), *offset)).collect() }
    }

    fn seen(told: &Told, of: &[f64]) -> (Outcome, Option<&'static str>) {
        match judge(told, &offsets(of)) {
            Ok(finding) => (finding.outcome, finding.cause),
            Err(by) => (Outcome::Skip, by.finding.cause),
        }
    }

    #[test]
    fn the_date_is_judged() {
        let skew = Some("clock-skew");
        assert_eq!(seen(&told(0.3, None, -60.0), &[0.0]), (Outcome::Pass, None));
        assert_eq!(seen(&told(9.0, None, -60.0), &[0.0]), (Outcome::Pass, None));
        assert_eq!(seen(&told(20.0, None, -60.0), &[0.0]), (Outcome::Warn, skew));
        assert_eq!(seen(&told(-600.0, None, -60.0), &[0.0, 0.0]), (Outcome::Fail, skew));
        assert_eq!(seen(&told(600.0, None, 540.0), &[0.0, 0.0, 600.0]), (Outcome::Fail, skew));
    }

    #[test]
    fn our_own_clock_is_not_theirs() {
        let own = Some("own-clock-wrong");
        assert_eq!(seen(&told(600.0, None, 0.0), &[600.0, 600.2]), (Outcome::Skip, own));
        assert_eq!(seen(&told(30.0, None, 0.0), &[30.0, 30.2]), (Outcome::Error, own));
    }

    #[test]
    fn the_key_tells_where_the_date_is_anothers() {
        let skew = Some("clock-skew");
        assert_eq!(seen(&told(0.0, Some("nginx"), 600.0), &[0.0]), (Outcome::Warn, skew));
        assert_eq!(seen(&told(0.0, Some("nginx"), -600.0), &[0.0]), (Outcome::Pass, None));
        assert_eq!(seen(&told(0.0, None, 600.0), &[0.0]), (Outcome::Pass, None));
        let mute = |longer| Told { ahead: None, by: None, longer };
        assert_eq!(seen(&mute(Some(600.0)), &[]), (Outcome::Warn, skew));
        assert_eq!(seen(&mute(None), &[]), (Outcome::Skip, None));
    }

    #[test]
    fn a_date_is_a_second_wide_and_may_come_from_a_cache() {
        let date = ("date", "Thu, 01 Jan 1970 00:16:40 GMT");
        let of = |headers: &[(&'static str, &str)]| ahead(&answer(200, headers, ""), 999.0, 1001.5);
        assert_eq!(of(&[date]), Some((-1.5, 2.0)));
        assert_eq!(of(&[date, ("age", "30")]), Some((28.5, 32.0)));
        assert_eq!(of(&[("date", "yesterday")]), None);
    }
}
