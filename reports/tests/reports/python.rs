//! Independent readers of our documents, from PyPI, in a virtual environment of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const READERS: [&str; 2] = ["junitparser==5.0.3", "jsonschema==4.26.0"];

/// Runs a Python program on one argument and returns what it prints.
pub(crate) fn python(program: &str, argument: &Path) -> String {
    text(Command::new(interpreter()).args(["-c", program]).arg(argument), "python")
}

/// Runs a program that must succeed.
pub(crate) fn text(command: &mut Command, what: &str) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{what} cannot be run: {error}"));
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{what}: {status}\n{out}{err}");
    out.into_owned()
}

/// Made once and kept under the target folder; its name says what is in it.
fn interpreter() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let name = format!("readers-{}", READERS.join("-").replace("==", "-"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let python = folder.join("bin/python");
        let complete = folder.join("complete");
        // Test processes that run at once make it once.
        let lock = std::fs::File::create(folder.with_extension("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        if !complete.exists() {
            text(Command::new("python3").args(["-m", "venv"]).arg(&folder), "python3 -m venv");
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet"]).args(READERS);
            text(&mut pip, "pip install");
            std::fs::write(&complete, "").expect("the target folder can be written");
        }
        python
    })
}
