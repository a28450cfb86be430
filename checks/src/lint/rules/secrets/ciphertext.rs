//! What is visible of sealed values.

use std::collections::HashMap;

use mxdoctor_probes::manifest::{Entry, Object};

use super::scope::is_cluster_wide;
use super::unseal::{base64, is_no_value};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A sealed value is base64 of: two bytes with the length of a key sealed with RSA, that key,
    /// and the value with its seal of 16 bytes. Anything else was not made by `kubeseal`, or was
    /// cut off when it was copied.
    ///
    /// Source: sealed-secrets, `pkg/crypto/crypto.go`.
    NOT_SEALED = "SEC-09" Error: "every value of a SealedSecret is sealed"
    breaks "the controller opens nothing of it, and pods wait for the Secret"
    remedy "seal the value again with kubeseal, and copy all of it; replace one that was readable"
    cause "sealed-secret-refused"
    check "kubernetes.sealed_secrets"
    look not_sealed
}

rule! {
    /// `spec.data` is the form of before 2018, with all values in one.
    ///
    /// Source: sealed-secrets, `SealedSecretSpec.Data`, deprecated.
    OLD_FORM = "SEC-12" Warning: "a SealedSecret has its values in encryptedData"
    breaks "a later controller passes over it"
    remedy "seal it again with the present kubeseal"
    cause "configuration-deprecated"
    check "kubernetes.sealed_secrets"
    look old_form
}

rule! {
    /// No two sealings give the same text, not even of one value. The same text under two keys was
    /// copied: both have one value, or the other object cannot open it.
    ///
    /// Source: sealed-secrets, `pkg/crypto/crypto.go`: a new session key for each value.
    TWICE = "SEC-13" Info: "no sealed value stands under two keys"
    breaks "two accounts share a password, or the copy cannot be opened"
    remedy "seal a value of its own for each key"
    cause "secret-value-wrong"
    check "kubernetes.sealed_secrets"
    look_in_files twice
}

/// The sealed values.
fn sealed<'a>(stack: &Stack<'a>) -> impl Iterator<Item = (&'a Object, &'a Entry)> {
    let all = stack.inventory.of_kind("SealedSecret");
    all.flat_map(|object| {
        object.node.map("spec.encryptedData").iter().map(move |entry| (object, entry))
    })
}

fn not_sealed(stack: &Stack<'_>, found: &mut Found) {
    for (object, entry) in sealed(stack) {
        let text = entry.node.scalar().unwrap_or_default();
        if !text.is_empty() && is_no_value(text) {
            continue;
        }
        if let Some(wrong) = wrong(text) {
            let message = format!("{} is not sealed: {wrong}", entry.key);
            found.place(object, entry.place.clone(), message);
        }
    }
}

/// What shows that a text is no sealed value; says nothing of what it is.
fn wrong(text: &str) -> Option<String> {
    const SEAL: usize = 16;
    let Some(bytes) = base64(text) else { return Some("it is no base64".to_owned()) };
    let [high, low, ..] = bytes[..] else { return Some("it is empty".to_owned()) };
    let key = usize::from(u16::from_be_bytes([high, low]));
    if !matches!(key, 256 | 384 | 512 | 1024) {
        return Some("it does not begin as kubeseal's values do".to_owned());
    }
    let least = 2 + key + SEAL;
    (bytes.len() < least)
        .then(|| format!("it has {} bytes, and the least is {least}: it was cut off", bytes.len()))
}

fn old_form(stack: &Stack<'_>, found: &mut Found) {
    for object in stack.inventory.of_kind("SealedSecret") {
        if let Some(entry) = object.at("spec").and_then(|spec| spec.entry("data")) {
            let message = "all values stand in one, in the form of before 2018";
            found.place(object, entry.place.clone(), message);
        }
    }
}

fn twice(stack: &Stack<'_>, found: &mut Found) {
    let mut seen: HashMap<&str, (&Object, &Entry)> = HashMap::new();
    for (object, entry) in sealed(stack) {
        let Some(text) = entry.node.as_str().filter(|text| text.len() > 300) else { continue };
        // One that every namespace can open is meant to be copied.
        if is_cluster_wide(object) {
            continue;
        }
        match seen.get(text) {
            Some((first, key))
                if first.to_string() != object.to_string() || key.key != entry.key =>
            {
                let message = format!(
                    "{} has the sealed value of {} in {}",
                    entry.key,
                    key.key,
                    first.name()
                );
                found
                    .place(object, entry.place.clone(), message)
                    .also_place(&key.place, "the same text");
            }
            Some(_) => {}
            None => {
                seen.insert(text, (object, entry));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found;

    /// A text as `kubeseal` makes it: 512 bytes of key, 16 of seal.
    fn value(fill: &str) -> String {
        format!("AgA{}", fill.repeat(721))
    }

    fn with(data: &str) -> String {
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: s\nspec:\n  \
             encryptedData:\n    {data}\n"
        )
    }

    #[test]
    fn a_sealed_value_is_right() {
        let length = value("B").len();
        assert_eq!(length % 4, 0, "{length}");
        let text = with(&format!("a: {}\n    b: {}", value("B"), value("C")));
        for rule in ["SEC-09", "SEC-12", "SEC-13"] {
            assert_eq!(found(rule, &text), [""; 0], "{rule}");
        }
        assert_eq!(found("SEC-09", &with("a: ${FROM_FLUX}")), [""; 0]);
    }

    #[test]
    fn what_was_not_sealed_is_found_without_its_value() {
        for (data, expected) in [
            ("a: hunter2!", "a is not sealed: it is no base64"),
            ("a: ''", "a is not sealed: it is empty"),
            ("a: aHVudGVyMg==", "a is not sealed: it does not begin as kubeseal's values do"),
            (
                "a: AgAAAAAA",
                "a is not sealed: it has 6 bytes, and the least is 530: it was cut off",
            ),
        ] {
            assert_eq!(found("SEC-09", &with(data)), [format!("7:5 {expected}")]);
        }
    }

    #[test]
    fn a_copied_value_is_found() {
        let text = with(&format!("a: {0}\n    b: {0}", value("B")));
        assert_eq!(found("SEC-13", &text), ["8:5 b has the sealed value of a in s"]);
    }

    #[test]
    fn the_old_form_is_found() {
        let text = with("a: x").replace("encryptedData:\n    a: x", "data: AgA=");
        let expected = "6:3 all values stand in one, in the form of before 2018";
        assert_eq!(found("SEC-12", &text), [expected]);
    }
}
