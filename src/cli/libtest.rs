//! `mxdoctor libtest`: the checks as a test harness that nextest and `cargo test` filters drive.

use std::path::Path;

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use mxdoctor_checks::REGISTRY;
use mxdoctor_model::{CheckReport, ExitCode, Outcome, Report};

use super::check::with_runtime;
use super::usage;
use crate::config::{Options, Settings};
use crate::engine::{Engine, Interrupt, Plan};

/// Runs as a test harness with those arguments.
pub(super) fn run(
    server_name: Option<&str>,
    config: Option<&Path>,
    harness: Vec<String>,
) -> ExitCode {
    let name = "mxdoctor libtest".to_owned();
    let arguments = Arguments::from_iter(std::iter::once(name).chain(harness));
    if arguments.list {
        return conclude(&libtest_mimic::run(&arguments, listed()));
    }
    match Settings::load(server_name, config, &Options::default()) {
        Ok(settings) => conclude(&libtest_mimic::run(&arguments, trials(&arguments, &settings))),
        Err(error) => usage(error),
    }
}

/// Every check as a name; what is only listed is not run.
fn listed() -> Vec<Trial> {
    REGISTRY
        .iter()
        .map(|check| Trial::test(check.id, || Ok(())).with_kind(check.family()))
        .collect()
}

/// One run of the selected checks, each of them a trial that tells its outcome.
///
/// They run together first: facts are shared, and a trial a check would ask for them anew.
fn trials(arguments: &Arguments, settings: &Settings) -> Vec<Trial> {
    let mut plan = Plan::new(settings);
    plan.checks.retain(|planned| wanted(arguments, planned.check.id));
    let selected: Vec<&str> = plan.checks.iter().map(|planned| planned.check.id).collect();
    let report = with_runtime(async {
        let engine = Engine::new(settings, plan);
        engine.run(&mut |_| {}, std::future::pending::<Interrupt>()).await.0
    });
    REGISTRY
        .iter()
        .map(|check| {
            let result = result(check.id, selected.contains(&check.id), &report);
            let ignored = matches!(result, Told::Skipped);
            Trial::test(check.id, move || match result {
                Told::Good | Told::Skipped => Ok(()),
                Told::Bad(text) => Err(Failed::from(text)),
            })
            .with_kind(check.family())
            .with_ignored_flag(ignored)
        })
        .collect()
}

enum Told {
    Good,
    Skipped,
    Bad(String),
}

/// What a check came to in all its instances and vantages.
fn result(id: &str, selected: bool, report: &Report) -> Told {
    let entries: Vec<&CheckReport> = report.checks.iter().filter(|check| check.id == id).collect();
    let bad: Vec<String> = entries
        .iter()
        .filter(|check| matches!(check.outcome, Outcome::Fail | Outcome::Error))
        .map(|check| {
            let remedy = check.remedy.as_deref().unwrap_or("");
            format!("{} {}: {}\n  {remedy}", check.outcome, check.key(), check.summary)
        })
        .collect();
    if !bad.is_empty() {
        Told::Bad(bad.join("\n"))
    } else if selected && entries.iter().all(|check| check.outcome == Outcome::Skip) {
        Told::Skipped
    } else {
        Told::Good
    }
}

/// libtest's rules: filters by substring, or whole with `--exact`; `--skip` likewise.
fn wanted(arguments: &Arguments, id: &str) -> bool {
    let fits = |pattern: &str| if arguments.exact { id == pattern } else { id.contains(pattern) };
    arguments.filter.as_deref().is_none_or(fits)
        && !arguments.skip.iter().any(|pattern| fits(pattern))
}

fn conclude(conclusion: &Conclusion) -> ExitCode {
    if conclusion.has_failed() { ExitCode::Findings } else { ExitCode::Clean }
}
