//! The signing key: the identity of the homeserver.

use crate::lint::view::{Container, Keys, Mount, VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Synapse reads its signing key at `signing_key_path`; in `run` mode nothing makes one there.
    ///
    /// Source: Synapse, `synapse/config/key.py`.
    NOT_MOUNTED = "SYN-09" Error: "the signing key is mounted where Synapse reads it"
    breaks "Synapse does not start: it cannot read its signing key"
    remedy "use the same path in signing_key_path and in the mount of the Secret"
    cause "signing-key-not-mounted"
    check "kubernetes.secrets"
    look not_mounted
}

rule! {
    /// A mount by `subPath` of a key that the Secret lacks is made as an empty directory, and no
    /// event tells of it.
    ///
    /// Source: Kubernetes, "Volumes", "Using subPath".
    NO_SUCH_KEY = "SYN-10" Error: "the mount of the signing key names a key of its Secret"
    breaks "the kubelet makes a directory in its place, and Synapse ends with: is a directory"
    remedy "use the Secret's own key in subPath"
    cause "secret-key-missing"
    check "kubernetes.secrets"
    look no_such_key
}

rule! {
    /// A key that exists on the media volume alone is lost with it. No other server accepts the
    /// events of a homeserver whose key has changed without warning.
    ///
    /// Source: Matrix server-server API, "Retrieving server keys".
    ONLY_COPY = "SYN-11" Critical: "the signing key is in a Secret"
    breaks "with the volume the homeserver's identity is lost, and federation with it"
    remedy "put the key into a SealedSecret, mount it by subPath, and keep a copy elsewhere"
    cause "signing-key-not-kept"
    check "kubernetes.secrets"
    look only_copy
}

rule! {
    /// `generate`, `migrate_config` and `--generate-keys` make a new key wherever the old one is
    /// missing, without a word: after a restore the homeserver is another one.
    ///
    /// Source: Synapse, `docker/start.py`.
    GENERATED = "SYN-12" Warning: "no start of Synapse makes a signing key"
    breaks "after a lost volume Synapse starts with a new identity, which other servers refuse"
    remedy "run the image without arguments, with the key in a Secret"
    cause "signing-key-not-kept"
    check "kubernetes.workloads"
    look generated
}

fn not_mounted(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((mount, _)) = key_mount(&workload, &container) else { continue };
        let mounted = match mount.node.str("subPath") {
            Some(_) => mount.path().to_owned(),
            None => format!("{}/signing.key", mount.path()),
        };
        let Some((file, node)) = synapse.option("signing_key_path") else { continue };
        let Some(path) = node.as_str() else { continue };
        if mount.rest(path).is_some() {
            continue;
        }
        let message =
            format!("Synapse reads its signing key at {path}; it is mounted at {mounted}");
        found.at(file.object, node, message).also_place(&mount.node.place, "mounted here");
    }
}

fn no_such_key(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((mount, secret)) = key_mount(&workload, &container) else { continue };
        let Some(node) = mount.node.get("subPath") else { continue };
        let (Some(sub), Some(made)) = (node.as_str(), stack.secret(workload.object, secret)) else {
            continue;
        };
        let Keys::Known(keys) = &made.keys else { continue };
        let renamed = mount.volume.is_some_and(|volume| !volume.items().is_empty());
        if renamed || keys.contains(&sub) {
            continue;
        }
        let message = format!("Secret {secret} has no key {sub}; it has {}", keys.join(", "));
        found.at(workload.object, node, message).also_place(made.by.place(), "made by this");
    }
}

fn only_copy(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((file, node)) = synapse.option("signing_key_path") else { continue };
        let Some(path) = node.as_str() else { continue };
        let mounts = workload.mounts(&container);
        let above = mounts.iter().filter(|mount| mount.rest(path).is_some());
        let Some(mount) = above.max_by_key(|mount| mount.path().len()) else { continue };
        let kind = mount.volume.map(|volume| volume.kind);
        if matches!(kind, Some(VolumeKind::Claim(_) | VolumeKind::Empty)) {
            let message = format!("the signing key {path} is on the volume of the media alone");
            found.at(file.object, node, message).also_place(&mount.node.place, "this volume");
        }
    }
}

