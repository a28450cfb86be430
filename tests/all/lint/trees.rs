//! Whole trees: the reference, its twins, and the one that someone writes who knows no better.

use std::io::Write as _;
use std::process::Stdio;

use super::{folder, found, lint, report, stack, texts};

const CLEAN: &str = "✔ nothing is wrong with what is written in ";

#[test]
fn the_reference_is_clean_and_says_so() {
    let (code, out, err) = lint(&stack(""), &["apps/base/matrix"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("{CLEAN}apps/base/matrix")), "{out}");
}

#[test]
fn its_twins_are_clean_too() {
    for (path, objects) in
        [("plain", "53 objects in 27 files"), ("helm/rendered.yaml", "52 objects in 1 file")]
    {
        let (code, out, err) = lint(&stack(""), &[path]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.contains(objects), "{out}");
        assert!(out.contains(&format!("{CLEAN}{path}, in ")), "{out}");
    }
}

/// mxdoctor itself beside the reference stack, built from several folders with a component each.
#[test]
fn our_own_deployment_is_clean() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, out, err) = lint(root, &["deploy/overlays/reference"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains(&format!("{CLEAN}deploy/overlays/reference")), "{out}");
}

#[test]
fn a_rendered_chart_comes_through_a_pipe() {
    let text = std::fs::read(stack("helm/rendered.yaml")).expect("the file");
    let mut command = crate::cli::mxdoctor();
    command.args(["lint", "-"]).env("LC_ALL", "C.UTF-8").stdin(Stdio::piped());
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    child.stdin.take().expect("piped").write_all(&text).expect("it reads");
    let (code, out, err) = texts(&child.wait_with_output().expect("it ends"));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains(&format!("{CLEAN}standard input")), "{out}");

    // Or as what a shell makes of `mxdoctor lint <(helm template …)`: a pipe with a name.
    let mut shell = std::process::Command::new("bash");
    shell.env("LC_ALL", "C.UTF-8").current_dir(stack(""));
    shell.args(["-c", "\"$0\" lint <(cat helm/rendered.yaml)", env!("CARGO_BIN_EXE_mxdoctor")]);
    let (code, out, err) = texts(&shell.output().expect("bash runs"));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("52 objects in 1 file"), "{out}");
}

#[test]
fn what_holds_no_object_is_said_with_help() {
    let values =
        folder(&[("values.yaml", b"image:\n  tag: \"1\"\n"), ("package.json", b"{ // no\n")]);
    for path in [tempfile::tempdir().expect("a folder").path(), values.path()] {
        std::fs::create_dir_all(path).expect("made");
        let (code, out, err) = lint(path, &["."]);
        assert_eq!((code, out.as_str()), (4, ""), "{err}");
        assert!(err.contains("there is no Kubernetes object in ."), "{err}");
        assert!(err.contains("help: expected YAML"), "{err}");
    }
}

#[test]
fn wrong_use_is_exit_2() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage: mxdoctor lint"),
        (&["no/such/folder"], "no/such/folder"),
        (&["plain", "--report", "sarfi"], "did you mean `sarif`"),
        (&["plain", "--fail-on", "info"], "possible values: warn, fail"),
    ];
    for (arguments, word) in cases {
        let (code, out, err) = lint(&stack(""), arguments);
        assert_eq!(code, 2, "{arguments:?}: {out}{err}");
        assert!(err.contains(word), "{arguments:?} is not answered with `{word}`:\n{err}");
    }
}

/// Nothing of the short description works as it is written: each mistake, by rule and line.
#[test]
fn each_mistake_of_the_naive_tree_is_named_by_rule_and_line() {
    let (code, report) = report(&stack("naive"), &["apps/base/matrix"]);
    assert_eq!(code, 1);
    let found = found(&report);
    for (rule, file, line) in MISTAKES {
        let wanted = format!("{rule} apps/base/matrix/{file}:{line}");
        assert!(found.contains(&wanted), "{wanted}: {found:#?}");
    }
    for check in report.checks.iter().filter(|check| check.rule.is_some()) {
        assert!(check.remedy.is_some() && check.cause.is_some(), "{check:?}");
    }
    let fails = report.checks.iter().filter(|check| check.outcome.as_str() == "fail").count();
    assert_eq!(report.summary.fail, fails);
}

