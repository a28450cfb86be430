use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use mxdoctor_fixtures::cluster::{self, Cluster};

/// What the shell is told, by which `kubectl` is the one of the cluster's own program.
const SHELL: &str = "kubectl() { \"$KUBE\" kubectl \"$@\"; }; export -f kubectl; exec bash";

/// Starts a cluster, with these manifests and their healthy statuses, and a Traefik; runs the
/// command beside them, or a shell; ends them when that ends.
pub(crate) fn run(apply: &[PathBuf], command: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(code) = cluster::enter()? {
        return Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from));
    }
    let cluster = Cluster::start()?;
    for manifests in apply {
        cluster.apply(manifests)?;
    }
    cluster.settle()?;
    let traefik = cluster.with_traefik()?;
    let mut child = match command.split_first() {
        Some((program, arguments)) => {
            let mut child = Command::new(program);
            child.args(arguments);
            child
        }
        None => {
            let mut shell = Command::new("bash");
            shell.args(["-c", SHELL]);
            let _told = writeln!(
                std::io::stderr(),
                "a cluster with kubectl; Traefik at $WEB, $WEBSECURE, its API at $TRAEFIK"
            );
            shell
        }
    };
    child.env("KUBECONFIG", cluster.kubeconfig()).env("KUBE", cluster::program()?);
    child.env("WEB", traefik.web.to_string()).env("WEBSECURE", traefik.websecure.to_string());
    child.env("TRAEFIK", traefik.api.to_string());
    Ok(super::exit_code(child.status()?))
}
