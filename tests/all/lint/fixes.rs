//! `--fix` and `--diff`.

use std::path::Path;
use std::process::Command;

use super::{copy, files, folder, found, lint, report};

const TREE: &str = "apps/base/matrix";

fn contents(folder: &Path) -> Vec<(String, String)> {
    let name = |path: &Path| path.strip_prefix(folder).expect("below").display().to_string();
    let read = |path: &Path| std::fs::read_to_string(path).expect("a text");
    files(folder).iter().map(|path| (name(path), read(path))).collect()
}

/// Lines that are in one of two texts only.
fn changed(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let only = |one: &str, other: &str| {
        one.split('\n')
            .filter(|line| !other.split('\n').any(|known| known == *line))
            .map(str::to_owned)
            .collect()
    };
    (only(old, new), only(new, old))
}

#[test]
fn fixes_change_what_they_say_and_nothing_else() {
    let tree = copy("naive");
    let old = contents(tree.path());
    let (code, out, err) = lint(tree.path(), &[TREE, "--only", "JIT-01,ELE-06", "--fix"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(err, "2 findings mended in 2 files\n");
    let new = contents(tree.path());
    let touched = old.iter().zip(&new).filter(|(old, new)| old != new);
    let all: Vec<_> = touched.map(|(old, new)| (old.0.as_str(), changed(&old.1, &new.1))).collect();
    let line = |text: &str| vec![text.to_owned()];
    let policy = line("      dnsPolicy: ClusterFirstWithHostNet");
    let key = |key: &str| line(&format!("        \"{key}\": \"meet.testing.borooka.ee\""));
    assert_eq!(
        all,
        [
            ("apps/base/matrix/components/jitsi/jvb.yaml", (vec![], policy)),
            (
                "apps/base/matrix/config/element-config.yaml",
                (key("preferredDomain"), key("preferred_domain"))
            ),
        ]
    );
}

#[test]
fn all_fixes_at_once_mend_and_the_diff_does_the_same() {
    let tree = copy("naive");
    let (_, before) = report(tree.path(), &[TREE]);
    let fixes = before.checks.iter().filter_map(|check| check.rule.as_ref()?.fix.as_ref()).count();
    assert!(fixes >= 2);
    let old = contents(tree.path());
    let (code, diff, err) = lint(tree.path(), &[TREE, "--diff"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(contents(tree.path()), old, "--diff changes nothing");

    let (code, out, err) = lint(tree.path(), &[TREE, "--fix"]);
    assert_eq!(code, 1, "{out}{err}");
    let new = contents(tree.path());
    let (_, after) = report(tree.path(), &[TREE]);
    let (found, left) = (found(&before), found(&after));
    assert!(left.len() <= found.len() - fixes, "{left:#?}");
    assert!(!left.iter().any(|line| line.starts_with("LINT-")), "{left:#?}");
    let (_, _, err) = lint(tree.path(), &[TREE, "--fix"]);
    assert_eq!(err, "there is nothing that can be mended without asking\n");
    assert_eq!(contents(tree.path()), new, "once is enough");

    let patched = copy("naive");
    patch(patched.path(), &diff);
    assert_eq!(contents(patched.path()), new);
}

fn patch(folder: &Path, diff: &str) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), diff).expect("written");
    let mut patch = Command::new("patch");
    patch.args(["--batch", "--strip=1", "--binary", "--input"]).arg(file.path());
    let output = patch.current_dir(folder).output().expect("patch is installed");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !said.contains("fuzz"), "{said}\n{diff}");
}

/// Element's configuration with the old key, as an object in one line of JSON within a block.
const ELEMENT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: element-config\ndata:\n  config.json: |\n    {\"default_server_config\": {\"m.homeserver\": {\"base_url\": \"https://a.example\"}},\n     \"jitsi\": {\"preferredDomain\": \"meet.example\"}}";

#[test]
fn ends_of_lines_and_byte_order_marks_are_kept() {
    let unix = format!("{ELEMENT}\n");
    let windows = unix.replace('\n', "\r\n");
    let marked = format!("\u{feff}{windows}");
    let alone = "\u{feff}{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\"}".to_owned();
    for old in [ELEMENT.to_owned(), unix, windows, marked] {
        let new = old.replace("preferredDomain", "preferred_domain");
        let name = "a folder/element config.yaml";
        let tree = folder(&[(name, old.as_bytes()), ("b.json", alone.as_bytes())]);
        let (_, diff, err) = lint(tree.path(), &[".", "--diff"]);
        assert_eq!(err, "", "{diff}");
        patch(tree.path(), &diff);
        let read = || std::fs::read_to_string(tree.path().join(name)).expect("a text");
        assert_eq!(read(), new, "{diff}");
        std::fs::write(tree.path().join(name), &old).expect("written");
        let (_, _, err) = lint(tree.path(), &[".", "--fix"]);
        assert_eq!(err, "1 finding mended in 1 file\n");
        assert_eq!(read(), new);
    }
}

#[test]
fn what_is_not_ours_to_change_is_left() {
    // Another encoding, a file outside of what was given, standard input.
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(ELEMENT.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let tree = folder(&[("a.yaml", &utf16)]);
    let (code, _, err) = lint(tree.path(), &["a.yaml", "--fix"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("not mended: a.yaml:8:16: ELE-06: a.yaml is no file in UTF-8"), "{err}");
    assert_eq!(std::fs::read(tree.path().join("a.yaml")).expect("a file"), utf16);

    let tree = folder(&[
        ("over/kustomization.yaml", b"resources: [../base]\n"),
        ("base/kustomization.yaml", b"resources: [a.yaml]\n"),
        ("base/a.yaml", ELEMENT.as_bytes()),
    ]);
    let (_, _, err) = lint(tree.path(), &["over", "--fix"]);
    assert!(err.contains("base/a.yaml is outside of what was given"), "{err}");
    // A wrong report is told before anything is changed.
    let (code, ..) = lint(tree.path(), &["base", "--fix", "--report", "sarfi"]);
    assert_eq!(code, 2);
    let text = std::fs::read_to_string(tree.path().join("base/a.yaml")).expect("a text");
    assert_eq!(text, ELEMENT);
}
