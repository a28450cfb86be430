//! The container image: one static program and the certificate authorities.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Static, so that the image needs no system below it.
const TARGET: &str = "x86_64-unknown-linux-musl";

/// What Debian's package `ca-certificates` writes; other systems have it at the same place.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Nothing in the image is bigger than the program, and that must stay small.
const MOST_BYTES: u64 = 25 * 1024 * 1024;

/// What the image is called.
const TAG: &str = concat!("localhost/mxdoctor:", env!("CARGO_PKG_VERSION"));

/// Builds the program and has buildah make the image of it. Without buildah the context is left for
/// another builder.
pub(crate) fn run(
    cargo: Command,
    workspace: &Path,
    target: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    let bytes = make(cargo, workspace, target, &[])?;
    eprintln!("{TAG}: {bytes} bytes");
    Ok(ExitCode::SUCCESS)
}

/// Has rustup fetch what a static program is linked with.
pub(crate) fn install(workspace: &Path) -> Result<(), Box<dyn Error>> {
    // For the toolchain that the workspace names.
    let mut rustup = Command::new("rustup");
    let status = rustup.args(["target", "add", TARGET]).current_dir(workspace).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("rustup has no target {TARGET}").into()),
        Err(error) => Err(format!("rustup: {error}; the image needs the target {TARGET}").into()),
    }
}

/// The image, in the storage that the flags name; how many bytes are in it.
fn make(
    mut cargo: Command,
    workspace: &Path,
    target: &Path,
    storage: &[&str],
) -> Result<u64, Box<dyn Error>> {
    let build = ["build", "--profile", "image", "--bin", "mxdoctor", "--target", TARGET];
    if !cargo.args(build).status()?.success() {
        return Err(format!(
            "no static program: `rustup target add {TARGET}` and, on Debian, \
             `apt install musl-tools`"
        )
        .into());
    }
    let context = target.join("image");
    fs::create_dir_all(context.join("tmp"))?;
    let program = target.join(TARGET).join("image/mxdoctor");
    let authorities = Path::new(AUTHORITIES);
    let mut bytes = 0;
    for (from, name) in [(program.as_path(), "mxdoctor"), (authorities, "ca-certificates.crt")] {
        bytes += fs::copy(from, context.join(name))
            .map_err(|error| format!("{}: {error}", from.display()))?;
    }
    if bytes > MOST_BYTES {
        return Err(format!("the image would have {bytes} bytes, more than {MOST_BYTES}").into());
    }
    let recipe = workspace.join("deploy/Containerfile");
    let mut buildah = Command::new("buildah");
    // Nothing runs in the build: it must come to its end without network and other images.
    buildah.args(storage).args(["build", "--network", "none", "--pull-never"]);
    let status = buildah.args(["--tag", TAG, "--file"]).arg(&recipe).arg(&context).status();
    match status {
        Ok(status) if status.success() => Ok(bytes),
        Ok(status) => Err(format!("buildah ended with {status}").into()),
        Err(error) => {
            let (context, recipe) = (context.display(), recipe.display());
            Err(format!("buildah: {error}; build {context} with {recipe}").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{TAG, make};

    fn said(command: &mut Command) -> String {
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{text}\n{errors}", output.status);
        text
    }

    /// Built from nothing and without network, and then run as a stranger runs it: as the user that
    /// it names, with no file but its own.
    #[test]
    fn the_image_runs_the_demo() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (root, run) = (path("root"), path("run"));
        let storage = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
        let bytes = make(crate::cargo(), &crate::workspace(), &crate::target(), &storage);
        let bytes = bytes.expect("an image");
        let buildah = || {
            let mut command = Command::new("buildah");
            command.args(storage);
            command
        };
        let container = said(buildah().args(["from", "--pull-never", TAG]));
        let container = container.trim();
        let of = "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}";
        let config = said(buildah().args(["inspect", "--format", of, container]));
        assert_eq!(config.trim(), "65532:65532 [/mxdoctor] [--help]");
        let isolated = ["run", "--isolation", "chroot", container, "--", "/mxdoctor"];
        let demo = said(buildah().args(isolated).args(["demo", "--report", "json"]));
        let report: serde_json::Value = serde_json::from_str(&demo).expect("a report");
        assert_eq!(report["summary"]["fail"], 0, "{demo}");
        assert!(report["summary"]["pass"].as_u64() > Some(100), "{demo}");
        assert!(bytes > 0);
        said(buildah().args(["rm", container]));
        said(buildah().args(["rmi", TAG]));
    }
}
