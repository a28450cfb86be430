//! Every fuzz target for a short time, from the seeds in `fuzz/seeds` and from what was captured of
//! real conferences.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;

/// Runs the targets one after the other; fails with the first that finds something.
///
/// # Errors
/// cargo-fuzz or the nightly toolchain cannot be had, a seed cannot be written, no such target.
pub(crate) fn run(
    workspace: &Path,
    seconds: u32,
    chosen: &[String],
) -> Result<ExitCode, Box<dyn Error>> {
    install()?;
    let fuzz = workspace.join("fuzz");
    let targets = targets(&fuzz)?;
    if let Some(unknown) = chosen.iter().find(|name| !targets.contains(name)) {
        return Err(format!("{unknown} is no target: expected {}", targets.join(", ")).into());
    }
    for target in targets.iter().filter(|name| chosen.is_empty() || chosen.contains(name)) {
        let corpus = seeds(workspace, target)?;
        let status = Command::new("cargo")
            .current_dir(&fuzz)
            // What `cargo xtask` sets would hold for the other toolchain as well.
            .env_remove("RUSTUP_TOOLCHAIN")
            .args(["+nightly", "fuzz", "run", "--fuzz-dir", ".", target])
            .arg(corpus)
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=10", "-rss_limit_mb=2048", "-malloc_limit_mb=64"])
            .args(["-max_len=8192", "-print_final_stats=1"])
            .status()?;
        if !status.success() {
            return Err(format!("{target} found something: see fuzz/artifacts/{target}").into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// cargo-fuzz and the toolchain that it needs.
fn install() -> Result<(), Box<dyn Error>> {
    let there = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.env_remove("RUSTUP_TOOLCHAIN").args(arguments);
        command.output().is_ok_and(|output| output.status.success())
    };
    for (needed, install) in [
        (["cargo", "+nightly", "--version"], ["rustup", "toolchain", "install", "nightly"]),
        (["cargo", "fuzz", "--version"], ["cargo", "install", "--locked", "cargo-fuzz"]),
    ] {
        if !there(needed[0], &needed[1..]) && !there(install[0], &install[1..]) {
            return Err(format!("{} does not succeed", install.join(" ")).into());
        }
    }
    Ok(())
}

fn targets(fuzz: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for file in fs::read_dir(fuzz.join("targets"))? {
        let path = file?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Puts the seeds of a target into its corpus, which also keeps what earlier runs found.
fn seeds(workspace: &Path, target: &str) -> Result<std::path::PathBuf, Box<dyn Error>> {
    let corpus = workspace.join("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let own = workspace.join("fuzz/seeds").join(target);
    for file in fs::read_dir(&own).into_iter().flatten() {
        let file = file?;
        fs::copy(file.path(), corpus.join(file.file_name()))?;
    }
    for file in fs::read_dir(workspace.join("fixtures/captures/jitsi"))? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        for (number, seed) in captured(target, &text).into_iter().enumerate() {
            fs::write(corpus.join(format!("{name}-{number}")), seed)?;
        }
    }
    Ok(corpus)
}

/// What of a capture is food for a target: frames of XMPP, bodies and messages of the bridge.
fn captured(target: &str, text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    let whole = serde_json::from_str(text).into_iter();
    let documents = lines.chain(whole).collect::<Vec<Value>>();
    let mut found = Vec::new();
    for document in &documents {
        match target {
            "xmpp" | "disco" | "focus" | "jingle" => collect(document, &["frame"], &mut found),
            "colibri" => collect(document, &["body", "msg", "messages"], &mut found),
            _ => {}
        }
    }
    found
}

/// Texts and objects under these keys, at any depth.
fn collect(value: &Value, keys: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if keys.contains(&key.as_str()) => found.push(text.clone()),
                    value if keys.contains(&key.as_str()) => {
                        found.push(value.to_string());
                        collect(value, keys, found);
                    }
                    value => collect(value, keys, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, keys, found)),
        _ => {}
    }
}