const MISTAKES: &[(&str, &str, u32)] = &[
    // `${…}` where nothing substitutes it.
    ("SYN-01", "config/synapse-config.yaml", 39),
    ("SYN-01", "config/synapse-config.yaml", 40),
    ("SYN-01", "config/synapse-config.yaml", 41),
    ("SYN-02", "config/synapse-config.yaml", 29),
    ("SYN-03", "components/synapse.yaml", 22),
    // Element's old key for Jitsi.
    ("ELE-06", "config/element-config.yaml", 17),
    // The bridge's public address.
    ("JIT-04", "components/jitsi/jvb.yaml", 18),
    // The well-known files.
    ("SYN-31", "config/synapse-config.yaml", 8),
    ("SYN-33", "config/synapse-config.yaml", 8),
    // Names that the edge's certificate does not cover.
    ("TUN-10", "networking/element-ingress.yaml", 10),
    ("TUN-10", "networking/jitsi-ingress.yaml", 10),
    ("TUN-10", "networking/synapse-ingress.yaml", 10),
    // Secrets that are there, and that nobody is given.
    ("JIT-09", "components/jitsi/jicofo.yaml", 17),
    ("JIT-09", "components/jitsi/jvb.yaml", 18),
    ("JIT-09", "components/jitsi/prosody.yaml", 17),
    // Prosody's port for browsers.
    ("JIT-13", "components/jitsi/prosody.yaml", 58),
    // Jicofo answers its probe on loopback.
    ("JIT-19", "components/jitsi/jicofo.yaml", 29),
    // The variable that the Service's name makes.
    ("NET-15", "components/jitsi/jvb.yaml", 18),
    // Java's heap over the limit.
    ("JIT-25", "components/jitsi/jicofo.yaml", 42),
    ("JIT-25", "components/jitsi/jvb.yaml", 46),
    // Rolling updates that wait for themselves.
    ("JIT-03", "components/jitsi/jvb.yaml", 4),
    ("STO-01", "components/synapse.yaml", 55),
    // The admin API.
    ("SYN-29", "networking/synapse-ingress.yaml", 10),
];

/// What a person sees: the line, the place underlined, what happens, and what to do.
#[test]
fn a_person_sees_the_line_and_what_to_do() {
    let (code, out, err) = lint(&stack("naive"), &["apps/base/matrix"]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    let jvb = "
error[JIT-01]: hostNetwork with dnsPolicy ClusterFirst resolves no Service
  --> apps/base/matrix/components/jitsi/jvb.yaml:16:7  Deployment jitsi-jvb
16 |       hostNetwork: true
   |       ^^^^^^^^^^^
   at run time  the bridge cannot resolve Prosody and never joins: no bridge available
   do           set dnsPolicy: ClusterFirstWithHostNet beside hostNetwork
   fix          add dnsPolicy: ClusterFirstWithHostNet
";
    assert!(out.contains(jvb), "{out}");
    // The worst file first; at the end the numbers, and what to type next.
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("no `{text}` in:\n{out}"));
    let files = [
        "── apps/base/matrix/config/synapse-config.yaml",
        "── apps/base/matrix/components/jitsi/jvb.yaml",
    ];
    assert!(at(files[0]) < at(files[1]), "{out}");
    assert!(at("✘ apps/base/matrix: 6 critical, ") < at("  mxdoctor explain SYN-11"), "{out}");
    assert!(out.contains("  mxdoctor lint --fix apps/base/matrix  mends "), "{out}");
}

#[test]
fn rules_are_selected_by_id_and_family() {
    let of = |arguments: &[&str]| {
        let (code, report) =
            report(&stack("naive/apps/base/matrix"), &[&["components"], arguments].concat());
        let found = found(&report).into_iter();
        let mut rules: Vec<_> =
            found.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect();
        rules.sort();
        rules.dedup();
        (code, rules)
    };
    assert_eq!(of(&["--only", "JIT-0*"]).1, ["JIT-01", "JIT-03"]);
    assert_eq!(of(&["--only", "jit-0*", "--skip", "JIT-03,JIT-04"]).1, ["JIT-01"]);
    assert!(of(&["--only", "SYN"]).1.iter().all(|rule| rule.starts_with("SYN-")));
    assert!(of(&["--skip", "SYN"]).1.iter().all(|rule| !rule.starts_with("SYN-")));
    // Warnings alone fail nothing, unless told.
    assert_eq!(of(&["--only", "STO-08"]), (0, vec!["STO-08".to_owned()]));
    assert_eq!(of(&["--only", "STO-08", "--fail-on", "warn"]).0, 1);
    assert_eq!(of(&["--only", "JIT-26"]), (0, Vec::new()));

    // What could not be read is told all the same: nothing was looked for in it.
    let broken = folder(&[("a.yaml", b"a: [\n")]);
    let (code, report) = report(broken.path(), &[".", "--only", "JIT"]);
    assert_eq!((code, found(&report)), (1, vec!["LINT-04 a.yaml:2".to_owned()]));

    let (code, _, err) = lint(&stack("naive"), &[".", "--only", "JIT-99"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("did you mean `JIT-"), "{err}");
    let (code, _, err) = lint(&stack("naive"), &[".", "--only", "JIT-01", "--skip", "JIT"]);
    assert_eq!(code, 4, "{err}");
}
