//! Secrets that everybody who has the files can read.

use mxdoctor_probes::manifest::{Entry, Node, Object};

use super::unseal::{base64, is_no_value, is_rendered};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A Secret is encoded, not encrypted: base64 hides nothing. What once stood in a repository
    /// stays in its history and in every copy of it.
    ///
    /// Objects that a chart rendered are not meant, nor what SOPS encrypted, nor values that are no
    /// secrets: certificates, names, addresses without a password in them.
    ///
    /// Source: Kubernetes, "Secrets", caution; sealed-secrets, README.
    IN_PLAIN_TEXT = "SEC-01" Critical: "no Secret stands in the files in plain text"
    breaks "whoever sees the repository, or any copy of its history, has the values"
    remedy "replace every value by a new one, and keep it as a SealedSecret"
    cause "secret-in-plain-text"
    check "kubernetes.secrets"
    look_in_files in_plain_text
}

rule! {
    /// A signing key is one line of three words: `ed25519`, a version such as `a_AbCd`, and the
    /// seed of 32 bytes in base64 without padding. Where the text is visible it can be held
    /// against that.
    ///
    /// Source: `signedjson.key.read_signing_keys`, which Synapse reads it with.
    SIGNING_KEY = "SEC-15" Warning: "a signing key has the form of one"
    breaks "Synapse does not start: error reading signing_key"
    remedy "put the file in as `generate_signing_key` wrote it, with the line's end"
    cause "signing-key-unreadable"
    check "kubernetes.secrets"
    look_in_files signing_key
}

fn in_plain_text(stack: &Stack<'_>, found: &mut Found) {
    for secret in stack.inventory.of_kind("Secret").filter(|it| it.api_version() == "v1") {
        if secret.node.get("sops").is_some() || is_rendered(secret) || is_generated(secret) {
            continue;
        }
        let encoded = secret.node.map("data").iter().filter(|entry| {
            let text = entry.node.as_str().filter(|text| !is_no_value(text)).and_then(base64);
            text.is_some_and(|bytes| is_secret(&entry.key, &String::from_utf8_lossy(&bytes)))
        });
        let plain =
            secret.node.map("stringData").iter().filter(|entry| {
                entry.node.scalar().is_some_and(|text| is_secret(&entry.key, text))
            });
        let shown: Vec<&Entry> = encoded.chain(plain).collect();
        let Some(first) = shown.first() else { continue };
        let names: Vec<_> = shown.iter().map(|entry| entry.key.as_str()).collect();
        let message = format!("{} can be read here by everybody", names.join(", "));
        found.place(secret, first.place.clone(), message);
    }
}

/// Made by a kustomization, whose values may come from files that are in no repository.
fn is_generated(secret: &Object) -> bool {
    let name = &secret.place().source.name;
    name.rsplit('/').next().is_some_and(|file| file.to_lowercase().starts_with("kustomization"))
}

/// Keys, by their last word, whose values are no secret.
const PUBLIC: &[&str] = &[
    "crt",
    "username",
    "user",
    "name",
    "dbname",
    "database",
    "db",
    "host",
    "hostname",
    "server",
    "port",
    "type",
    "project",
    "region",
    "bucket",
    "endpoint",
    "email",
    "namespace",
];

/// Whether a value is worth hiding: no name, no address without a password in it, no settings
/// without a word of one.
fn is_secret(key: &str, text: &str) -> bool {
    let key = key.to_lowercase();
    let last = key.rsplit(['.', '-', '_']).next().unwrap_or_default();
    if is_no_value(text) || PUBLIC.contains(&last) {
        return false;
    }
    let text = text.trim().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word) || key.contains(word));
    if text.starts_with('{') {
        return has(&["password", "token", "secret", "keydata", "private"]);
    }
    if text.contains(char::is_whitespace) {
        return !text.starts_with("-----begin certificate") || has(&["private"]);
    }
    if let Some((_, rest)) = text.split_once("://") {
        return rest.contains(['@', '?']) || has(&["password", "token", "secret", "hook"]);
    }
    if text.starts_with('/') {
        return has(&["password", "token", "secret"]);
    }
    !matches!(text.as_str(), "true" | "false")
}

