//! `mxdoctor lint` on many objects: how long, whether twice as many take twice as long, and against
//! another linter of Kubernetes' objects on the same files.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mxdoctor_fixtures::kube_score;
use mxdoctor_model::Report;

use crate::RUNS;
use crate::process::{median, run};

/// The reference stack in plain files.
const STACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/stack/plain");

/// About how many objects are looked at. The one in the middle is what is promised of.
const SIZES: [usize; 5] = [250, 500, 1000, 2000, 4000];
const PROMISED: usize = 1000;

/// What is replaced, so that each copy is a deployment of its own.
const OWN: [&str; 3] = ["app-matrix", "testing.borooka.ee", "cluster.arpa"];

/// A tree of copies, and what looking at it takes.
struct Figure {
    objects: usize,
    wall: Duration,
    memory: u64,
}

/// Prints the times of every size, and those of kube-score.
///
/// # Errors
/// The copies are not clean, or kube-score cannot be had.
pub(crate) fn lint(binary: &Path) -> Result<(), Box<dyn Error>> {
    let peer = kube_score::program()?;
    let files = stack()?;
    let mut figures = Vec::new();
    for size in SIZES {
        let folder = tempfile::tempdir()?;
        let paths = write(&files, size, folder.path())?;
        let figure = measure(binary, folder.path())?;
        let ms = figure.wall.as_secs_f64() * 1e3;
        let promised = if size == PROMISED { "      promised under 150" } else { "" };
        println!("lint, {:4} objects          {ms:6.1} ms{promised}", figure.objects);
        if size == PROMISED {
            against(&peer, &paths, &figure)?;
        }
        figures.push(figure);
    }
    let each = |figure: &Figure| figure.wall.as_secs_f64() / figure.objects as f64;
    if let [first, .., last] = &figures[..] {
        let ratio = each(last) / each(first);
        println!("  an object of the most against one of the least {ratio:5.2} times");
    }
    Ok(())
}

fn against(peer: &Path, files: &[PathBuf], figure: &Figure) -> Result<(), Box<dyn Error>> {
    let mut walls = Vec::new();
    let mut memory = 0;
    for _ in 0..RUNS {
        let took = run(Command::new(peer).args(["score", "--output-format", "ci"]).args(files))?;
        // 1 says that something was found, as it is with any stack.
        if !matches!(took.output.status.code(), Some(0 | 1)) || took.output.stdout.is_empty() {
            return Err(format!("kube-score: {}", took.output.status).into());
        }
        walls.push(took.wall);
        memory = memory.max(took.resident_kib);
    }
    let wall = median(walls).unwrap_or_default();
    let mib = |kib: u64| kib as f64 / 1024.0;
    println!("  peak resident memory      {:6.1} MiB", mib(figure.memory));
    println!(
        "  kube-score, the same files{:6.1} ms, {:.1} MiB",
        wall.as_secs_f64() * 1e3,
        mib(memory)
    );
    let ratio = figure.wall.as_secs_f64() / wall.as_secs_f64();
    println!("  against kube-score        {ratio:6.2} times");
    Ok(())
}

fn measure(binary: &Path, folder: &Path) -> Result<Figure, Box<dyn Error>> {
    let mut walls = Vec::new();
    let mut memory = 0;
    let mut objects = 0;
    for _ in 0..RUNS {
        let took = run(Command::new(binary).arg("lint").arg(folder).args(["--report", "json"]))?;
        let report: Report = serde_json::from_slice(&took.output.stdout)?;
        let read = report.checks.iter().find(|check| check.id == "lint.files");
        let words = read.and_then(|check| check.summary.split(' ').next());
        objects = words.ok_or("the report does not say what was read")?.parse()?;
        if let Some(first) = report.checks.iter().find(|check| check.rule.is_some()) {
            return Err(format!("the copies are not clean: {}", first.summary).into());
        }
        walls.push(took.wall);
        memory = memory.max(took.resident_kib);
    }
    Ok(Figure { objects, wall: median(walls).unwrap_or_default(), memory })
}

/// The files of the stack, each with its path below the tree.
fn stack() -> Result<Vec<(PathBuf, String)>, Box<dyn Error>> {
    let mut files = Vec::new();
    for folder in fs::read_dir(STACK)? {
        for file in fs::read_dir(folder?.path())? {
            let path = file?.path();
            files.push((path.strip_prefix(STACK)?.to_owned(), fs::read_to_string(path)?));
        }
    }
    Ok(files)
}

/// Writes copies, each in a namespace and under names of its own, of that many objects at least.
fn write(
    files: &[(PathBuf, String)],
    least: usize,
    folder: &Path,
) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let objects = |text: &str| text.lines().filter(|line| line.starts_with("kind:")).count();
    let one: usize = files.iter().map(|(_, text)| objects(text)).sum();
    let mut paths = Vec::new();
    for copy in 0..least.div_ceil(one) {
        for (path, text) in files {
            let mut text = text.clone();
            for name in OWN {
                let own = match name.split_once('.') {
                    Some((first, rest)) => format!("{first}{copy}.{rest}"),
                    None => format!("{name}-{copy}"),
                };
                text = text.replace(name, &own);
            }
            let path = folder.join(format!("stack-{copy}")).join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&path, text)?;
            paths.push(path);
        }
    }
    Ok(paths)
}
