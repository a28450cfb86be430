//! `mxdoctor check`.

use std::path::Path;
use std::str::FromStr as _;

use mxdoctor_model::{Event, ExitCode, Summary};
use mxdoctor_reports::{Sink, SinkError, Spec, TerminalOptions, When};
use tokio::signal::unix::{SignalKind, signal};

use super::{print, usage};
use crate::config::{Color, ConfigError, FailOn, Options, Settings};
use crate::engine::{Engine, Interrupt, Plan};

/// Loads the settings and runs the checks.
pub(super) fn run(server_name: Option<&str>, config: Option<&Path>, options: &Options) -> ExitCode {
    match Settings::load(server_name, config, options) {
        Ok(settings) => with_runtime(check(&settings, options.color)),
        Err(error) => usage(error),
    }
}

/// Runs a future on a runtime of its own; nothing of it outlives the call.
pub(super) fn with_runtime<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system gives threads and an event queue");
    let value = runtime.block_on(future);
    runtime.shutdown_background();
    value
}

/// Runs the checks that the settings select, and writes the reports.
pub(super) async fn check(settings: &Settings, color: Color) -> ExitCode {
    let sinks = match open(&settings.reports, color) {
        Ok(sinks) => sinks,
        Err(error) => return usage(error),
    };
    let plan = Plan::new(settings);
    if plan.checks.is_empty() {
        print::complain(
            "nothing was selected: no check fits --only, --skip and the vantages together\n  \
             help: `mxdoctor list` shows each check with its vantages",
        );
        return ExitCode::NothingSelected;
    }
    let mut fanout = Fanout { sinks, broken: None };
    let engine = Engine::new(settings, plan);
    let (report, interrupt) = engine.run(&mut |event| fanout.event(&event), signals()).await;
    if let Some(error) = fanout.broken {
        print::complain(&error.to_string());
        return ExitCode::Internal;
    }
    exit_code(&report.summary, interrupt, settings.fail_on)
}

/// The sinks, and the first of their errors; the others go on.
pub(super) struct Fanout {
    pub(super) sinks: Vec<Box<dyn Sink>>,
    pub(super) broken: Option<SinkError>,
}

impl Fanout {
    pub(super) fn event(&mut self, event: &Event) {
        for sink in &mut self.sinks {
            if let Err(error) = sink.event(event) {
                self.broken.get_or_insert(error);
            }
        }
    }
}

/// Opens the reports that were asked for.
pub(super) fn open(reports: &[String], color: Color) -> Result<Vec<Box<dyn Sink>>, ConfigError> {
    let specs = reports
        .iter()
        .map(|text| Spec::from_str(text).map_err(|e| ConfigError::value("--report", e.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    let color = match color {
        Color::Auto => When::Auto,
        Color::Always => When::Always,
        Color::Never => When::Never,
    };
    let options = TerminalOptions { color, ..TerminalOptions::default() };
    mxdoctor_reports::open(&specs, &options)
        .map_err(|error| ConfigError::value("--report", error.to_string()))
}

/// Completes when the process is asked to end.
async fn signals() -> Interrupt {
    let (Ok(mut int), Ok(mut term)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => Interrupt::Sigint,
        _ = term.recv() => Interrupt::Sigterm,
    }
}

pub(super) fn exit_code(
    summary: &Summary,
    interrupt: Option<Interrupt>,
    fail_on: FailOn,
) -> ExitCode {
    match interrupt {
        Some(Interrupt::Sigint) => return ExitCode::Interrupted,
        Some(Interrupt::Sigterm) => return ExitCode::Terminated,
        Some(Interrupt::Deadline) | None => {}
    }
    if summary.fail > 0 || (fail_on == FailOn::Warn && summary.warn > 0) {
        ExitCode::Findings
    } else if summary.error > 0 {
        ExitCode::Unmeasured
    } else {
        ExitCode::Clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_of_the_worst_that_counts() {
        let code = |warn, error, fail, fail_on| {
            let summary = Summary { pass: 1, warn, fail, error, skip: 1 };
            exit_code(&summary, None, fail_on)
        };
        assert_eq!(code(0, 0, 0, FailOn::Fail), ExitCode::Clean);
        assert_eq!(code(1, 0, 0, FailOn::Fail), ExitCode::Clean);
        assert_eq!(code(1, 0, 0, FailOn::Warn), ExitCode::Findings);
        assert_eq!(code(0, 1, 0, FailOn::Warn), ExitCode::Unmeasured);
        assert_eq!(code(1, 1, 1, FailOn::Fail), ExitCode::Findings);
        let failed = Summary { fail: 1, ..Summary::default() };
        let sigint = exit_code(&failed, Some(Interrupt::Sigint), FailOn::Fail);
        assert_eq!(sigint, ExitCode::Interrupted);
        let late = exit_code(&failed, Some(Interrupt::Deadline), FailOn::Fail);
        assert_eq!(late, ExitCode::Findings);
    }
}
