//! The command line: exit codes, and what a wrong use is answered with.

use std::io::Read as _;
use std::process::{Command, Output, Stdio};

pub(crate) fn mxdoctor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxdoctor"));
    // What the tests' own environment says must not steer them.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MXDOCTOR_")) {
        command.env_remove(name);
    }
    command.env_remove("SSL_CERT_FILE").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = mxdoctor().args(arguments).output().expect("the binary runs");
    texts(&output)
}

fn texts(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

/// Each wrong use, and a word that its answer must hold.
#[test]
fn wrong_use_is_exit_2_with_help() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["chekc"], "check"),
        (&["check"], "no server name"),
        (&["check", "https://example.org/"], "did you mean `example.org`?"),
        (&["check", "@me:example.org"], "did you mean `example.org`?"),
        (&["check", "exa mple"], "not a server name"),
        (&["check", "example.org", "--timeout", "soon"], "not a duration"),
        (&["check", "example.org", "--timeout", "0s"], "no time"),
        (&["check", "example.org", "--wait", "x"], "not a duration"),
        (&["check", "example.org", "--fail-on", "pass"], "possible values: warn, fail"),
        (&["check", "example.org", "--vantage", "moon"], "public, internal or cluster"),
        (&["check", "example.org", "--report", "xml"], "known are"),
        (&["check", "example.org", "--report", "jsno"], "did you mean `json`"),
        (&["check", "example.org", "--report", "json", "--report", "short"], "standard output"),
        (&["check", "example.org", "--report", "json=/no/such/folder/x"], "/no/such/folder/x"),
        (&["check", "example.org", "--resolve", "x"], "HOST:PORT:ADDR"),
        (&["check", "example.org", "--dns-server", "ns.example.org"], "ADDR or ADDR:PORT"),
        (&["check", "example.org", "--ca-file", "/no/such.pem"], "/no/such.pem"),
        (&["check", "example.org", "--ca-file", "/etc/hostname"], "certificate"),
        (&["check", "example.org", "--routable", "10/99"], "address range"),
        (&["check", "example.org", "--jobs", "0"], "1 or more"),
        (&["check", "-c", "/no/such.toml"], "/no/such.toml"),
        (&["demo", "--fault", "dns-mising"], "did you mean `dns-missing`?"),
        (&["explain", "dns.addres"], "did you mean `dns.address`?"),
    ];
    for (arguments, word) in cases {
        let (code, out, err) = run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {out}{err}");
        assert!(err.contains(word), "{arguments:?} is not answered with `{word}`:\n{err}");
    }
}

#[test]
fn a_wrong_key_is_shown_with_its_line_and_the_right_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stack.toml");
    std::fs::write(&path, "server_name = \"example.org\"\n\n[netwrok]\ndns_servers = []\n")
        .expect("a file");
    let (code, _, err) = run(&["check", "-c", path.to_str().expect("a path")]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `network`?"), "{err}");
    assert!(err.contains("stack.toml:3:"), "{err}");
    std::fs::write(&path, "server_name = 5\n").expect("a file");
    let (code, _, err) = run(&["check", "-c", path.to_str().expect("a path")]);
    assert_eq!(code, 2);
    assert!(err.contains("stack.toml:1:"), "{err}");
}

#[test]
fn nothing_selected_is_exit_4() {
    for arguments in [
        &["check", "example.org", "--only", "nosuch.*"][..],
        &["check", "example.org", "--only", "dns.*", "--skip", "dns.*"],
        &["check", "example.org", "--only", "database.*", "--vantage", "public"],
    ] {
        let (code, _, err) = run(arguments);
        assert_eq!(code, 4, "{arguments:?}: {err}");
        assert!(err.contains("mxdoctor list"), "{err}");
    }
}

#[test]
fn what_is_listed_can_be_explained() {
    for (what, least) in [("checks", 40), ("causes", 40), ("faults", 25), ("rules", 6)] {
        let (code, out, _) = run(&["list", what, "--json"]);
        assert_eq!(code, 0);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&out).expect("JSON");
        assert!(rows.len() >= least, "{} {what}", rows.len());
        for row in rows {
            let id = row["id"].as_str().expect("an id");
            let (code, page, err) = run(&["explain", id]);
            assert_eq!(code, 0, "{id}: {err}");
            assert!(page.contains(id), "{page}");
        }
    }
}

#[test]
fn schema_completions_and_man_print() {
    let (code, schema, _) = run(&["schema"]);
    assert_eq!(code, 0);
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert!(schema["properties"]["root_causes"].is_object());
    let (_, out, _) = run(&["completions", "bash"]);
    assert!(out.contains("_mxdoctor"));
    let (_, out, _) = run(&["man"]);
    assert!(out.contains(".TH"));
    let (code, out, _) = run(&["check", "--help"]);
    assert_eq!(code, 0);
    assert!(out.contains("Exit codes:"), "{out}");
}

#[test]
fn a_reader_who_goes_away_is_no_panic() {
    let mut child = mxdoctor()
        .args(["list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{err}");
    assert!(err.is_empty(), "{err}");
}
