//! What Synapse does unless somebody decides.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::MountedFile;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Calls of two that do not go through Jitsi or MatrixRTC need a TURN server wherever one of
    /// the two is behind a NAT, which is nearly everybody.
    ///
    /// Source: Synapse documentation, "Configuring a Turn Server".
    NO_TURN = "SYN-34" Warning: "calls of two have a TURN server"
    breaks "a call of two rings, and nobody hears anything"
    remedy "run coturn or eturnal, and set turn_uris with turn_shared_secret_path"
    cause "turn-not-configured"
    check "kubernetes.configmaps"
    look_in_files no_turn
}

rule! {
    /// Choices that are to be known: keys of other servers are asked from matrix.org, which so
    /// learns with whom this server talks; and the list of public rooms can be open to everybody.
    ///
    /// Source: Synapse configuration manual, `trusted_key_servers`,
    /// `allow_public_rooms_without_auth`, `allow_public_rooms_over_federation`.
    DEFAULTS = "SYN-36" Info: "choices that concern others are made"
    breaks "nothing breaks; others learn of this server more than somebody may have meant"
    remedy "decide, and write the decision into homeserver.yaml: `trusted_key_servers: []`"
    cause "third-party-dependence"
    check "kubernetes.configmaps"
    look_in_files defaults
}

rule! {
    /// Without a key for macaroons Synapse takes the registration secret, and without that makes
    /// one of the signing key: whoever replaces either ends links in mails, and single sign-on
    /// under way.
    ///
    /// Source: Synapse, `synapse/config/key.py`.
    NO_MACAROON = "SYN-38" Warning: "Synapse has a key for macaroons"
    breaks "with another signing key all tokens that were given out are void"
    remedy "set macaroon_secret_key_path to a file of a Secret"
    cause "macaroon-key-unset"
    check "kubernetes.configmaps"
    look no_macaroon
}

rule! {
    /// `register_new_matrix_user` reads the shared secret from the files that it is given. Where
    /// the secret is in a file of its own, both have to be named.
    ///
    /// Source: Synapse, `synapse/_scripts/register_new_matrix_user.py`.
    NO_SECRET = "SYN-39" Warning: "who registers users is given the file with the secret"
    breaks "no user is made: No registration_shared_secret defined in config"
    remedy "give every file with -c, as Synapse itself reads them"
    cause "configuration-incomplete"
    check "kubernetes.workloads"
    look no_secret
}

/// What a file without an option has to show: its first line.
fn no_turn(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let first = &synapse.configuration[0];
        if synapse.option("turn_uris").is_none_or(|(_, list)| list.items().is_empty()) {
            found.at(first.object, &first.node, "no turn_uris: calls of two fail behind a NAT");
        }
    }
}

fn defaults(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let first = &synapse.configuration[0];
        if synapse.option("trusted_key_servers").is_none() {
            let message = "keys of other servers are asked from matrix.org";
            found.at(first.object, &first.node, message);
        }
        for name in ["allow_public_rooms_without_auth", "allow_public_rooms_over_federation"] {
            let Some((file, node)) = synapse.option(name) else { continue };
            if node.as_bool() == Some(true) {
                found.at(file.object, node, format!("{name} opens the list of rooms to everybody"));
            }
        }
    }
}

fn no_macaroon(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let first = &synapse.configuration[0];
        let given = ["macaroon_secret_key", "macaroon_secret_key_path"];
        if given.iter().all(|name| synapse.option(name).is_none()) {
            let message = "no macaroon_secret_key_path: the key is made of another";
            found.at(first.object, &first.node, message);
        }
    }
}

const COMMAND: &str = "register_new_matrix_user";

fn no_secret(stack: &Stack<'_>, found: &mut Found) {
    for workload in &stack.workloads {
        for container in workload.containers() {
            let texts = ["command", "args"].iter().flat_map(|part| container.node.list(part));
            let texts: Vec<(&Node, &str)> =
                texts.filter_map(|node| Some((node, node.scalar()?))).collect();
            let words: Vec<(&Node, &str)> = texts
                .iter()
                .flat_map(|(node, text)| text.split_whitespace().map(move |word| (*node, word)))
                .skip_while(|(_, word)| !word.ends_with(COMMAND))
                .collect();
            let given = |word: &str| {
                matches!(word, "-k" | "--shared-secret") || word.starts_with("--shared-secret=")
            };
            if words.iter().any(|(_, word)| given(word)) {
                continue;
            }
            let paths: Vec<_> =
                words.windows(2).filter(|pair| matches!(pair[0].1, "-c" | "--config")).collect();
            let (mut known, mut told) = (!paths.is_empty(), false);
            for path in &paths {
                match workload.file(stack, &container, path[1].1) {
                    Some(MountedFile::Known(map, entry)) => {
                        let file = crate::lint::view::payload(map, entry);
                        known &= file.error.is_none();
                        let names =
                            ["registration_shared_secret", "registration_shared_secret_path"];
                        told |= names.iter().any(|name| file.node.get(name).is_some());
                    }
                    _ => known = false,
                }
            }
            if let (Some(path), true, false) = (paths.first(), known, told) {
                let message = format!("{} has no registration_shared_secret", path[1].1);
                found.at(workload.object, path[1].0, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn what_is_not_decided_is_said() {
        let text = synapse("server_name: a.example");
        for (rule, expected) in [
            ("SYN-34", "7:5 no turn_uris: calls of two fail behind a NAT"),
            ("SYN-36", "7:5 keys of other servers are asked from matrix.org"),
            ("SYN-38", "7:5 no macaroon_secret_key_path: the key is made of another"),
        ] {
            assert_eq!(found(rule, &text), [expected]);
        }
        let good = synapse(
            "turn_uris: ['turns:turn.a.example']\ntrusted_key_servers: []\n\
             macaroon_secret_key_path: /secrets/m",
        );
        for rule in ["SYN-34", "SYN-36", "SYN-38"] {
            assert_eq!(found(rule, &good), [""; 0], "{rule}");
        }
        let open = synapse("trusted_key_servers: []\nallow_public_rooms_without_auth: true");
        let expected = "8:38 allow_public_rooms_without_auth opens the list of rooms to everybody";
        assert_eq!(found("SYN-36", &open), [expected]);
    }

    #[test]
    fn who_registers_users_has_the_secret() {
        let job = |command: &str| {
            synapse("server_name: a.example")
                + "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  template:\n    \
                   spec:\n      containers:\n      - name: j\n        command: [sh, -c]\n        \
                   args: ['"
                + command
                + "']\n        volumeMounts: [{name: c, mountPath: /config}]\n      volumes: \
                   [{name: c, configMap: {name: synapse-config}}]\n"
        };
        let one = job("register_new_matrix_user -c /config/homeserver.yaml -u me http://synapse");
        let expected = "40:16 /config/homeserver.yaml has no registration_shared_secret";
        assert_eq!(found("SYN-39", &one), [expected]);
        for good in [
            "register_new_matrix_user -c /config/homeserver.yaml -c /secrets/more.yaml",
            "register_new_matrix_user -c /config/homeserver.yaml -k $SECRET",
            "update_synapse_database -c /config/homeserver.yaml",
        ] {
            assert_eq!(found("SYN-39", &job(good)), [""; 0], "{good}");
        }
    }
}
