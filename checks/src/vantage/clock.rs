//! `vantage.clock`

use mxdoctor_model::Finding;

use crate::facts::{Clock, Offsets, TOLERANCE};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Our clock agrees within 60 s with the `Date` headers of most of the configured hosts.
    ///
    /// ## Why it matters
    /// Whether a certificate or a signing key is in its dates is judged by a clock. With a wrong
    /// one an expired certificate may look valid, and a valid one expired.
    ///
    /// ## What makes it fail
    /// It never fails, since the target is not at fault where most servers agree with one another
    /// and not with us. It is an error then, and a verdict on dates that depends on the difference
    /// is not given. A single server that differs is not our clock's trouble; where only one could
    /// be asked, one of the two clocks is wrong, and it cannot be told which.
    ///
    /// ## How to fix it
    /// Synchronise the clock of the machine that runs this tool (`timedatectl`, `chronyc
    /// tracking`); in a pod that is the node's.
    ///
    /// ## Where it comes from
    /// RFC 9110, section 6.6.1 (`Date`); RFC 9111, section 5.1 (`Age`).
    "vantage.clock" at PIC: "our clock agrees with the servers'"
    causes ["own-clock-wrong"]
    timeout 25
}

async fn run(cx: &Cx) -> Verdict {
    let offsets = cx.fact(Clock).await?;
    Ok(judge(&offsets).into())
}

fn judge(offsets: &Offsets) -> Finding {
    if offsets.hosts.is_empty() {
        return Finding::skip("no server told its time, so that our clock was compared with none");
    }
    if let Some(finding) = offsets.finding() {
        return finding;
    }
    let mut by: Vec<f64> = offsets.hosts.iter().map(|(_, offset)| *offset).collect();
    by.sort_by(f64::total_cmp);
    let middle = by[by.len() / 2];
    let off: Vec<&str> = offsets
        .hosts
        .iter()
        .filter(|(_, offset)| offset.abs() > TOLERANCE)
        .map(|(host, _)| host.as_str())
        .collect();
    let summary = match off.as_slice() {
        [] => format!("within {:.0} s of the servers' clocks", middle.abs().max(1.0)),
        off => format!("as most servers' clocks; that of {} differs", off.join(", ")),
    };
    offsets.shown(Finding::pass(summary)).metric("clock_offset", middle, "s")
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    #[test]
    fn one_server_that_differs_is_not_our_clock() {
        let offsets = |of: &[f64]| Offsets {
            hosts: of.iter().map(|offset| ("example.org".into(), *offset)).collect(),
        };
        assert_eq!(judge(&offsets(&[])).outcome, Outcome::Skip);
        assert_eq!(judge(&offsets(&[0.2, -0.7])).outcome, Outcome::Pass);
        let one_off = judge(&offsets(&[0.2, 0.1, 600.0]));
        assert_eq!(one_off.outcome, Outcome::Pass);
        assert!(one_off.summary.ends_with("differs"), "{}", one_off.summary);
        let ours = judge(&offsets(&[600.2, 600.1, 0.0]));
        assert_eq!((ours.outcome, ours.cause), (Outcome::Error, Some("own-clock-wrong")));
    }
}
