//! Many healthy runs in a row, each of which must pass.

use std::error::Error;
use std::time::{Duration, Instant};

use mxdoctor_model::{Outcome, Report};

use crate::Bench;
use crate::link::Weather;
use crate::place::Place;
use crate::process::run;

/// A link that people still call from: 1 % of the packets lost, up to 100 ms of delay more or less,
/// each way.
const FOUL: Weather =
    Weather { one_way: Duration::ZERO, jitter: Duration::from_millis(100), loss: 0.01 };

/// So many runs over a good link, and as many over a bad one.
///
/// # Errors
/// A run that is not a pass in everything.
pub(crate) fn soak(bench: &Bench, runs: usize) -> Result<(), Box<dyn Error>> {
    let good = series(bench, Weather::calm(Duration::ZERO), "a good link", runs)?;
    let foul = series(bench, FOUL, "1 % loss, 100 ms jitter", runs)?;
    match good + foul {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} healthy runs did not pass", runs * 2).into()),
    }
}

/// How many runs did not pass.
fn series(
    bench: &Bench,
    weather: Weather,
    name: &str,
    runs: usize,
) -> Result<usize, Box<dyn Error>> {
    let place = Place::new(bench, weather)?;
    let started = Instant::now();
    let mut failed = 0;
    for number in 1..=runs {
        let mut check = place.check_configured();
        let took = run(check.args(["--only", "jitsi.*"]))?;
        let report: Report = serde_json::from_slice(&took.output.stdout)?;
        let complaints = complaints(&report);
        if !complaints.is_empty() {
            failed += 1;
            println!("run {number} over {name}:");
            complaints.iter().for_each(|line| println!("  {line}"));
        }
    }
    let each = started.elapsed().as_secs_f64() / runs.max(1) as f64;
    let passed = runs - failed;
    println!("{runs} runs over {name}: {passed} pass, {failed} do not; {each:.1} s each");
    Ok(failed)
}

/// What kept a run from being a pass: the roots, and each verdict with what it rests on. A skip is
/// one as well if something blocks it, and a run without media has not shown what it is for.
fn complaints(report: &Report) -> Vec<String> {
    let roots = report.root_causes.iter().map(|root| format!("{}: {}", root.cause, root.summary));
    let mut lines: Vec<String> = roots.collect();
    for check in &report.checks {
        let blocked = check.outcome == Outcome::Skip && check.blocked_by.is_some();
        if !blocked && matches!(check.outcome, Outcome::Pass | Outcome::Skip) {
            continue;
        }
        lines.push(format!("{} {}: {}", check.id, check.outcome, check.summary));
        lines.extend(check.actual.iter().map(|actual| format!("    {actual}")));
        if !blocked {
            lines.extend(check.evidence.iter().map(|evidence| format!("    {}", evidence.text)));
        }
    }
    let heard = |id: &str| {
        report.checks.iter().any(|check| check.id == id && check.outcome == Outcome::Pass)
    };
    for id in ["jitsi.media", "jitsi.bridge_channel", "jitsi.cleanup"] {
        if lines.is_empty() && !heard(id) {
            lines.push(format!("{id} did not pass"));
        }
    }
    lines
}
