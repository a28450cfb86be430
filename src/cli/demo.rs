//! `mxdoctor demo`: the embedded stack.

use mxdoctor_fixtures::demo::{self, Demo, Fault};
use mxdoctor_model::ExitCode;

use super::check::{check, with_runtime};
use super::{print, usage};
use crate::config::{ConfigError, Options, Settings, nearest};

/// Starts the embedded stack, with a fault if one is named, and checks it or leaves it running.
pub(super) fn run(fault: Option<&str>, serve: bool, options: &Options) -> ExitCode {
    let fault = match fault.map(known).transpose() {
        Ok(fault) => fault,
        Err(error) => return usage(error),
    };
    with_runtime(async {
        let demo = match Demo::start(fault).await {
            Ok(demo) => demo,
            Err(error) => {
                print::complain(&format!("the embedded stack does not start: {error}"));
                return ExitCode::Internal;
            }
        };
        if serve { self::serve(&demo, fault).await } else { once(&demo, options).await }
    })
}

fn known(id: &str) -> Result<&'static Fault, ConfigError> {
    demo::fault(id).ok_or_else(|| ConfigError::Value {
        name: "--fault".into(),
        message: format!("`{id}` is unknown"),
        help: Some(match nearest(id, demo::FAULTS.iter().map(|fault| fault.id)) {
            Some(near) => format!("did you mean `{near}`? `mxdoctor demo --list-faults` shows all"),
            None => "`mxdoctor demo --list-faults` shows them all".into(),
        }),
    })
}

async fn once(demo: &Demo, options: &Options) -> ExitCode {
    let config = demo.folder().join("stack.toml");
    match Settings::load(None, Some(&config), options) {
        Ok(settings) => check(&settings, options.color).await,
        Err(error) => usage(error),
    }
}

async fn serve(demo: &Demo, fault: Option<&Fault>) -> ExitCode {
    let state = fault.map_or("healthy".to_owned(), |fault| format!("broken: {}", fault.what));
    let config = demo.folder().join("stack.toml");
    let said = print::text(&format!(
        "the embedded stack runs ({state})\n\ncheck it with\n\n    mxdoctor check -c {}\n\n\
         Ctrl-C ends it\n",
        config.display()
    ));
    if said == ExitCode::Clean {
        // Without a way to wait for the signal there is nothing to serve.
        let _ = tokio::signal::ctrl_c().await;
    }
    said
}
