//! mxdoctor on a real API server that holds the reference stack: healthy, broken, and refused.
//!
//! One cluster serves all tests, which therefore run one after another, in a network namespace in
//! which the addresses of its pods are the machine's own. A test that breaks something heals it.

mod bench;
mod deploy;
mod faults;
mod hops;
mod inject;
mod live;
mod logs;
mod permissions;
mod trees;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use mxdoctor_fixtures::cluster;

use bench::{Bench, Test};

/// Tests by name; those of one topic stand together.
const TESTS: &[(&str, Test)] = &[
    ("live::healthy", live::healthy),
    ("live::healthy_to_read", live::healthy_to_read),
    ("live::secret_gone", live::secret_gone),
    ("live::two_at_once", live::two_at_once),
    ("hops::whole", hops::whole),
    ("hops::versions", hops::versions),
    ("logs::synapse", logs::synapse),
    ("trees::taken", trees::taken),
    ("deploy::taken_as_written", deploy::taken_as_written),
    ("deploy::pods_are_restricted", deploy::pods_are_restricted),
    ("permissions::printed_as_shipped", permissions::printed_as_shipped),
    ("permissions::nothing_is_written", permissions::nothing_is_written),
    ("permissions::each_rule_is_missed", permissions::each_rule_is_missed),
    ("permissions::secrets_are_asked_for", permissions::secrets_are_asked_for),
    ("permissions::nobody_is_let_in", permissions::nobody_is_let_in),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    if !arguments.list {
        match cluster::enter() {
            Ok(None) => {}
            Ok(Some(code)) => return ExitCode::from(u8::try_from(code).unwrap_or(1)),
            Err(error) => panic!("{error}"),
        }
    }
    let bench: Arc<Bench> = Arc::default();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(TESTS.iter().map(|&(name, run)| {
        let bench = Arc::clone(&bench);
        Trial::test(name, move || run(&bench))
    }));
    trials.extend(faults::all().map(|fault| {
        let bench = Arc::clone(&bench);
        Trial::test(format!("fault::{}", fault.id), move || live::broken(&bench, fault))
    }));
    trials.extend(hops::HOPS.iter().map(|hop| {
        let bench = Arc::clone(&bench);
        Trial::test(format!("hop::{}", hop.id), move || hops::broken(&bench, hop))
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(bench);
    conclusion.exit_code()
}
