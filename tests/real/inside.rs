//! What is seen of a broken conference with the interfaces of the inside at hand: the part that is
//! to blame, and one cause for what three vantages see.

use libtest_mimic::Failed;
use mxdoctor_fixtures::stack::{CALL_FAULTS, FAULTS, Stack, View};

use super::{ensure, listing, mxdoctor, text};

/// A fault of the tables, and its cause as seen from inside.
pub(crate) const SEEN: &[(&str, &str)] = &[
    ("prosody-down", "prosody-down"),
    ("focus-password", "jicofo-not-connected"),
    ("bridge-password", "bridge-not-in-brewery"),
    ("no-bridge", "bridge-not-in-brewery"),
    ("bridge-unhealthy", "bridge-unhealthy"),
];

/// The cause is named, first and alone.
pub(crate) fn blamed(stack: &Stack, id: &str, cause: &str) -> Result<(), Failed> {
    let mut faults = FAULTS.iter().chain(CALL_FAULTS.iter().map(|row| &row.fault));
    let fault = faults.find(|fault| fault.id == id).ok_or("no such fault")?;
    stack.inject(fault)?;
    let mut command = mxdoctor(stack, View::Cluster);
    let output = command.args(["--only", "jitsi.*", "--report", "json"]).output()?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no JSON report: {error}\n{}", text(&output)))?;
    let causes = report["root_causes"].as_array().map_or(&[][..], Vec::as_slice);
    let named: Vec<_> = causes.iter().filter_map(|root| root["cause"].as_str()).collect();
    ensure(named == [cause], || format!("{named:?}\n{}", listing(&report, &["fail", "error"])))
}
