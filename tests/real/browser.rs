//! Chromium with lib-jitsi-meet holds a conference on the stack.

use std::fs;
use std::path::Path;

use libtest_mimic::Failed;
use mxdoctor_fixtures::npm;
use mxdoctor_fixtures::stack::{Stack, View};
use serde_json::Value;

use super::{ensure, text};

/// How many packets of the other each guest must hear.
const PACKETS: &str = "50";
/// For how long, in seconds.
const WAIT: &str = "30";

/// Two guests in one page hear one another, and their bridge channels open.
pub(crate) fn conference(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let library = npm::package("@lyno/lib-jitsi-meet@2.6726.2")?;
    let jquery = npm::package("jquery@3.6.0")?;
    let browser = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/browser");
    let served = stack.file("meet/static");
    for file in [
        browser.join("conference.html"),
        browser.join("guest.html"),
        library.join("lib-jitsi-meet.min.js"),
        jquery.join("dist/jquery.min.js"),
    ] {
        let name = file.file_name().ok_or("a file without a name")?;
        fs::copy(&file, served.join(name))?;
    }
    let room = format!("browser-{}", std::process::id());
    let url = format!("https://meet.testing.borooka.ee/static/conference.html?room={room}");
    let mut command = stack.command(View::Public, "python3");
    let output = command.arg(browser.join("drive.py")).args([&url, PACKETS, WAIT]).output()?;
    let account: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no account: {error}\n{}", text(&output)))?;
    let guests = account["guests"].as_array().ok_or("no guests")?;
    ensure(guests.len() == 2, || format!("{account:#}"))?;
    for guest in guests {
        let heard = guest["heard"].as_u64().unwrap_or(0);
        ensure(heard >= PACKETS.parse()?, || format!("only {heard} packets: {account:#}"))?;
        ensure(guest["channel"] == true, || format!("no bridge channel: {account:#}"))?;
    }
    Ok(())
}
