//! The command line: a public interface.

mod check;
mod demo;
mod explain;
mod init;
mod libtest;
mod lint;
mod list;
mod print;

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use mxdoctor_model::ExitCode;

use crate::config::{ConfigError, Options};

const EXIT_CODES: &str = "\
Exit codes:
    0  nothing at or above the threshold
    1  findings
    2  the command line or the configuration cannot be used
    3  something could not be measured, and nothing failed
    4  nothing was selected
   70  internal
  130, 143  interrupted; the report is complete as far as known";

const LINT_HELP: &str = "\
Examples:
  mxdoctor lint deploy/                               a folder: Kustomize trees and loose files
  helm template matrix ./chart | mxdoctor lint -      what a chart renders
  mxdoctor lint deploy/ --report sarif=lint.sarif     for code scanning; `github` for annotations
  mxdoctor lint deploy/ --diff | patch -p1            what can be mended without asking

What you decided to live with is allowed by a comment at its line, above its key or at the top of
the file, or by an annotation of the object. Each says why:
  # mxdoctor: allow SYN-01 rendered by the pipeline
  mxdoctor/allow-SYN-01: rendered by the pipeline

`mxdoctor list rules` shows the rules, and `mxdoctor explain RULE` the page of one.

Exit codes:
    0  nothing at or above the threshold (--fail-on)
    1  findings
    2  the command line cannot be used, or a path is not there
    3  something could not be read or built, and nothing else is wrong
    4  no rule was selected, or there is no Kubernetes object
   70  internal";

/// Says whether a self-hosted Matrix stack (Synapse, Element Web, Jitsi Meet) works for the people
/// who use it, and if not, why.
#[derive(Debug, Parser)]
#[command(name = "mxdoctor", version, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the checks (the main job)
    #[command(after_help = EXIT_CODES)]
    Check {
        /// The Matrix server name: what stands after the colon in user ids
        #[arg(env = "MXDOCTOR_SERVER_NAME")]
        server_name: Option<String>,
        /// A stack.toml with everything that cannot be discovered
        #[arg(short, long, value_name = "FILE", env = "MXDOCTOR_CONFIG")]
        config: Option<PathBuf>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Run the checks on an embedded stack, healthy or broken in one way
    #[command(after_help = EXIT_CODES)]
    Demo {
        /// Break it so (see --list-faults)
        #[arg(long, value_name = "ID")]
        fault: Option<String>,
        /// List the ways in which it can be broken
        #[arg(long)]
        list_faults: bool,
        /// Leave it running and print the command that checks it
        #[arg(long, conflicts_with = "list_faults")]
        serve: bool,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Look at manifests before they are deployed: Kustomize trees, YAML files, standard input
    #[command(after_help = LINT_HELP)]
    Lint(lint::Lint),
    /// List the checks
    List {
        /// What to list
        #[arg(value_enum, default_value = "checks")]
        what: list::What,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the manual page of a check, a cause, a rule or a fault
    Explain {
        /// Its id
        id: String,
    },
    /// Run the checks as a test harness, for test runners (`--list`, `--exact`, filters)
    #[command(disable_help_flag = true)]
    Libtest {
        /// A stack.toml
        #[arg(short, long, value_name = "FILE", env = "MXDOCTOR_CONFIG")]
        config: Option<PathBuf>,
        /// The Matrix server name
        #[arg(long, env = "MXDOCTOR_SERVER_NAME")]
        server_name: Option<String>,
        /// What the harness understands, `--help` among it
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        harness: Vec<String>,
    },
    /// Make what the checks need on the target, once
    Init(init::Init),
    /// Print the JSON Schema of the report
    Schema,
    /// Print shell completions
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the command line (troff)
    Man,
}

/// Runs the command line of this process.
pub fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let code = std::panic::catch_unwind(|| run(cli.command)).unwrap_or(ExitCode::Internal);
    code.into()
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Check { server_name, config, options } => {
            check::run(server_name.as_deref(), config.as_deref(), &options)
        }
        Command::Demo { list_faults: true, .. } => list::run(list::What::Faults, false),
        Command::Demo { fault, serve, options, .. } => demo::run(fault.as_deref(), serve, &options),
        Command::Lint(lint) => lint::run(&lint),
        Command::List { what, json } => list::run(what, json),
        Command::Explain { id } => explain::run(&id),
        Command::Libtest { config, server_name, harness } => {
            libtest::run(server_name.as_deref(), config.as_deref(), harness)
        }
        Command::Init(init) => init::run(&init),
        Command::Schema => print::json(&mxdoctor_model::report_schema()),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "mxdoctor", &mut text);
            print::bytes(&text)
        }
        Command::Man => {
            let mut text = Vec::new();
            match clap_mangen::Man::new(Cli::command()).render(&mut text) {
                Ok(()) => print::bytes(&text),
                Err(_) => ExitCode::Internal,
            }
        }
    }
}

/// Tells what is wrong with the command line or the configuration.
fn usage(error: ConfigError) -> ExitCode {
    let code = match error {
        ConfigError::FitsNothing { .. } => ExitCode::NothingSelected,
        _ => ExitCode::Usage,
    };
    print::complain(&format!("{:?}", miette::Report::new(error)));
    code
}
