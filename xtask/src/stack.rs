use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Subcommand;
use mxdoctor_fixtures::stack::{
    CALL_FAULTS, FAULTS, Lifetime, RealFault, Stack, StackError, View, install,
};

/// Writes a line; a reader who has gone away is no error.
macro_rules! say {
    ($($word:tt)*) => {{
        let _written = writeln!(std::io::stdout(), $($word)*);
    }};
}

/// Name of the stack that is brought up by hand; the tests have their own.
const NAME: &str = "dev";

/// What to do with the real stack.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Installs what is missing and brings it up, in place of one that is up.
    Up,
    /// Takes it down, also when it is up in part.
    Down,
    /// Says what each component is doing; fails when one is not serving.
    Status,
    /// Runs a command inside, as a user on the internet or a pod of the cluster.
    Exec {
        /// As a pod, which has the cluster's resolver.
        #[arg(long)]
        cluster: bool,
        /// The program and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Breaks it in one way, after healing it of any other.
    Break {
        /// Id of the fault.
        fault: String,
    },
    /// Heals it.
    Heal,
    /// Lists the faults.
    Faults,
}

impl Action {
    pub(crate) fn run(self, target: &Path) -> Result<ExitCode, Box<dyn Error>> {
        let start = Instant::now();
        match self {
            Self::Up => {
                install()?;
                let stack = Stack::up(target, NAME, Lifetime::UntilDown)?;
                say!("up in {:.1} s; try:", start.elapsed().as_secs_f64());
                say!("  cargo xtask stack exec curl https://matrix.testing.borooka.ee/health");
                say!(
                    "  cargo xtask stack exec $PWD/target/debug/mxdoctor check --config {}",
                    stack.config(View::Public)
                );
            }
            Self::Down => Stack::down(target, NAME)?,
            Self::Status => return status(target),
            Self::Exec { cluster, command } => {
                let view = if cluster { View::Cluster } else { View::Public };
                let stack = Stack::find(target, NAME)?;
                let mut command_inside = stack.command(view, &command[0]);
                let status = command_inside.args(&command[1..]).status()?;
                return Ok(super::exit_code(status));
            }
            Self::Break { fault } => {
                let found = faults().find(|known| known.id == fault);
                let found = found.ok_or_else(|| format!("no fault has the id `{fault}`"))?;
                Stack::find(target, NAME)?.inject(found)?;
                say!("{}: {} must fail for {}", found.what, found.check, found.cause);
            }
            Self::Heal => Stack::find(target, NAME)?.heal()?,
            Self::Faults => {
                for fault in faults() {
                    say!("{:<20} {}", fault.id, fault.what);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Those of the parts, then those of a conference.
fn faults() -> impl Iterator<Item = &'static RealFault> {
    FAULTS.iter().chain(CALL_FAULTS.iter().map(|row| &row.fault))
}

fn status(target: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let stack = match Stack::find(target, NAME) {
        Err(StackError::NotUp) => {
            say!("down");
            return Ok(ExitCode::FAILURE);
        }
        found => found?,
    };
    let states = stack.status();
    for state in &states {
        let text = match (state.alive, state.serves) {
            (true, true) => "serving",
            (true, false) => "running, not serving",
            (false, _) => "stopped",
        };
        say!("{:<12} {text}", state.name);
    }
    let good = states.iter().all(|state| state.serves);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
