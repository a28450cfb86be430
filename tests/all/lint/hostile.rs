//! Files that no manifest should be: each is told for what it is, within bounds.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{folder, lint, texts};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";

/// Address space for a run, in KiB.
const MEMORY: &str = "1500000";
/// Longer than any run takes, also on a machine that does much else.
const TIME: Duration = Duration::from_secs(240);

/// A run under a bound of memory and time.
fn bounded(folder: &Path, path: &str) -> (i32, String, String) {
    let script = "ulimit -v $1 && shift && exec \"$@\"";
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash", MEMORY, env!("CARGO_BIN_EXE_mxdoctor"), "lint", path]);
    command.args(["--report", "short"]).current_dir(folder).stdin(Stdio::null());
    let files = [0; 2].map(|_| tempfile::tempfile().expect("a file"));
    let [out, err] = files.each_ref().map(|file| file.try_clone().expect("a handle"));
    let mut child = command.stdout(out).stderr(err).spawn().expect("bash runs");
    let began = Instant::now();
    while child.try_wait().expect("it is ours").is_none() {
        if began.elapsed() > TIME {
            child.kill().expect("it is ours");
            panic!("{path} took more than {TIME:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = child.wait().expect("it ended");
    let [stdout, stderr] = files.map(|mut file| {
        use std::io::{Read as _, Seek as _};
        let mut bytes = Vec::new();
        file.rewind().expect("a file");
        file.read_to_end(&mut bytes).expect("a file");
        bytes
    });
    texts(&std::process::Output { status, stdout, stderr })
}

/// A file's bytes, the exit code, and the first words of what is said of it.
#[test]
fn each_broken_file_is_told_with_its_line() {
    let utf16 = |order: fn(u16) -> [u8; 2], mark: &[u8]| -> Vec<u8> {
        let units = MAP.encode_utf16().flat_map(order);
        mark.iter().copied().chain(units).collect()
    };
    let behind = |text: &str| format!("{MAP}{text}").into_bytes();
    let deep = format!("  x: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    let maps: String = (1..200).map(|depth| format!("{}a:\n", " ".repeat(depth * 2))).collect();
    let bomb: String = ('b'..='i')
        .map(|name| {
            let before = char::from(name as u8 - 1);
            format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "))
        })
        .collect();
    let nested: String = (0..90).map(|at| format!("{}a{at}: &a{at}\n", " ".repeat(at))).collect();
    let nested = format!("{nested}{}b: [{}]\n", " ".repeat(90), "1, ".repeat(2000));
    let cases: Vec<(&str, Vec<u8>, i32, &str)> = vec![
        ("a map", behind(""), 0, "pass"),
        ("UTF-16, little end first", utf16(u16::to_le_bytes, b"\xff\xfe"), 0, "pass"),
        ("UTF-16, big end first", utf16(u16::to_be_bytes, b"\xfe\xff"), 0, "pass"),
        (
            "half of UTF-16",
            b"\xff\xfea\0b".to_vec(),
            1,
            "fail lint.LINT-04[a.yaml:1:1]: the byte order mark says UTF-16",
        ),
        ("a byte order mark", [b"\xef\xbb\xbf", &behind("")[..]].concat(), 0, "pass"),
        (
            "Latin 1",
            [&behind("  x: caf")[..], b"\xe9\n"].concat(),
            1,
            "fail lint.LINT-04[a.yaml:7:9]: the byte 0xe9 is not UTF-8",
        ),
        (
            "NUL",
            behind("  x: a\0b\n"),
            1,
            "fail lint.LINT-04[a.yaml:7:7]: the control character U+0000",
        ),
        (
            "an escape",
            behind("  x: \u{1b}[2J\n"),
            1,
            "fail lint.LINT-04[a.yaml:7:6]: the control character U+001B",
        ),
        ("a bracket", behind("  x: [1, 2\n  y: 3\n"), 1, "fail lint.LINT-04[a.yaml:8:4]: "),
        ("a quote", behind("  x: \"abc\n"), 1, "fail lint.LINT-04[a.yaml:7:6]: "),
        ("a colon", behind("  x: see: there\n"), 1, "fail lint.LINT-04[a.yaml:7:9]: "),
        (
            "a tab",
            MAP.replace("  name", "\tname").into_bytes(),
            1,
            "fail lint.LINT-04[a.yaml:4:2]: tab",
        ),
        ("tabs where they may be", behind("  x:\ty\n  z: \t1\n"), 0, "pass"),
        (
            "a key twice",
            behind("  k: w\n"),
            0,
            "warn lint.LINT-09[a.yaml:7:3]: `k` stands twice in one map",
        ),
        (
            "no kind",
            b"apiVersion: v1\nmetadata:\n  name: a\n".to_vec(),
            1,
            "fail lint.LINT-04[a.yaml:3:9]: an object without `kind`",
        ),
        (
            "brackets",
            behind(&deep),
            3,
            "error lint.LINT-08[a.yaml:7:261]: what is nested deeper than 100 is not read",
        ),
        (
            "maps",
            behind(&maps),
            3,
            "error lint.LINT-08[a.yaml:107:203]: what is nested deeper than 100 is not read",
        ),
        (
            "aliases of aliases",
            format!("a: &a [x, x, x, x, x, x, x, x, x]\n{bomb}").into_bytes(),
            3,
            "error lint.LINT-08[a.yaml:5:4]: aliases that come to more than 100000 values",
        ),
        ("anchors in anchors", nested.into_bytes(), 3, "error lint.LINT-08"),
        (
            "a template",
            b"kind: {{ .Values.kind }}\n".to_vec(),
            3,
            "error lint.LINT-05[a.yaml:1:7]: a template of Helm",
        ),
        (
            "a template in lines",
            b"{{- if .Values.on }}\nkind: A\n{{- end }}\n".to_vec(),
            3,
            "error lint.LINT-05[a.yaml:1:1]: a template of Helm",
        ),
    ];
    for (name, bytes, wanted, words) in cases {
        let folder = folder(&[("a.yaml", &bytes)]);
        let (code, out, err) = bounded(folder.path(), "a.yaml");
        assert_eq!((code, err.as_str()), (wanted, ""), "{name}: {out}");
        assert!(out.starts_with(words), "{name}: {out}");
    }
}

#[test]
fn json_and_lists_are_manifests() {
    let list = "{\n\t\"apiVersion\": \"v1\", \"kind\": \"List\",\n\t\"items\": [{\"apiVersion\": \
                \"v1\", \"kind\": \"ConfigMap\",\n\t\t\"metadata\": {\"name\": \"a\"}, \"data\": \
                {\"k\": \"\\ud83d\\ude00 \\/\"}},\n\t{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \
                \"metadata\": {\"name\": \"b\"}}]\n}\n";
    let folder = folder(&[("a.json", list.as_bytes()), ("tsconfig.json", b"{ // no manifest\n}")]);
    let (code, out, err) = lint(folder.path(), &["."]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("2 objects in 1 file"), "{out}");
    // A file that is named twice is there once.
    let (_, out, _) = lint(folder.path(), &["a.json", ".", "./a.json"]);
    assert!(out.contains("2 objects in 1 file"), "{out}");
}

#[test]
fn what_is_too_much_is_not_read_and_said() {
    let large = format!("{MAP}  x: {}\n", "y".repeat(100 << 20));
    let folder = folder(&[("a.yaml", large.as_bytes())]);
    let (code, out, err) = bounded(folder.path(), ".");
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    assert!(
        out.starts_with("error lint.LINT-08[a.yaml:1:1]: the file has more than 16 MiB"),
        "{out}"
    );
    let stdin = std::fs::File::open(folder.path().join("a.yaml")).expect("a file");
    let mut command = crate::cli::mxdoctor();
    let output = command.args(["lint", "-", "--report", "short"]).stdin(stdin).output();
    let (code, out, _) = texts(&output.expect("the binary runs"));
    assert_eq!(code, 3, "{out}");

    // Files that are each small enough, one of them as dense as YAML can be.
    let large = format!("{MAP}  x: {}\n", "y".repeat(15 << 20));
    for at in 0..3 {
        let text = large.replace("name: a", &format!("name: a{at}"));
        std::fs::write(folder.path().join(format!("a{at}.yaml")), text).expect("written");
    }
    let dense = format!("{MAP}x:\n{}", "- a\n".repeat(1 << 20));
    std::fs::write(folder.path().join("b0.yaml"), &dense).expect("written");
    std::fs::write(folder.path().join("b1.yaml"), &large).expect("written");
    let (code, out, err) = bounded(folder.path(), ".");
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    let said = "error lint.LINT-08[b1.yaml:1:1]: this and more files were not read: 64 MiB";
    assert!(out.contains(said), "{out}");
}

#[test]
fn twenty_thousand_files_are_half_read_and_that_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    for at in 0..20_000 {
        let text = MAP.replace("name: a", &format!("name: a{at:05}"));
        std::fs::write(folder.path().join(format!("{at:05}.yaml")), text).expect("written");
    }
    let (code, out, err) = bounded(folder.path(), ".");
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    let said = "error lint.LINT-08[10000.yaml:1:1]: this and more files were not read: 10000";
    assert!(out.contains(said), "{out}");
    assert_eq!(out.matches("were not read").count(), 1, "{out}");
}

#[test]
fn objects_without_end_are_told() {
    let many: String = (0..25_000)
        .map(|at| format!("---\n{}", MAP.replace("name: a", &format!("name: a{at}"))))
        .collect();
    let folder = folder(&[("a.yaml", many.as_bytes())]);
    let (code, out, err) = bounded(folder.path(), ".");
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    assert!(out.contains("this and more objects were not read: 20000 are enough"), "{out}");
}

#[test]
fn links_pipes_and_devices_hold_nobody_up() {
    use std::os::unix::fs::symlink;
    let folder = folder(&[
        ("a.yaml", MAP.as_bytes()),
        ("deep/a.yaml", MAP.replace("name: a", "name: b").as_bytes()),
    ]);
    let at = |name: &str| folder.path().join(name);
    symlink("..", at("deep/up")).expect("a link");
    symlink("self.yaml", at("self.yaml")).expect("a link");
    symlink("gone", at("dangling.yaml")).expect("a link");
    symlink("/dev/zero", at("zero.yaml")).expect("a link");
    symlink("a.yaml", at("again.yaml")).expect("a link");
    let made = Command::new("mkfifo").arg(at("pipe.yaml")).status().expect("mkfifo runs");
    assert!(made.success());
    let (code, out, err) = bounded(folder.path(), ".");
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        &lines[..4],
        [
            "error lint.LINT-08[dangling.yaml:1:1]: it cannot be opened: No such file or directory (os error 2) (manifest-not-read)",
            "error lint.LINT-08[pipe.yaml:1:1]: it is no file: a pipe, a socket or a device (manifest-not-read)",
            "error lint.LINT-08[self.yaml:1:1]: it cannot be opened: Too many levels of symbolic links (os error 40) (manifest-not-read)",
            "error lint.LINT-08[zero.yaml:1:1]: it is no file: a pipe, a socket or a device (manifest-not-read)",
        ]
    );
    assert_eq!(lines.len(), 5, "{out}");
    // A device without an end, given by name.
    let (code, out, _) = bounded(folder.path(), "zero.yaml");
    assert_eq!(code, 3);
    assert!(out.contains("more than 16 MiB"), "{out}");
}

#[test]
fn bases_that_bring_each_other_in_end() {
    let folder = folder(&[
        ("a/kustomization.yaml", b"resources: [../b]\n"),
        ("b/kustomization.yaml", b"resources: [../c, a.yaml]\n"),
        ("b/a.yaml", MAP.as_bytes()),
        ("c/kustomization.yaml", b"resources: [../a]\n"),
    ]);
    let (code, out, err) = bounded(folder.path(), "a");
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("fail lint.LINT-07[c/kustomization.yaml:1:13]: "), "{out}");
    assert!(out.contains("cycle"), "{out}");
}

/// Folders without an end, as far as is looked.
#[test]
fn folders_that_go_on_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("a/".repeat(60));
    std::fs::create_dir_all(&deep).expect("made");
    std::fs::write(deep.join("a.yaml"), MAP).expect("written");
    let (code, out, err) = bounded(folder.path(), ".");
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    assert!(out.contains("this and more folders were not read: too many or too deep"), "{out}");
}