fn generated(stack: &Stack<'_>, found: &mut Found) {
    for (workload, _) in stack.synapse.iter().filter_map(|synapse| synapse.workload) {
        for container in workload.containers() {
            let ours = container.image().is_some_and(|image| image.base() == "synapse");
            let words = ["command", "args"].iter().flat_map(|part| container.node.list(part));
            for word in words.filter(|_| ours) {
                let text = word.as_str().unwrap_or_default();
                if matches!(text, "generate" | "migrate_config") || text.contains("--generate-keys")
                {
                    let message = format!("{text} makes a signing key where there is none");
                    found.at(workload.object, word, message);
                }
            }
        }
    }
}

/// The mount of the signing key, with the name of its Secret: the one whose path or key says so.
fn key_mount<'a>(
    workload: &Workload<'a>,
    container: &Container<'a>,
) -> Option<(Mount<'a>, &'a str)> {
    workload.mounts(container).into_iter().find_map(|mount| {
        let VolumeKind::Secret(secret) = mount.volume?.kind else { return None };
        let says = [mount.path(), secret, mount.node.str("subPath").unwrap_or_default()];
        let signing = |text: &&str| text.contains("signing");
        says.iter().any(signing).then_some((mount, secret))
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn mounted(path: &str, sub: &str) -> String {
        let mount = format!(
            "        volumeMounts:\n        - {{name: key, mountPath: {path}, subPath: {sub}}}\n"
        );
        let volume =
            "      volumes:\n      - {name: key, secret: {secretName: synapse-signing-key}}\n";
        let text = synapse("signing_key_path: /data/a.signing.key\nserver_name: a.example");
        let text = text.replacen("        volumeMounts:\n", &mount, 1);
        text.replacen("      volumes:\n", volume, 1)
            + "---\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: \
               synapse-signing-key}\nspec: {encryptedData: {signing.key: AgB}}\n"
    }

    #[test]
    fn the_key_is_where_synapse_reads_it() {
        let good = mounted("/data/a.signing.key", "signing.key");
        for rule in ["SYN-09", "SYN-10", "SYN-11", "SYN-12"] {
            assert_eq!(found(rule, &good), [""; 0], "{rule}");
        }
        let wrong = mounted("/data/signing.key", "signing.key");
        let expected = "7:23 Synapse reads its signing key at /data/a.signing.key; it is mounted at \
                        /data/signing.key";
        assert_eq!(found("SYN-09", &wrong), [expected]);
        let wrong = mounted("/data/a.signing.key", "a.signing.key");
        let message = &found("SYN-10", &wrong)[0];
        let expected = "Secret synapse-signing-key has no key a.signing.key; it has signing.key";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn a_key_on_the_volume_alone_is_found() {
        let text = synapse("signing_key_path: /data/a.signing.key");
        let mount = "        volumeMounts:\n        - {name: media, mountPath: /data}\n";
        let volume =
            "      volumes:\n      - {name: media, persistentVolumeClaim: {claimName: m}}\n";
        let text = text.replacen("        volumeMounts:\n", mount, 1);
        let text = text.replacen("      volumes:\n", volume, 1);
        assert_eq!(found("SYN-11", &text).len(), 1);
    }

    #[test]
    fn a_start_that_makes_a_key_is_found() {
        let text = synapse("server_name: a.example");
        let text =
            text.replacen("        env:\n", "        args: [migrate_config]\n        env:\n", 1);
        let message = &found("SYN-12", &text)[0];
        assert!(message.ends_with("migrate_config makes a signing key where there is none"));
    }
}
