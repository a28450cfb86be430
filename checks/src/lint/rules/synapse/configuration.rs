//! Where the configuration is, and what it must say.

use crate::lint::view::{MountedFile, VolumeKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The image reads `/data/homeserver.yaml` unless `SYNAPSE_CONFIG_PATH` or `-c` name another.
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

fn no_log_config(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((file, node)) = synapse.option("log_config") else { continue };
        let Some(path) = node.as_str() else { continue };
        let mounts = workload.mounts(&container);
        let below = mounts.iter().any(|mount| mount.rest(path).is_some());
        let missing = match find(stack, synapse, path) {
            Some(MountedFile::Missing { name, key }) => {
                Some(format!("log_config is {path}, and ConfigMap {name} has no key {key}"))
            }
            Some(_) => None,
            None if below => None,
            None => Some(format!("log_config is {path}, where nothing is mounted")),
        };
        if let Some(message) = missing {
            found.at(file.object, node, message);
        }
    }
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
        let mounts = workload.mounts(&container);
        let above = mounts.iter().filter(|mount| mount.rest(path).is_some());
        let kept = match above.max_by_key(|mount| mount.path().len()).map(|mount| mount.volume) {
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
}
