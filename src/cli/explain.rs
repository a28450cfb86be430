//! `mxdoctor explain`: the manual pages.

use mxdoctor_checks::REGISTRY;
use mxdoctor_checks::lint::rules;
use mxdoctor_fixtures::demo;
use mxdoctor_model::ExitCode;

use super::{print, usage};
use crate::config::{ConfigError, nearest};

/// Prints the page of a check, a cause or a fault.
pub(super) fn run(id: &str) -> ExitCode {
    if let Some(check) = mxdoctor_checks::check(id) {
        return print::text(&check.markdown());
    }
    if let Some(cause) = mxdoctor_checks::cause(id) {
        return print::text(&cause.markdown());
    }
    if let Some(rule) = rules::rule(id) {
        return print::text(&rule.markdown());
    }
    if let Some(fault) = demo::fault(id) {
        return print::text(&format!(
            "# {}\n\n{}\n\nFirst seen by {}{}.\n\n    mxdoctor demo --fault {}\n",
            fault.id,
            fault.what,
            fault.check,
            fault
                .cause
                .map_or(", which is skipped then".into(), |c| format!(", for the cause {c}")),
            fault.id
        ));
    }
    let ids = REGISTRY.iter().map(|check| check.id);
    let known = ids.chain(mxdoctor_checks::causes().map(|cause| cause.id));
    let known = known.chain(rules::all().map(|rule| rule.id));
    usage(ConfigError::Value {
        name: "ID".into(),
        message: format!("`{id}` is no check, cause, rule or fault"),
        help: Some(match nearest(id, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`mxdoctor list` and `mxdoctor list causes` show what there is".into(),
        }),
    })
}
