//! A full run over the slow link.

use std::error::Error;
use std::process::Command;

use mxdoctor_model::Report;

use crate::place::Place;
use crate::process::{median, run};
use crate::{RUNS, waterfall};

/// Medians of some runs.
pub(crate) struct Figure {
    /// Wall time of the run, in milliseconds.
    pub wall: f64,
    /// Wall time against the longest chain of the same run.
    pub ratio: f64,
    /// Peak resident memory, in KiB.
    pub memory: u64,
    /// The last run's longest chain.
    pub chain: Vec<String>,
}

/// Wall time against the longest chain of its own waterfall and against one request of curl, and
/// memory.
pub(crate) fn full_run(place: &Place) -> Result<(), Box<dyn Error>> {
    let Figure { wall, ratio, memory, chain } = measure(|| place.check())?;
    let mut curls = Vec::new();
    for _ in 0..RUNS {
        curls.push(curl(place)?);
    }
    let curl = median(curls).unwrap_or(0.0);
    let mib = memory as f64 / 1024.0;
    println!("full run, 50 ms round trip  {wall:6.0} ms");
    println!("  against its longest chain {ratio:6.2} times    promised within 1.2");
    println!("  against one curl request  {:6.1} times", wall / curl);
    println!("peak resident memory        {mib:6.1} MiB      promised under 40");
    println!("longest chain: {}", chain.join(" → "));
    Ok(())
}

/// Runs a check some times.
///
/// # Errors
/// One of them is not healthy.
pub(crate) fn measure(check: impl Fn() -> Command) -> Result<Figure, Box<dyn Error>> {
    let (mut ratios, mut walls, mut memory) = (vec![], vec![], vec![]);
    let mut last = Vec::new();
    for _ in 0..RUNS {
        let took = run(&mut check())?;
        let report: Report = serde_json::from_slice(&took.output.stdout)?;
        if report.summary.pass == 0 || report.summary.fail + report.summary.error > 0 {
            let first = report.root_causes.first().map(|root| root.summary.clone());
            return Err(format!("the stack is not healthy over the link: {first:?}").into());
        }
        let (chain, names) = waterfall::longest_chain(&report);
        let wall = report.run.duration_ms;
        ratios.push(wall as f64 / chain as f64);
        walls.push(wall as f64);
        memory.push(took.resident_kib);
        last = names;
    }
    Ok(Figure {
        wall: median(walls).unwrap_or(0.0),
        ratio: median(ratios).unwrap_or(0.0),
        memory: median(memory).unwrap_or(0),
        chain: last,
    })
}

/// One request of curl, in milliseconds.
fn curl(place: &Place) -> Result<f64, Box<dyn Error>> {
    let mut curl = place.command("curl");
    curl.args(["--silent", "--fail", "--output", "/dev/null"])
        .args(["--resolve", "matrix.testing.borooka.ee:443:198.51.100.11", "--cacert"])
        .arg(place.root())
        .arg("https://matrix.testing.borooka.ee/_matrix/client/versions");
    let took = run(&mut curl)?;
    if !took.output.status.success() {
        return Err(format!("curl over the link: {}", took.output.status).into());
    }
    Ok(took.wall.as_secs_f64() * 1e3)
}
