//! Passwords where everybody reads along.

use mxdoctor_probes::manifest::{Node, Object};

use super::unseal::is_no_value;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// What stands in a ConfigMap, in a variable's `value` or in `homeserver.yaml` is read by
    /// everybody who sees the repository or may list ConfigMaps and pods. The value `passw0rd` is
    /// one that the images of Jitsi refuse.
    ///
    /// Source: Kubernetes, "ConfigMaps": not for confidential data; docker-jitsi-meet, `10-config`.
    LITERAL = "SEC-14" Critical: "no password stands in a ConfigMap or a variable"
    breaks "the value is known to all who see the files, and to their history"
    remedy "replace the value by a new one, in a Secret, and name it by secretKeyRef or by a file"
    cause "secret-in-plain-text"
    check "kubernetes.configmaps"
    look literal
}

/// Ends of names that are given to secrets alone.
const ENDS: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "_SECRET",
    "SECRET_KEY",
    "_TOKEN",
    "API_KEY",
    "PRIVATE_KEY",
    "_CREDENTIALS",
];

/// Options of Synapse that are secrets.
const OPTIONS: &[&str] = &[
    "registration_shared_secret",
    "macaroon_secret_key",
    "form_secret",
    "turn_shared_secret",
    "turn_password",
    "worker_replication_secret",
    "recaptcha_private_key",
    "database.args.password",
    "email.smtp_pass",
    "redis.password",
];

fn literal(stack: &Stack<'_>, found: &mut Found) {
    // A Secret's name is none itself.
    let named =
        |value: &Node| stack.secrets.iter().any(|made| value.scalar() == Some(made.name.as_str()));
    for workload in &stack.workloads {
        for container in workload.containers() {
            for item in container.node.list("env") {
                if let (Some(name), Some(value)) = (item.str("name"), item.get("value"))
                    && !named(value)
                {
                    tell(found, workload.object, name, value);
                }
            }
        }
    }
    for map in stack.inventory.of_kind("ConfigMap") {
        for entry in map.node.map("data").iter().filter(|entry| !named(&entry.node)) {
            tell(found, map, &entry.key, &entry.node);
        }
    }
    for file in stack.synapse.iter().flat_map(|synapse| &synapse.configuration) {
        for option in OPTIONS {
            let node = file.node.at(option);
            if let Some(node) = node.filter(|node| node.scalar().is_some_and(is_secret)) {
                let name = option.rsplit('.').next().unwrap_or(option);
                let message = format!("{name} can be read here by everybody");
                found.at(file.object, node, message);
            }
        }
    }
}

fn tell(found: &mut Found, object: &Object, name: &str, value: &Node) {
    let upper = name.to_uppercase();
    if !ENDS.iter().any(|end| upper.ends_with(end)) {
        return;
    }
    let Some(text) = value.scalar().filter(|text| is_secret(text)) else { return };
    let more = if text == "passw0rd" { ", and is one that Jitsi's images refuse" } else { "" };
    found.at(object, value, format!("{name} can be read here by everybody{more}"));
}

/// Whether a text may be a secret: no switch, no path, no address, nothing to be filled in.
fn is_secret(text: &str) -> bool {
    let text = text.trim();
    let word = matches!(
        text.to_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null"
    );
    !is_no_value(text) && !word && text.len() > 2 && !text.starts_with('/') && !text.contains("://")
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi, synapse};

    #[test]
    fn a_password_that_everybody_reads_is_found_without_its_value() {
        let text = jitsi("jvb", "JVB_AUTH_PASSWORD: passw0rd", "hostNetwork: false");
        let expected = "6:22 JVB_AUTH_PASSWORD can be read here by everybody, and is one that \
                        Jitsi's images refuse";
        assert_eq!(found("SEC-14", &text), [expected]);
        let text = synapse("database:\n  args: {password: hunter2}\nform_secret: abcdef");
        let expected = [
            "8:24 password can be read here by everybody",
            "9:18 form_secret can be read here by everybody",
        ];
        assert_eq!(found("SEC-14", &text), expected);
        let env =
            "        env:\n        - {name: JWT_APP_SECRET, value: hunter2}\n        envFrom:";
        let text = jitsi("web", "TZ: UTC", "hostNetwork: false").replace("        envFrom:", env);
        assert_eq!(found("SEC-14", &text).len(), 1);
    }

    #[test]
    fn names_paths_and_switches_are_no_passwords() {
        for good in [
            "JWT_ALLOW_EMPTY_TOKEN: 'true'",
            "SMTP_PASSWORD: /run/secrets/smtp",
            "SMTP_PASSWORD: ${SMTP_PASSWORD}",
            "PASSWORD_FILE: hunter2",
            "PUBLIC_URL: https://meet.a.example",
        ] {
            let text = jitsi("web", good, "hostNetwork: false");
            assert_eq!(found("SEC-14", &text), [""; 0], "{good}");
        }
        assert_eq!(found("SEC-14", &synapse("form_secret: ${FORM_SECRET}")), [""; 0]);
    }

    #[test]
    fn the_name_of_a_secret_is_none_itself() {
        let text = jitsi("web", "TLS_SECRET: web-tls", "hostNetwork: false");
        assert_eq!(found("SEC-14", &text).len(), 1);
        let made = "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: w}\n\
                    spec: {secretName: web-tls}\n";
        assert_eq!(found("SEC-14", &(text + made)), [""; 0]);
    }
}
