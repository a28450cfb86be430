//! Where the configuration is, and what it must say.

use super::media::keeps_media;
use crate::lint::view::{Container, MountedFile, VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The image reads `/data/homeserver.yaml` unless `SYNAPSE_CONFIG_PATH`, `SYNAPSE_CONFIG_DIR`
    /// or `-c` name another.
    ///
    /// Silent where that file may be on a volume, made by a container that runs before, and where
    /// a script starts Synapse.
    ///
    /// Source: Synapse, `docker/start.py`.
    NOT_FOUND = "SYN-04" Error: "Synapse is told where its configuration is mounted"
    breaks "Synapse ends at once: the configuration file does not exist"
    remedy "set SYNAPSE_CONFIG_PATH to the path at which homeserver.yaml is mounted"
    cause "configuration-not-found"
    check "kubernetes.workloads"
    look not_found
}

rule! {
    /// `log_config` names a file that must be there.
    ///
    /// Source: Synapse, `synapse/config/logger.py`.
    NO_LOG_CONFIG = "SYN-23" Error: "the file of log_config is mounted"
    breaks "Synapse ends at once: the log configuration does not exist"
    remedy "add the file to the ConfigMap that is mounted there, or leave log_config out"
    cause "configuration-not-found"
    check "kubernetes.configmaps"
    look no_log_config
}

rule! {
    /// Uploads outside a claim go when the pod goes.
    ///
    /// Silent where they are stored elsewhere as well (`media_storage_providers`), where another
    /// process keeps them (`enable_media_repo: false`), and about `/data`, which STO-07 looks at.
    ///
    /// Source: Synapse, `media_store_path`; Kubernetes, "Persistent Volumes".
    MEDIA_ELSEWHERE = "SYN-24" Error: "media are stored on a claim"
    breaks "every picture is gone after the next restart, or the first upload ends in 500"
    remedy "put media_store_path below the mount of the media claim, such as /data/media_store"
    cause "media-not-kept"
    check "kubernetes.volumes"
    look media_elsewhere
}

rule! {
    /// Synapse wants a decision and does not start without it.
    ///
    /// Source: Synapse, `synapse/config/_base.py`.
    NO_STATS = "SYN-27" Warning: "report_stats is decided"
    breaks "Synapse does not start and asks whether it may report statistics"
    remedy "write `report_stats: false` (or true) into homeserver.yaml"
    cause "configuration-incomplete"
    check "kubernetes.configmaps"
    look no_stats
}

const PATH: &str = "SYNAPSE_CONFIG_PATH";

fn not_found(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        if !synapse.configuration.is_empty() || container.env_is_open(stack, &workload) {
            continue;
        }
        // Only where the file is evidently mounted somewhere can it be said that it is not read.
        let mounts = workload.mounts(&container);
        let mounted = mounts.iter().find_map(|mount| {
            let VolumeKind::ConfigMap(name) = mount.volume?.kind else { return None };
            let map = stack.inventory.beside(workload.object, "ConfigMap", name)?;
            let entry = map.at("data")?.entry("homeserver.yaml")?;
            Some((mount, entry))
        });
        let Some((mount, entry)) = mounted else { continue };
        let file = match mount.node.str("subPath") {
            Some(_) => mount.path().to_owned(),
            None => format!("{}/homeserver.yaml", mount.path()),
        };
        let env = container.env_value(stack, &workload, PATH);
        let path = env.as_ref().map_or(Some("/data/homeserver.yaml"), |env| env.known());
        let words = ["command", "args"].iter().flat_map(|part| container.node.list(part));
        let told = words.filter_map(|word| word.as_str()).any(|word| word.contains("-c"));
        let folder = container.env_value(stack, &workload, "SYNAPSE_CONFIG_DIR").is_some();
        let written = path.is_none_or(|path| is_written(stack, &workload, &container, path));
        if told || folder || written {
            continue;
        }
        let (place, read) = match &env {
            Some(env) => (env.place.clone(), env.known().unwrap_or("another file").to_owned()),
            None => (container.node.place.clone(), "/data/homeserver.yaml".to_owned()),
        };
        let message = format!("Synapse reads {read}, and homeserver.yaml is mounted at {file}");
        found
            .place(workload.object, place, message)
            .remedy(format!("set {PATH} to {file}"))
            .also_place(&mount.node.place, "mounted here")
            .also_place(&entry.place, "the file");
    }
}

