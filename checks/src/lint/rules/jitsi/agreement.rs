//! What the four parts must agree on.

use mxdoctor_probes::manifest::Place;

use super::variable::{Variable, variable};
use crate::lint::view::{EnvValue, JitsiPart};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Prosody makes the accounts of focus and bridge with the passwords that it is given. Theirs
    /// have to come from the same key of the same Secret.
    ///
    /// Source: docker-jitsi-meet, `prosody/rootfs/etc/cont-init.d/10-config`.
    PASSWORDS = "JIT-10" Error: "Prosody has the passwords of focus and bridge"
    breaks "they are not let in, again and again: not-authorized, and no conference begins"
    remedy "name the same Secret and key in both"
    cause "xmpp-password-wrong"
    check "kubernetes.secrets"
    look passwords
}

rule! {
    /// All parts meet in rooms of Prosody whose names are made of these variables. Each has its
    /// default in every image; one that is changed has to be changed for all who read it.
    ///
    /// Source: docker-jitsi-meet, `env.example` and the templates of the four images.
    NAMES = "JIT-14" Error: "the parts of Jitsi have the same XMPP names"
    breaks "focus and bridge look in a room where nobody is, or Prosody answers host-unknown"
    remedy "keep the names in one ConfigMap that all four read by envFrom"
    cause "xmpp-domain-mismatch"
    check "kubernetes.configmaps"
    look names
}

/// A part of the stack, by its name.
fn part<'a>(stack: &Stack<'a>, name: &str) -> Vec<JitsiPart<'a>> {
    let parts = stack.jitsi.parts().into_iter();
    parts.filter(|(it, _)| *it == name).map(|(_, part)| part).collect()
}

fn passwords(stack: &Stack<'_>, found: &mut Found) {
    let Some(prosody) = &stack.jitsi.prosody else { return };
    for (who, name) in [("jicofo", "JICOFO_AUTH_PASSWORD"), ("jvb", "JVB_AUTH_PASSWORD")] {
        let Variable::Given(theirs) = variable(stack, prosody, name) else { continue };
        for part in part(stack, who) {
            let Variable::Given(own) = variable(stack, &part, name) else { continue };
            let (one, other) = match (&theirs.value, &own.value) {
                (
                    EnvValue::Secret { name: s, key: k, .. },
                    EnvValue::Secret { name: t, key: l, .. },
                ) => (format!("{k} of {s}"), format!("{l} of {t}")),
                // Two literals: that they differ is said, not what they are.
                (EnvValue::Known(one), EnvValue::Known(other)) => {
                    if one.scalar() == other.scalar() {
                        continue;
                    }
                    ("another value".to_owned(), "this one".to_owned())
                }
                _ => continue,
            };
            if one != other {
                let message = format!("{who} has {other}, and Prosody {one}");
                found
                    .place(part.workload.object, own.place, message)
                    .also_place(&theirs.place, "Prosody's");
            }
        }
    }
}

/// The variables with their defaults, and who reads each; the first of them is held right.
const NAMED: &[(&str, &str, &[&str])] = &[
    ("XMPP_DOMAIN", "meet.jitsi", &["prosody", "jicofo", "web"]),
    ("XMPP_AUTH_DOMAIN", "auth.meet.jitsi", &["prosody", "jicofo", "jvb", "web"]),
    ("XMPP_MUC_DOMAIN", "muc.meet.jitsi", &["prosody", "jicofo", "web"]),
    ("XMPP_INTERNAL_MUC_DOMAIN", "internal-muc.meet.jitsi", &["prosody", "jicofo", "jvb"]),
    ("JVB_AUTH_USER", "jvb", &["prosody", "jvb"]),
    ("JVB_BREWERY_MUC", "jvbbrewery", &["jicofo", "jvb"]),
];

/// A variable's value in a part, and where it is given or would be.
fn value(
    stack: &Stack<'_>,
    part: &JitsiPart<'_>,
    name: &str,
    default: &str,
) -> Option<(String, Place)> {
    match variable(stack, part, name) {
        Variable::Given(env) => Some((env.known()?.to_owned(), env.place.clone())),
        Variable::Missing => {
            let node = part.container.node;
            Some((default.to_owned(), node.get("name").unwrap_or(node).place.clone()))
        }
        Variable::Unknown => None,
    }
}

fn names(stack: &Stack<'_>, found: &mut Found) {
    for (name, default, readers) in NAMED {
        let mut first: Option<(&str, String, Place)> = None;
        for who in *readers {
            for part in part(stack, who) {
                let Some((text, place)) = value(stack, &part, name, default) else { continue };
                if text.contains("${") {
                    continue;
                }
                match &first {
                    None => first = Some((who, text, place)),
                    Some((other, said, there)) if *said != text => {
                        let message = format!("{name} of {who} is {text}, and of {other} {said}");
                        found
                            .place(part.workload.object, place, message)
                            .also_place(there, format!("{other}'s"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    fn password(part: &str, key: &str) -> String {
        let env = format!(
            "        env:\n        - name: JVB_AUTH_PASSWORD\n          valueFrom: {{secretKeyRef: \
             {{name: jitsi-secrets, key: {key}}}}}\n        envFrom:"
        );
        let text = jitsi(part, "TZ: UTC", "hostNetwork: false");
        text.replace("        envFrom:", &env)
    }

    #[test]
    fn passwords_are_of_one_key() {
        let both = |key| password("prosody", "jvb") + "---\n" + &password("jvb", key);
        assert_eq!(found("JIT-10", &both("jvb")), [""; 0]);
        let expected = "50:11 jvb has other of jitsi-secrets, and Prosody jvb of jitsi-secrets";
        assert_eq!(found("JIT-10", &both("other")), [expected]);
    }

    #[test]
    fn names_are_the_same_for_all() {
        let other = |part: &str, variables: &str| {
            jitsi(part, variables, "hostNetwork: false").replace("jitsi-config", "other")
        };
        let prosody = jitsi("prosody", "XMPP_DOMAIN: a.example", "hostNetwork: false") + "---\n";
        let expected = "43:15 XMPP_DOMAIN of jicofo is meet.jitsi, and of prosody a.example";
        assert_eq!(found("JIT-14", &(prosody.clone() + &other("jicofo", "TZ: UTC"))), [expected]);
        let same = other("jicofo", "XMPP_DOMAIN: a.example");
        assert_eq!(found("JIT-14", &(prosody.clone() + &same)), [""; 0]);
        assert_eq!(found("JIT-14", &(prosody + &other("jvb", "TZ: UTC"))), [""; 0]);
    }

    #[test]
    fn two_jitsis_are_not_held_against_each_other() {
        let all = |namespace: &str, domain: &str| {
            let parts = ["prosody", "jicofo", "jvb", "web"].map(|part| {
                jitsi(part, &format!("XMPP_AUTH_DOMAIN: {domain}"), "hostNetwork: false").replace(
                    "metadata:\n  name",
                    &format!("metadata:\n  namespace: {namespace}\n  name"),
                )
            });
            parts.join("---\n")
        };
        let two = all("a", "auth.a") + "---\n" + &all("b", "auth.b");
        assert_eq!(found("JIT-14", &two), [""; 0]);
        // In one namespace nothing tells which belong together.
        let shards = all("a", "auth.a") + "---\n" + &all("a", "auth.b");
        assert_eq!(found("JIT-14", &shards), [""; 0]);
    }
}
