//! Two guests of another implementation hold a conference on the stack. They say whether it is
//! healthy, and whether a fault is the fault that it is meant to be, before our own are asked.

use std::path::Path;
use std::sync::LazyLock;

use libtest_mimic::Failed;
use mxdoctor_fixtures::python::venv;
use mxdoctor_fixtures::stack::{CallFault, Stack, View};
use serde_json::{Value, json};

use super::{ensure, text};

const PACKAGES: &[&str] = &["aiortc==1.16.0", "websockets==17.4"];

static PYTHON: LazyLock<Result<std::path::PathBuf, String>> =
    LazyLock::new(|| venv(PACKAGES).map_err(|error| error.to_string()));

/// On the healthy stack they hear one another, directly or over a relay of each kind.
pub(crate) fn healthy(stack: &Stack, relay: Option<&str>) -> Result<(), Failed> {
    stack.heal()?;
    let account = account(stack, relay)?;
    let wanted = [("/stage", json!("media")), ("/hear", json!(2)), ("/channel", json!(true))];
    let others = [("/left", json!(0)), ("/rest_is_public", json!(false))];
    held(&account, wanted.into_iter().chain(others))
}

/// On the broken stack they come as far as the table says, and see what it says.
pub(crate) fn broken(stack: &Stack, row: &CallFault) -> Result<(), Failed> {
    stack.inject(&row.fault)?;
    let account = account(stack, row.relay)?;
    let seen = row.seen.iter().map(|(pointer, value)| {
        (*pointer, serde_json::from_str(value).expect("the table holds JSON"))
    });
    held(&account, std::iter::once(("/stage", json!(row.stage))).chain(seen))
}

fn held<'a>(account: &Value, wanted: impl Iterator<Item = (&'a str, Value)>) -> Result<(), Failed> {
    for (pointer, value) in wanted {
        let found = account.pointer(pointer);
        ensure(found == Some(&value), || format!("{pointer} is not {value}: {account:#}"))?;
    }
    Ok(())
}

/// What the two guests say.
fn account(stack: &Stack, relay: Option<&str>) -> Result<Value, Failed> {
    let python = PYTHON.as_ref().map_err(|error| Failed::from(error.as_str()))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/src/peers/conference.py");
    let options = json!({
        "socket": "wss://meet.testing.borooka.ee/xmpp-websocket",
        "domain": "meet.jitsi",
        "muc": "muc.meet.jitsi",
        "address": "198.51.100.200",
        "bridge": "http://10.43.0.70:8080",
        "node": "http://198.51.100.20:8080",
        "seconds": 5,
        "relay": relay,
    });
    let mut command = stack.command(View::Public, python);
    let output = command.arg(script).arg(options.to_string()).output()?;
    let account: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no account: {error}\n{}", text(&output)))?;
    Ok(account)
}
