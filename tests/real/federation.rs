//! The tool's own signing identity, and a real Synapse that is to believe it.

use libtest_mimic::Failed;
use mxdoctor_fixtures::stack::{Stack, View};
use serde_json::Value;

use super::{ensure, text};

const CHECK: &str = "federation.signed_request";

/// A host of the stack's internet whose certificate Synapse is told to take as it is, and its
/// address.
const LENIENT: [&str; 2] = ["198.51.100.15:8449", "pki.testing.borooka.ee:8449"];
/// One that it judges as any other. (An address in the place of a name it would refuse, since it
/// does not hold it against `ip_range_whitelist`.)
const STRICT: [&str; 2] = ["198.51.100.30:8449", "turn.testing.borooka.ee:8449"];

/// What the check says with an identity of its own, and lines added to the configuration.
fn said(stack: &Stack, lines: &str) -> Result<Value, Failed> {
    let config = std::fs::read_to_string(stack.file("stack.toml"))?;
    std::fs::write(stack.file("identity.toml"), format!("{config}\n[federation]\n{lines}"))?;
    let mut command = stack.command(View::Public, env!("CARGO_BIN_EXE_mxdoctor"));
    command.args(["check", "testing.borooka.ee", "--config", "/srv/identity.toml"]);
    command.args(["--only", CHECK, "--report", "json"]);
    let output = command.output()?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no JSON report: {error}\n{}", text(&output)))?;
    let checks = report["checks"].as_array().ok_or("no checks")?;
    let found = checks.iter().find(|check| check["id"] == CHECK);
    Ok(found.ok_or("the check did not run")?.clone())
}

fn held(said: &Value, outcome: &str, cause: &Value) -> Result<(), Failed> {
    ensure(said["outcome"] == outcome && said["cause"] == *cause, || format!("{said:#}"))
}

fn identity([listen, name]: [&str; 2]) -> String {
    format!("listen = \"{listen}\"\nname = \"{name}\"\n")
}

/// Synapse fetches the key of a server that it has never heard of, and believes what is signed
/// with it.
pub(crate) fn signed_request(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let said = said(stack, &identity(LENIENT))?;
    held(&said, "pass", &Value::Null)?;
    let shown = said.to_string();
    ensure(shown.contains("GET /_matrix/key/v2/server") && shown.contains("Synapse/1."), || {
        format!("nobody came for the key: {said:#}")
    })
}

/// A certificate that nobody vouches for is refused, and that is our own trouble.
pub(crate) fn certificate_refused(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let said = said(stack, &identity(STRICT))?;
    held(&said, "error", &Value::from("identity-certificate-refused"))
}

/// A name that Synapse cannot resolve is not asked for its key.
pub(crate) fn way_out_blocked(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let said = said(stack, &identity([LENIENT[0], "nowhere.testing.borooka.ee:8449"]))?;
    held(&said, "fail", &Value::from("federation-outbound-blocked"))
}
