//! Runs under the flags and the signals that the command line promises.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mxdoctor_fixtures::demo::{Demo, fault};
use mxdoctor_model::{Outcome, Report};
use tokio::process::Command;

fn mxdoctor() -> Command {
    let mut command = Command::from(crate::cli::mxdoctor());
    command.kill_on_drop(true);
    command
}

async fn demo(id: Option<&str>) -> Demo {
    let fault = id.map(|id| fault(id).expect("a known fault"));
    Demo::start(fault).await.expect("the demo starts")
}

fn config(demo: &Demo) -> std::path::PathBuf {
    demo.folder().join("stack.toml")
}

fn read(path: &Path) -> Report {
    let text = std::fs::read_to_string(path).expect("the report was written");
    serde_json::from_str(&text).expect("the report is whole")
}

/// The keys of the `[network]` table, as flags.
fn network_flags(demo: &Demo) -> Vec<String> {
    let mut flags = Vec::new();
    let table: toml::Table = demo.stack_toml().parse().expect("TOML");
    for (key, flag) in
        [("dns_servers", "--dns-server"), ("resolve", "--resolve"), ("routable", "--routable")]
    {
        let values = table["network"][key].as_array().expect("a list");
        for value in values {
            flags.extend([flag.to_owned(), value.as_str().expect("text").to_owned()]);
        }
    }
    flags.push("--ca-file".to_owned());
    flags.push(demo.folder().join("ca.pem").display().to_string());
    flags.push("--state".to_owned());
    flags.push(demo.folder().join("state").display().to_string());
    flags
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_do_what_the_file_does() {
    let demo = demo(None).await;
    let output = mxdoctor()
        .args(["check", "testing.borooka.ee", "--report", "json"])
        .args(network_flags(&demo))
        .output()
        .await
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let report: Report = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report.summary.pass > 60, "{:?}", report.summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_and_skip_select() {
    let demo = demo(Some("cors-stripped")).await;
    for fail_on in ["fail", "warn"] {
        let output = mxdoctor()
            .args([
                "check",
                "--report",
                "json",
                "--only",
                "ingress.ht*,ingress.hs*,ingress.ch*,dns.address",
            ])
            .args(["--skip", "ingress.http2", "--fail-on", fail_on, "-c"])
            .arg(config(&demo))
            .output()
            .await
            .expect("the binary runs");
        let report: Report = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(output.status.code(), Some(0), "{:?}", report.summary);
        let mut ids: Vec<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
        ids.dedup();
        assert_eq!(
            ids,
            ["dns.address", "ingress.http_redirect", "ingress.hsts", "ingress.challenge"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_reports_are_written_at_once() {
    let demo = demo(Some("cert-expired")).await;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let output = mxdoctor()
        .arg("check")
        .arg("-c")
        .arg(config(&demo))
        .args(["--report", "short"])
        .arg(format!("--report=json={}", at("a.json").display()))
        .arg(format!("--report=junit={}", at("a.xml").display()))
        .arg(format!("--report=ndjson={}", at("a.ndjson").display()))
        .output()
        .await
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let short = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(short.contains("fail tls.validity[matrix.testing.borooka.ee]"), "{short}");
    assert_eq!(read(&at("a.json")).root_causes[0].cause, "certificate-expired");
    let junit = std::fs::read_to_string(at("a.xml")).expect("the report was written");
    assert!(junit.contains("<failure"), "{junit}");
    let lines = std::fs::read_to_string(at("a.ndjson")).expect("the report was written");
    for line in lines.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON");
    }
}

/// Without an answer there is no verdict, and the report says so in time.
#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_a_run_with_a_whole_report() {
    let demo = demo(Some("homeserver-hangs")).await;
    let output = mxdoctor()
        .args(["check", "--report", "json", "--timeout", "1s", "-c"])
        .arg(config(&demo))
        .output()
        .await
        .expect("the binary runs");
    let report: Report = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report.run.interrupted.as_deref(), Some("deadline"));
    assert!(report.summary.pass > 0 && report.summary.error > 0, "{:?}", report.summary);
    assert_eq!(output.status.code(), Some(3), "{:?}", report.summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_run_with_a_whole_report() {
    let demo = demo(Some("homeserver-hangs")).await;
    for (signal, name, code) in [("-INT", "SIGINT", 130), ("-TERM", "SIGTERM", 143)] {
        let folder = tempfile::tempdir().expect("a folder");
        let (json, lines) = (folder.path().join("a.json"), folder.path().join("a.ndjson"));
        let mut child = mxdoctor()
            .arg("check")
            .arg("-c")
            .arg(config(&demo))
            .arg(format!("--report=json={}", json.display()))
            .arg(format!("--report=ndjson={}", lines.display()))
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        // Its first verdict shows that it is under way, with its signal handlers in place.
        while !std::fs::read_to_string(&lines).is_ok_and(|text| text.contains("check_finished")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let pid = child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().await.expect("kill runs");
        assert!(sent.success());
        let status = child.wait().await.expect("it ends");
        assert_eq!(status.code(), Some(code));
        let report = read(&json);
        assert_eq!(report.run.interrupted.as_deref(), Some(name));
        let interrupted = |check: &mxdoctor_model::CheckReport| check.outcome == Outcome::Error;
        assert!(report.checks.iter().any(interrupted));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_run_as_a_test_harness() {
    let demo = demo(Some("cors-stripped")).await;
    let run = async |arguments: &[&str]| {
        let output = mxdoctor()
            .arg("libtest")
            .arg("-c")
            .arg(config(&demo))
            .args(arguments)
            .output()
            .await
            .expect("the binary runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (code, list) = run(&["--list", "--format", "terse"]).await;
    assert_eq!(code, Some(0));
    assert!(list.contains("synapse.cors: test"), "{list}");
    let (code, out) = run(&["--exact", "synapse.cors"]).await;
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("0 passed; 1 failed"), "{out}");
    let (code, out) = run(&["synapse.v"]).await;
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("1 passed; 0 failed"), "{out}");
}