/// Whether a file may be made by another container of the pod, on a volume that both mount.
fn is_written(
    stack: &Stack<'_>,
    workload: &Workload<'_>,
    container: &Container<'_>,
    path: &str,
) -> bool {
    let Some(volume) = workload.above(container, path).and_then(|mount| mount.volume) else {
        return container.env_is_open(stack, workload) || container.has_script();
    };
    let mut others = workload.containers().into_iter().filter(|it| it.name() != container.name());
    let same = |other: Container<'_>| {
        let mounts = workload.mounts(&other);
        mounts.iter().any(|mount| mount.volume.is_some_and(|it| it.name() == volume.name()))
    };
    !matches!(volume.kind, VolumeKind::ConfigMap(_)) && others.any(same)
}

fn no_log_config(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((file, node)) = synapse.option("log_config") else { continue };
        let Some(path) = node.as_str() else { continue };
        let mounts = workload.mounts(&container);
        let below = mounts.iter().any(|mount| mount.rest(path).is_some());
        let missing = match find(stack, synapse, path) {
            // One that is not here may well have the key.
            Some(MountedFile::Missing { name, .. })
                if stack.inventory.beside(workload.object, "ConfigMap", name).is_none() =>
            {
                None
            }
            Some(MountedFile::Missing { name, key }) => {
                Some(format!("log_config is {path}, and ConfigMap {name} has no key {key}"))
            }
            Some(_) => None,
            None if below => None,
            // An image of one's own may have the file.
            None if !is_upstream(&container) => None,
            None => Some(format!("log_config is {path}, where nothing is mounted")),
        };
        if let Some(message) = missing {
            found.at(file.object, node, message);
        }
    }
}

/// Whether it is the image of Synapse's makers, and no other that is built on it.
pub(super) fn is_upstream(container: &Container<'_>) -> bool {
    let image = container.image().map_or("", |image| image.repository);
    ["matrixdotorg/synapse", "element-hq/synapse"].iter().any(|name| image.ends_with(name))
}

/// What stands at a path that only its text is known of: the path lives as long as the search.
fn find<'a>(
    stack: &Stack<'a>,
    synapse: &'a crate::lint::view::Synapse<'a>,
    path: &'a str,
) -> Option<MountedFile<'a>> {
    let (workload, container) = synapse.workload?;
    workload.file(stack, &container, path)
}

fn media_elsewhere(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((file, node)) = synapse.option("media_store_path") else { continue };
        let Some(path) = node.as_str().filter(|path| path.starts_with('/')) else { continue };
        let stored = synapse.option("media_storage_providers");
        let stored = stored.is_some_and(|(_, node)| !node.items().is_empty());
        let mounts = workload.mounts(&container);
        let above = workload.above(&container, path);
        let of_data = above.as_ref().is_some_and(|mount| mount.path() == "/data");
        if stored || of_data || !keeps_media(synapse) {
            continue;
        }
        let kept = match above.map(|mount| mount.volume) {
            Some(Some(volume)) => volume.kind != VolumeKind::Empty,
            Some(None) => true,
            None => false,
        };
        let of_claim = |mount: &&crate::lint::view::Mount<'_>| {
            mount.volume.is_some_and(|volume| matches!(volume.kind, VolumeKind::Claim(_)))
        };
        if !kept {
            let message = format!("media go to {path}, which ends with the pod");
            let problem = found.at(file.object, node, message);
            if let Some(claim) = mounts.iter().find(of_claim) {
                problem.also_place(&claim.node.place, "the claim is mounted here");
            }
        }
    }
}

