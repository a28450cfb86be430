//! A command as a whole process: how long it takes, and how much memory.

use std::io;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What one run of a command took.
pub(crate) struct Took {
    /// From starting it to its end.
    pub wall: Duration,
    /// Largest resident set in KiB, as the kernel counts it (`VmHWM`), last seen while it ran.
    pub resident_kib: u64,
    /// What it printed, and its exit status.
    pub output: Output,
}

/// Runs the command to its end.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn run(command: &mut Command) -> io::Result<Took> {
    let output = tempfile::tempfile()?;
    let began = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(Stdio::null()).spawn()?;
    let mut resident_kib = 0;
    let status = loop {
        resident_kib = resident_kib.max(high_water_mark(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_micros(500));
    };
    let wall = began.elapsed();
    let stdout = read(output)?;
    Ok(Took { wall, resident_kib, output: Output { status, stdout, stderr: Vec::new() } })
}

fn read(mut file: std::fs::File) -> io::Result<Vec<u8>> {
    use io::{Read as _, Seek as _};
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn high_water_mark(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The median of some values; none of none.
pub(crate) fn median<T: Copy + PartialOrd>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}
