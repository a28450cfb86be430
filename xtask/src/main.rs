//! The repository's own chores: the real stack by hand, and the tests with all they need.

#![expect(clippy::print_stderr, reason = "a chore talks to a terminal")]

mod cluster;
mod fuzz;
mod image;
mod stack;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use mxdoctor_fixtures::stack::install;

/// The repository's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Chores {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Brings up, breaks, heals or takes down the real stack.
    #[command(subcommand)]
    Stack(stack::Action),
    /// Runs a command beside a real Kubernetes API server with a Traefik: a shell unless given.
    Cluster {
        /// Manifests, or a Kustomize folder, with which it starts.
        #[arg(long)]
        apply: Vec<PathBuf>,
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Installs what the tests need and runs all of them.
    Test {
        /// Arguments for `cargo test`, as `--package mxdoctor-checks` or `-- dns`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Writes the manual pages in `docs/` from the code.
    Docs,
    /// Writes the table of the fields of Kubernetes' own kinds, after a change of their version.
    Schema,
    /// Fuzzes every reader of foreign bytes for a short time each; needs rustup.
    Fuzz {
        /// Seconds for each target.
        #[arg(default_value_t = 20)]
        seconds: u32,
        /// Targets; all unless given.
        targets: Vec<String>,
    },
    /// Measures the release binary on the real stack over a slow link; needs root for all but `lint`.
    Bench {
        /// What to measure: `lint`, `run`, `homeserver`, `conference`, `browser`, or `soak` with how
        /// many runs; the first five unless given.
        arguments: Vec<String>,
    },
    /// Builds the static program and, with buildah, the container image of it.
    Image,
}

fn main() -> ExitCode {
    let result = match Chores::parse().chore {
        Chore::Stack(action) => action.run(&target()),
        Chore::Cluster { apply, command } => cluster::run(&apply, &command),
        Chore::Test { arguments } => test(&arguments),
        Chore::Docs => docs(),
        Chore::Schema => schema(),
        Chore::Fuzz { seconds, targets } => fuzz::run(&workspace(), seconds, &targets),
        Chore::Bench { arguments } => bench(&arguments),
        Chore::Image => image::run(cargo(), &workspace(), &target()),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Installs first, so that the suite's time is its own, then hands over to Cargo, which compiles
/// while the cluster's parts, written in Go, are built.
fn test(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    install()?;
    image::install(&workspace())?;
    let parts = std::thread::spawn(mxdoctor_fixtures::cluster::install);
    let tests = |more: &[&str]| {
        let mut command = cargo();
        // Every package is run whatever another says, so that one run tells all.
        command.args(["test", "--no-fail-fast"]).args(more);
        if arguments.is_empty() {
            command.arg("--workspace");
        }
        command.args(arguments).status()
    };
    let compiled = tests(&["--no-run"])?;
    parts.join().map_err(|_| "the cluster's parts: see above")??;
    if !compiled.success() {
        return Ok(exit_code(compiled));
    }
    Ok(exit_code(tests(&[])?))
}

/// The pages are written by the test that otherwise compares them.
fn docs() -> Result<ExitCode, Box<dyn Error>> {
    let test = ["test", "--package", "mxdoctor", "--test", "all", "docs::"];
    Ok(exit_code(cargo().env("MXDOCTOR_WRITE_DOCS", "1").args(test).status()?))
}

/// The table beside its reader; the test of the real kustomize says when it is stale.
fn schema() -> Result<ExitCode, Box<dyn Error>> {
    let path = workspace().join("probes/src/manifest/schema.txt");
    std::fs::write(path, mxdoctor_fixtures::cluster::schema()?)?;
    Ok(ExitCode::SUCCESS)
}

fn bench(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    // Manifests need no stack, and no right to install one.
    if arguments.first().is_none_or(|figure| figure != "lint") {
        install()?;
    }
    let built = cargo().args(["build", "--release"]).status()?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let binary = target().join("release/mxdoctor");
    let run = ["run", "--quiet", "--release", "--package", "mxdoctor-benches", "--"];
    Ok(exit_code(cargo().args(run).arg(binary).arg(target()).args(arguments).status()?))
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace());
    command
}

fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

fn workspace() -> PathBuf {
    // Cargo says where the package is when it runs it, wherever the checkout has moved.
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    package.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn target() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = workspace().join(named.unwrap_or_else(|| "target".into()));
    std::path::absolute(&target).unwrap_or(target)
}