fn signing_key(stack: &Stack<'_>, found: &mut Found) {
    let maps = stack.inventory.of_kind("ConfigMap").map(|object| (object, "data", false));
    let secrets = stack.inventory.of_kind("Secret");
    let secrets = secrets.flat_map(|it| [(it, "data", true), (it, "stringData", false)]);
    for (object, path, encoded) in maps.chain(secrets) {
        let keys = object.node.map(path).iter();
        for entry in keys.filter(|entry| entry.key.ends_with("signing.key")) {
            let Some(text) = entry.node.as_str().filter(|text| !is_no_value(text)) else {
                continue;
            };
            let text = if encoded {
                base64(text).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
            } else {
                text.to_owned()
            };
            if let Some(wrong) = wrong(&text) {
                let node: &Node = &entry.node;
                let message = format!("{} is no signing key: {wrong}", entry.key);
                found.place(object, node.place.clone(), message);
            }
        }
    }
}

/// What is wrong with a signing key's text; says nothing of its value.
fn wrong(text: &str) -> Option<String> {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [algorithm, _, seed] = words[..] else {
            return Some(format!("a line has three words, and here {}", words.len()));
        };
        if algorithm != "ed25519" {
            return Some("its first word is `ed25519`".to_owned());
        }
        let padded = format!("{}=", seed.trim_end_matches('='));
        if base64(&padded).is_none_or(|seed| seed.len() != 32) {
            return Some("its third word is 32 bytes in base64".to_owned());
        }
    }
    text.trim().is_empty().then(|| "it is empty, or no text".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n";

    #[test]
    fn a_secret_in_plain_text_is_found_without_its_value() {
        let text = format!("{SECRET}stringData:\n  username: me\n  password: hunter2\n");
        assert_eq!(found("SEC-01", &text), ["7:3 password can be read here by everybody"]);
        let text = format!("{SECRET}data:\n  ca.crt: QUFB\n  token: QUFB\n  key: QUFB\n");
        assert_eq!(found("SEC-01", &text), ["7:3 token, key can be read here by everybody"]);
    }

    #[test]
    fn what_is_encrypted_rendered_or_public_is_right() {
        for good in [
            format!("{SECRET}stringData:\n  password: ${{PASSWORD}}\n"),
            format!("{SECRET}stringData:\n  uri: postgres://me:<path:kv/a#b>@db.a.example/a\n"),
            format!("{SECRET}stringData:\n  password: vault:kv/data/a#password\n"),
            format!("{SECRET}stringData:\n  password: ENC[AES256_GCM,data:x]\nsops: {{}}\n"),
            format!("{SECRET}data:\n  ca.crt: QUFB\n"),
            format!("{SECRET}  labels: {{helm.sh/chart: a-1}}\ndata:\n  password: QUFB\n"),
            format!("{SECRET}data: {{}}\n"),
            format!("{SECRET}stringData:\n  RESTIC_REPOSITORY: s3:http://s3.example.org/b\n"),
            format!("{SECRET}stringData:\n  db_host: db.example.org\n  port: '5432'\n"),
            format!("{SECRET}stringData:\n  config: '{{\"tls\": {{\"insecure\": false}}}}'\n"),
        ] {
            assert_eq!(found("SEC-01", &good), [""; 0], "{good}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_a_secret() {
        for bad in [
            "uri: postgres://me:hunter2@db.example.org/a",
            "config: '{\"bearerToken\": \"hunter2\"}'",
            "tls.key: x",
            "anything: hunter2",
        ] {
            assert_eq!(
                found("SEC-01", &format!("{SECRET}stringData:\n  {bad}\n")).len(),
                1,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_signing_key_has_three_words() {
        let key = |text: &str| format!("{SECRET}stringData:\n  signing.key: \"{text}\"\n");
        let seed = "A".repeat(43);
        assert_eq!(found("SEC-15", &key(&format!("ed25519 a_AbCd {seed}\\n"))), [""; 0]);
        for (text, expected) in [
            (seed.clone(), "a line has three words, and here 1"),
            ("ed25519 a_AbCd AAAA".to_owned(), "its third word is 32 bytes in base64"),
            (format!("rsa a_AbCd {seed}"), "its first word is `ed25519`"),
        ] {
            let expected = format!("6:16 signing.key is no signing key: {expected}");
            assert_eq!(found("SEC-15", &key(&text)), [expected]);
        }
        let encoded = format!("{SECRET}data:\n  signing.key: QUFB\n");
        assert_eq!(found("SEC-15", &encoded).len(), 1);
    }
}
