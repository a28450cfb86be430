//! Measures mxdoctor against its own promises, on the real stack over a slow link, and on many
//! manifests.
//!
//! `cargo xtask bench` builds the release binary and runs this; all but `lint` needs root. Figures are medians;
//! machines differ and are noisy, so what is promised of time is a ratio within one run, or a count
//! of round trips.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

mod browser;
mod conference;
mod homeserver;
mod link;
mod lint;
mod place;
mod process;
mod soak;
mod waterfall;
mod whole;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use link::Weather;
use mxdoctor_fixtures::stack::{Lifetime, Stack};
use place::Place;
use process::{median, run};

const ROUND_TRIP: Duration = Duration::from_millis(50);
const RUNS: usize = 7;
/// Runs of a soak, unless told.
const SOAK: usize = 200;

/// What is measured, and what of.
struct Bench {
    binary: PathBuf,
    target: PathBuf,
    stack: Stack,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(binary), Some(target)) = (arguments.next(), arguments.next()) else {
        return Err("usage: mxdoctor-benches BINARY TARGET_FOLDER [FIGURE [RUNS]]".into());
    };
    let (figure, runs) = (arguments.next(), arguments.next());
    let (binary, target) = (PathBuf::from(binary), PathBuf::from(target));
    if figure.is_none() {
        size(&binary)?;
        start(&binary)?;
        lint::lint(&binary)?;
    }
    if figure.as_deref() == Some("lint") {
        return lint::lint(&binary);
    }
    let stack = Stack::up(&target, "bench", Lifetime::WhileHeld)?;
    let bench = Bench { binary, target, stack };
    match figure.as_deref() {
        None => {
            let place = Place::new(&bench, Weather::calm(ROUND_TRIP))?;
            whole::full_run(&place)?;
            homeserver::family(&bench, &place)?;
            conference::first_media(&place)?;
            browser::against_chromium(&bench)
        }
        Some("run") => whole::full_run(&Place::new(&bench, Weather::calm(ROUND_TRIP))?),
        Some("homeserver") => {
            homeserver::family(&bench, &Place::new(&bench, Weather::calm(ROUND_TRIP))?)
        }
        Some("conference") => {
            conference::first_media(&Place::new(&bench, Weather::calm(ROUND_TRIP))?)
        }
        Some("browser") => browser::against_chromium(&bench),
        Some("soak") => soak::soak(&bench, runs.map_or(Ok(SOAK), |runs| runs.parse())?),
        Some(other) => Err(format!("there is no figure `{other}`").into()),
    }
}

/// The stripped binary.
fn size(binary: &Path) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::metadata(binary)?.len();
    let mib = bytes as f64 / 1_048_576.0;
    println!("binary                      {mib:6.1} MiB      promised under 25");
    Ok(())
}

/// `list`, against starting `true`.
fn start(binary: &Path) -> Result<(), Box<dyn Error>> {
    let mut list = Vec::new();
    let mut nothing = Vec::new();
    for _ in 0..RUNS * 3 {
        list.push(run(Command::new(binary).arg("list"))?.wall.as_secs_f64() * 1e3);
        nothing.push(run(&mut Command::new("true"))?.wall.as_secs_f64() * 1e3);
    }
    let (list, nothing) = (median(list).unwrap_or(0.0), median(nothing).unwrap_or(0.0));
    println!("list, whole process         {list:6.1} ms       promised under 10");
    println!("  against `true`            {:6.1} times", list / nothing);
    Ok(())
}
