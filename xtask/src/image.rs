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

/// Builds the program, lays out the context in `target/image`, and has buildah make the image of
/// it. Without buildah the context is left for another builder.
pub(crate) fn run(
    mut cargo: Command,
    workspace: &Path,
    target: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    let build = ["build", "--profile", "image", "--bin", "mxdoctor", "--target", TARGET];
    if !cargo.args(build).status()?.success() {
        eprintln!("help: `rustup target add {TARGET}` and, on Debian, `apt install musl-tools`");
        return Ok(ExitCode::FAILURE);
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
    let tag = concat!("localhost/mxdoctor:", env!("CARGO_PKG_VERSION"));
    let mut buildah = Command::new("buildah");
    // Nothing runs in the build: it must come to its end without network and other images.
    buildah.args(["build", "--network", "none", "--pull-never"]);
    match buildah.args(["--tag", tag, "--file"]).arg(&recipe).arg(&context).status() {
        Ok(status) if status.success() => eprintln!("{tag}: {bytes} bytes"),
        Ok(_) => return Ok(ExitCode::FAILURE),
        Err(error) => {
            eprintln!("buildah: {error}; build {} with {}", context.display(), recipe.display());
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
