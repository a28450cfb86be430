//! The cluster that the stack runs in.

use std::path::Path;

use mxdoctor_checks::{Kubernetes, Target};
use mxdoctor_probes::kube::Access;

use super::error::ConfigError;
use super::file::File;
use super::options::Options;

/// Lays what the file, the flags and a pod's surroundings say of the cluster over the target.
///
/// # Errors
/// [`ConfigError`] for a namespace that is no name.
pub(super) fn apply(
    target: &mut Target,
    file: &File,
    options: &Options,
    folder: &Path,
) -> Result<(), ConfigError> {
    let flags = [options.kubeconfig.is_some(), options.kube_context.is_some()];
    if file.kubernetes.is_none() && !flags.contains(&true) && !Access::in_cluster() {
        return Ok(());
    }
    let keys = file.kubernetes.clone().unwrap_or_default();
    let names = keys.namespace.iter().chain(&options.kube_namespace).chain(&keys.operators);
    for name in names {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 63 || !name.chars().all(plain) {
            let message = format!("`{name}` is not a namespace: expected for instance app-matrix");
            return Err(ConfigError::value("kubernetes.namespace", message));
        }
    }
    let in_file = keys.kubeconfig.map(|path| folder.join(path));
    target.kubernetes = Some(Kubernetes {
        access: Access {
            kubeconfig: options.kubeconfig.clone().or(in_file),
            context: options.kube_context.clone().or(keys.context),
            namespace: options.kube_namespace.clone().or(keys.namespace),
        },
        operators: keys.operators,
        read_secrets: options.read_secrets || keys.read_secrets,
        logs: keys.logs,
    });
    Ok(())
}
