//! `mxdoctor lint`.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use mxdoctor_model::{Event, ExitCode, Report, SCHEMA_VERSION};
use mxdoctor_probes::manifest::Tool;
use mxdoctor_probes::manifest::files::{self, Input};
use mxdoctor_probes::manifest::yaml::MAX_BYTES;
use mxdoctor_reports::Sink;

use super::check::{Fanout, exit_code, open};
use super::{print, usage};
use crate::config::{Color, ConfigError, FailOn};
use crate::lint::{Selection, edits, look, report};

/// What to look at, and what to do about it.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Folders, files, or `-` for standard input. A folder with a kustomization.yaml is built; in
    /// any other every .yaml, .yml and .json is read, and every kustomization that no other uses
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Ask only the rules whose id or family fits: `SYN-01`, `NET`, `JIT-0*`; repeatable
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave out the rules whose id or family fits; repeatable
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    skip: Vec<String>,
    /// Write a report: terminal (the default), short, junit, junit-strict, json, ndjson, sarif,
    /// github; to a file after `=`; repeatable
    #[arg(long, value_name = "FORMAT[=PATH]")]
    report: Vec<String>,
    /// Which outcome makes the exit code 1 (default: fail)
    #[arg(long, value_name = "OUTCOME", env = "MXDOCTOR_FAIL_ON")]
    fail_on: Option<FailOn>,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Make the changes that are safe (they do what the file evidently means), then look again
    #[arg(long)]
    fix: bool,
    /// Print the changes that --fix would make, as a unified diff for `patch -p1`, and make none
    #[arg(long, visible_alias = "dry-run")]
    diff: bool,
}

/// Reads, looks, and reports.
pub(super) fn run(lint: &Lint) -> ExitCode {
    let began = Instant::now();
    let inputs = match inputs(&lint.paths) {
        Ok(inputs) => inputs,
        Err(error) => return usage(error),
    };
    let selection = match Selection::new(&lint.only, &lint.skip) {
        Ok(selection) if selection.any() => selection,
        Ok(_) => {
            print::complain("nothing was selected: no rule fits --only and --skip together");
            return ExitCode::NothingSelected;
        }
        Err(error) => return usage(error),
    };
    // Before anything is changed: a wrong --report is no reason to mend files.
    let sinks = match open(&lint.report, lint.color) {
        Ok(sinks) => sinks,
        Err(error) => return usage(error),
    };
    let tool = Tool::on_path();
    let mut tree = files::read_with(&inputs, tool.as_ref());
    if tree.deployments.is_empty() && tree.troubles.is_empty() {
        print::complain(&format!(
            "there is no Kubernetes object in {}\n  help: expected YAML with `apiVersion` and \
             `kind`, or a folder with a kustomization.yaml",
            target(&lint.paths)
        ));
        return ExitCode::NothingSelected;
    }
    let mut looked = look(&tree, &selection);
    if lint.fix || lint.diff {
        let edits = edits(&tree, &looked.problems, &lint.paths);
        edits.left.iter().for_each(|left| print::complain(&format!("not mended: {left}")));
        if edits.fixes == 0 {
            print::complain("there is nothing that can be mended without asking");
        }
        if lint.diff {
            let said = print::text(&edits.diff());
            let report = report(&target(&lint.paths), &tree, &looked, began);
            return if said == ExitCode::Clean { code(lint, &report) } else { said };
        }
        match edits.write() {
            Ok(0) => {}
            Ok(files) => print::complain(&format!(
                "{} mended in {}",
                count(edits.fixes, "finding"),
                count(files, "file")
            )),
            Err(message) => {
                print::complain(&message);
                return ExitCode::Internal;
            }
        }
        tree = files::read_with(&inputs, tool.as_ref());
        looked = look(&tree, &selection);
    }
    write(lint, sinks, &report(&target(&lint.paths), &tree, &looked, began))
}

fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn write(lint: &Lint, sinks: Vec<Box<dyn Sink>>, report: &Report) -> ExitCode {
    let mut fanout = Fanout { sinks, broken: None };
    fanout.event(&Event::RunStarted {
        schema_version: SCHEMA_VERSION,
        tool: report.tool.clone(),
        run: report.run.clone(),
        planned: report.checks.len(),
    });
    for check in &report.checks {
        fanout.event(&Event::CheckFinished { check: Box::new(check.clone()) });
    }
    fanout.event(&Event::RunFinished { report: Box::new(report.clone()) });
    if let Some(error) = fanout.broken {
        print::complain(&error.to_string());
        return ExitCode::Internal;
    }
    code(lint, report)
}

fn code(lint: &Lint, report: &Report) -> ExitCode {
    exit_code(&report.summary, None, lint.fail_on.unwrap_or(FailOn::Fail))
}

fn target(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    if names == ["-"] { "standard input".to_owned() } else { names.join(" ") }
}

fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, ConfigError> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            let limit = MAX_BYTES as u64 + 1;
            std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|source| {
                ConfigError::Unreadable { path: "standard input".to_owned(), source }
            })?;
            inputs.push(Input::Text("stdin".to_owned(), bytes));
            continue;
        }
        std::fs::metadata(path).map_err(|source| ConfigError::Unreadable {
            path: path.display().to_string(),
            source,
        })?;
        inputs.push(Input::Path(path.clone()));
    }
    Ok(inputs)
}
