//! Measures mxdoctor against its own promises, on the real stack over a slow link.
//!
//! `cargo xtask bench` builds the release binary and runs this; it needs root. Figures are medians;
//! machines differ and are noisy, so what is promised of time is a ratio within one run.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

mod link;
mod process;
mod waterfall;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use link::{Link, ip};
use mxdoctor_fixtures::stack::{Lifetime, Stack};
use mxdoctor_model::Report;
use process::{median, run};

const ROUND_TRIP: Duration = Duration::from_millis(50);
const RUNS: usize = 7;
const NEAR: &str = "mxd-bench-near";
const FAR: &str = "mxd-bench-far";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(binary), Some(target)) = (arguments.next(), arguments.next()) else {
        return Err("usage: mxdoctor-benches BINARY TARGET_FOLDER".into());
    };
    size(&binary)?;
    start(&binary)?;
    let stack = Stack::up(&target, "bench", Lifetime::WhileHeld)?;
    let slow = Slow::new(&stack)?;
    whole_run(&binary, &stack, &slow)
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

/// A namespace from which the stack is 50 ms away, until dropped.
struct Slow {
    _link: Link,
}

impl Slow {
    fn new(stack: &Stack) -> Result<Self, Box<dyn Error>> {
        forget();
        ip(&["netns", "add", NEAR])?;
        ip(&["netns", "attach", FAR, &stack.pid().to_string()])?;
        let ends = [(NEAR, "10.99.0.1/30"), (FAR, "10.99.0.2/30")];
        let link = Link::new(ends, ROUND_TRIP / 2)?;
        ip(&["-n", NEAR, "link", "set", "lo", "up"])?;
        ip(&["-n", NEAR, "route", "add", "198.51.100.0/24", "via", "10.99.0.2"])?;
        Ok(Self { _link: link })
    }

    fn command(program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", NEAR]).arg(program);
        command
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        forget();
    }
}

fn forget() {
    for name in [NEAR, FAR] {
        // Not there is what is wanted.
        let _ = ip(&["netns", "delete", name]);
    }
}

/// A full run over the slow link: wall time against the longest chain of its own waterfall and
/// against one request of curl, and memory.
fn whole_run(binary: &Path, stack: &Stack, _slow: &Slow) -> Result<(), Box<dyn Error>> {
    let root = stack.file("pki/root.crt");
    let (mut ratios, mut walls, mut curls, mut memory) = (vec![], vec![], vec![], vec![]);
    let mut last = Vec::new();
    for _ in 0..RUNS {
        let mut check = Slow::command(binary);
        check
            .args(["check", "testing.borooka.ee", "--report", "json"])
            .args(["--dns-server", "198.51.100.54", "--routable", "198.51.100.0/24"])
            .env("SSL_CERT_FILE", &root);
        let took = run(&mut check)?;
        let report: Report = serde_json::from_slice(&took.output.stdout)?;
        if report.summary.fail + report.summary.error > 0 {
            let first = report.root_causes.first().map(|root| root.summary.clone());
            return Err(format!("the stack is not healthy over the link: {first:?}").into());
        }
        let (chain, names) = waterfall::longest_chain(&report);
        let wall = report.run.duration_ms;
        ratios.push(wall as f64 / chain as f64);
        walls.push(wall as f64);
        memory.push(took.resident_kib);
        last = names;
        let mut curl = Slow::command(Path::new("curl"));
        curl.args(["--silent", "--fail", "--output", "/dev/null"])
            .args(["--resolve", "matrix.testing.borooka.ee:443:198.51.100.11", "--cacert"])
            .arg(&root)
            .arg("https://matrix.testing.borooka.ee/_matrix/client/versions");
        let took = run(&mut curl)?;
        if !took.output.status.success() {
            return Err(format!("curl over the link: {}", took.output.status).into());
        }
        curls.push(took.wall.as_secs_f64() * 1e3);
    }
    let wall = median(walls).unwrap_or(0.0);
    let ratio = median(ratios).unwrap_or(0.0);
    let curl = median(curls).unwrap_or(0.0);
    let mib = median(memory).unwrap_or(0) as f64 / 1024.0;
    println!("full run, 50 ms round trip  {wall:6.0} ms");
    println!("  against its longest chain {ratio:6.2} times    promised within 1.2");
    println!("  against one curl request  {:6.1} times", wall / curl);
    println!("peak resident memory        {mib:6.1} MiB      promised under 40");
    println!("longest chain: {}", last.join(" → "));
    Ok(())
}
