//! A conference of ours against one of Chromium, on the same peer.

use std::error::Error;
use std::fs;
use std::path::Path;

use mxdoctor_fixtures::npm;
use mxdoctor_fixtures::stack::View;
use serde_json::Value;

use crate::process::{median, run};
use crate::{Bench, RUNS, conference};

/// From process start to media heard both ways, in pairs, one of ours and one of Chromium: two
/// guests of lib-jitsi-meet in one page. What drives Chromium is not counted.
pub(crate) fn against_chromium(bench: &Bench) -> Result<(), Box<dyn Error>> {
    let browser = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/browser");
    serve(bench, &browser)?;
    let (mut ours, mut theirs, mut ratios) = (vec![], vec![], vec![]);
    for turn in 0..RUNS {
        let heard = probe(bench)?;
        let chromium = chromium(bench, &browser, turn)?;
        ours.push(heard);
        theirs.push(chromium);
        ratios.push(heard / chromium);
    }
    let [ours, theirs, ratio] = [ours, theirs, ratios].map(|it| median(it).unwrap_or(0.0));
    println!("media both ways, mxdoctor   {ours:6.0} ms from process start, no added delay");
    println!("  two guests in Chromium    {theirs:6.0} ms");
    println!("  ours against that         {ratio:6.2} times    promised within 0.33");
    Ok(())
}

fn probe(bench: &Bench) -> Result<f64, Box<dyn Error>> {
    let mut check = bench.stack.command(View::Public, &bench.binary);
    check.args(["check", "--config", &bench.stack.config(View::Public)]);
    let took = run(check.args(["--only", "jitsi.*", "--report", "json"]))?;
    Ok(conference::first(&took)?.heard)
}

fn chromium(bench: &Bench, browser: &Path, turn: usize) -> Result<f64, Box<dyn Error>> {
    let room = format!("bench-{}-{turn}", std::process::id());
    let url = format!("https://meet.testing.borooka.ee/static/conference.html?room={room}");
    let mut drive = bench.stack.command(View::Public, "python3");
    let took = run(drive.arg(browser.join("drive.py")).args([&url, "1", "30"]))?;
    let account: Value = serde_json::from_slice(&took.output.stdout)?;
    let guests = account["guests"].as_array().ok_or("no guests")?;
    let heard = guests.iter().map(|guest| guest["first_packet"].as_f64());
    let heard = heard.collect::<Option<Vec<f64>>>().filter(|heard| heard.len() == 2);
    let heard = heard.ok_or_else(|| format!("Chromium's guests hear nothing: {account:#}"))?;
    let started = account["browser_ms"].as_f64().ok_or("no start of the browser")?;
    Ok(started + heard.into_iter().fold(0.0, f64::max))
}

/// Puts the page and the library where the stack serves files.
fn serve(bench: &Bench, browser: &Path) -> Result<(), Box<dyn Error>> {
    let library = npm::package("@lyno/lib-jitsi-meet@2.6726.2")?;
    let jquery = npm::package("jquery@3.6.0")?;
    let served = bench.stack.file("meet/static");
    for file in [
        browser.join("conference.html"),
        browser.join("guest.html"),
        library.join("lib-jitsi-meet.min.js"),
        jquery.join("dist/jquery.min.js"),
    ] {
        let name = file.file_name().ok_or("a file without a name")?;
        fs::copy(&file, served.join(name))?;
    }
    Ok(())
}
