//! How soon the first media of a conference is heard, in round trips of the link.

use std::error::Error;
use std::process::Command;

use mxdoctor_model::Report;

use crate::place::Place;
use crate::process::{Took, median, run};
use crate::{ROUND_TRIP, RUNS};

/// When a conference was heard, and how it came to that.
pub(crate) struct First {
    /// From the start of the process to the first media on both sides, in milliseconds. What the
    /// process takes before and after its run is all counted as before.
    pub heard: f64,
    /// From the start of the process to the conference's own start, from which its steps count.
    pub began: f64,
    /// The steps of both guests.
    steps: Vec<String>,
}

/// Round trips from the start of the process to the first media heard both ways, with the steps of
/// the median run.
pub(crate) fn first_media(place: &Place) -> Result<(), Box<dyn Error>> {
    let configured = measure(|| place.check_configured())?;
    tell("first media heard both ways", &configured);
    println!("    the conference's own clock starts at {:.0} ms", configured.began);
    for line in &configured.steps {
        println!("    {line}");
    }
    tell("  found by the server name ", &measure(|| place.check())?);
    Ok(())
}

fn tell(what: &str, first: &First) {
    let trips = first.heard / (ROUND_TRIP.as_secs_f64() * 1e3);
    println!("{what} {:6.0} ms = {trips:4.1} round trips   promised within 18", first.heard);
}

/// The median of some runs of that check.
fn measure(check: impl Fn() -> Command) -> Result<First, Box<dyn Error>> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let mut command = check();
        let took = run(command.args(["--only", "jitsi.*"]))?;
        runs.push(first(&took)?);
    }
    let middle = median(runs.iter().map(|run| run.heard)).unwrap_or(0.0);
    runs.into_iter().find(|run| run.heard == middle).ok_or_else(|| "no run".into())
}

/// When media were first heard in a run.
///
/// # Errors
/// They were not.
pub(crate) fn first(took: &Took) -> Result<First, Box<dyn Error>> {
    let report: Report = serde_json::from_slice(&took.output.stdout)?;
    read(&report, took).ok_or_else(|| format!("no media were heard: {:?}", report.summary).into())
}

fn read(report: &Report, took: &Took) -> Option<First> {
    let media = report.checks.iter().find(|entry| entry.id == "jitsi.media")?;
    let metric = |name| Some(media.metrics.iter().find(|metric| metric.name == name)?.value);
    let call = report.facts.iter().find(|fact| fact.name == "Call")?;
    let around = took.wall.as_secs_f64() * 1e3 - report.run.duration_ms as f64;
    let began = around + call.started_ms as f64 + metric("began_ms")?;
    let steps = media.evidence.iter().map(|evidence| &evidence.text);
    let steps = steps.filter(|text| text.starts_with("guest ")).cloned().collect();
    Some(First { heard: began + metric("first_media_ms")?, began, steps })
}
