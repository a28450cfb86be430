//! Whole runs of `mxdoctor lint`.

mod allowed;
mod fixes;
mod formats;
mod hostile;
mod trees;

use std::path::{Path, PathBuf};
use std::process::Output;

use mxdoctor_model::{CheckReport, Report};

/// A tree of `fixtures/stack`.
fn stack(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stack").join(name)
}

/// A run in a folder: exit code, standard output and standard error.
fn lint(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = crate::cli::mxdoctor();
    command.current_dir(folder).arg("lint").args(arguments);
    texts(&command.env("LC_ALL", "C.UTF-8").output().expect("the binary runs"))
}

fn texts(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let code = output.status.code().unwrap_or_else(|| panic!("an exit code: {output:?}"));
    (code, text(&output.stdout), text(&output.stderr))
}

/// The JSON report of a run, with its exit code.
fn report(folder: &Path, arguments: &[&str]) -> (i32, Report) {
    let all = [arguments, &["--report", "json"]].concat();
    let (code, out, err) = lint(folder, &all);
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

/// What was found, each as `RULE PATH:LINE`.
fn found(report: &Report) -> Vec<String> {
    let found = |check: &CheckReport| {
        let found = check.rule.as_ref()?;
        let at = found.locations.first()?;
        Some(format!("{} {}:{}", found.rule, at.path, at.line))
    };
    report.checks.iter().filter_map(found).collect()
}

/// A folder with files: each a name and its bytes.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    folder
}

/// A copy of a tree of `fixtures/stack`.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let from = stack(name);
    for path in files(&from) {
        let to = folder.path().join(path.strip_prefix(&from).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        std::fs::copy(&path, to).expect("copied");
    }
    folder
}

/// The files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all.sort();
    all
}