fn no_stats(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let first = &synapse.configuration[0];
        if synapse.option("report_stats").is_none() {
            found.at(first.object, &first.node, "report_stats is not written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn a_configuration_that_is_mounted_and_not_read_is_found() {
        let text = synapse("server_name: a.example");
        assert_eq!(found("SYN-04", &text), [""; 0]);
        let elsewhere = text.replace("value: /config/homeserver.yaml", "value: /cfg/h.yaml");
        let message = &found("SYN-04", &elsewhere)[0];
        let expected = "Synapse reads /cfg/h.yaml, and homeserver.yaml is mounted at \
                        /config/homeserver.yaml";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn a_log_configuration_must_be_there() {
        let text = synapse("log_config: /config/log.yaml");
        let expected = "7:17 log_config is /config/log.yaml, and ConfigMap synapse-config has no \
                        key log.yaml";
        assert_eq!(found("SYN-23", &text), [expected]);
        let there = text.replacen("\ndata:\n", "\ndata:\n  log.yaml: 'version: 1'\n", 1);
        assert_eq!(found("SYN-23", &there), [""; 0]);
    }

    #[test]
    fn media_belong_on_a_claim() {
        let text = synapse("media_store_path: /data/media_store");
        let expected = "7:23 media go to /data/media_store, which ends with the pod";
        assert_eq!(found("SYN-24", &text), [expected]);
        let mount = "        volumeMounts:\n        - {name: media, mountPath: /data}\n";
        let volume =
            "      volumes:\n      - {name: media, persistentVolumeClaim: {claimName: m}}\n";
        let kept = text.replacen("        volumeMounts:\n", mount, 1);
        let kept = kept.replacen("      volumes:\n", volume, 1);
        assert_eq!(found("SYN-24", &kept), [""; 0]);
    }

    #[test]
    fn statistics_are_to_be_decided() {
        assert_eq!(found("SYN-27", &synapse("server_name: a")).len(), 1);
        assert_eq!(found("SYN-27", &synapse("report_stats: no")), [""; 0]);
    }

    #[test]
    fn a_configuration_may_be_found_otherwise() {
        let text = synapse("server_name: a.example");
        let folder = text
            .replace("SYNAPSE_CONFIG_PATH", "SYNAPSE_CONFIG_DIR")
            .replace("value: /config/homeserver.yaml", "value: /config");
        assert_eq!(found("SYN-04", &folder), [""; 0]);
        let script = text.replace(
            "        env:\n",
            "        command: [sh, -c, \"exec python -m synapse.app.homeserver -c \
             /config/homeserver.yaml\"]\n        env:\n",
        );
        let script = script.replace("value: /config/homeserver.yaml", "value: /cfg/h.yaml");
        assert_eq!(found("SYN-04", &script), [""; 0]);
        // It is read all the same.
        assert_eq!(found("SYN-05", &script.replace("a.example", "A.example")).len(), 1);
        // A container that runs before writes it.
        let made = text
            .replace("value: /config/homeserver.yaml", "value: /made/homeserver.yaml")
            .replace("      volumes:\n", "      volumes:\n      - {name: m, emptyDir: {}}\n")
            .replace(
                "        - name: config\n          mountPath",
                "        - {name: m, mountPath: /made}\n        - name: config\n          mountPath",
            );
        assert_eq!(found("SYN-04", &made).len(), 1);
        let render = "      initContainers:\n      - {name: r, image: a/b:1, volumeMounts: [{name: m, \
                      mountPath: /out}]}\n      containers:\n";
        assert_eq!(found("SYN-04", &made.replace("      containers:\n", render)), [""; 0]);
    }

    #[test]
    fn what_is_stored_or_baked_in_elsewhere_is_not_missed() {
        let text = synapse("log_config: /opt/log.yaml");
        assert_eq!(found("SYN-23", &text).len(), 1);
        let own = text.replace("matrixdotorg/synapse", "registry.a.example/base/synapse");
        assert_eq!(found("SYN-23", &own), [""; 0]);
        let absent = synapse("log_config: /log/log.yaml")
            .replace(
                "      volumes:\n",
                "      volumes:\n      - {name: l, configMap: {name: l}}\n",
            )
            .replace(
                "        - name: config\n          mountPath",
                "        - {name: l, mountPath: /log}\n        - name: config\n          mountPath",
            );
        assert_eq!(found("SYN-23", &absent), [""; 0]);
        let media = "media_store_path: /cache/media";
        assert_eq!(found("SYN-24", &synapse(media)).len(), 1);
        for more in ["media_storage_providers: [{module: s3}]", "enable_media_repo: false"] {
            assert_eq!(found("SYN-24", &synapse(&format!("{media}\n{more}"))), [""; 0], "{more}");
        }
    }
}
