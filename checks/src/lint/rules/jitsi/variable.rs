//! What a part of Jitsi is told by variables.

use crate::lint::Stack;
use crate::lint::view::{Env, EnvValue, JitsiPart, Workload};

/// What is known of a variable.
pub(in crate::lint::rules) enum Variable<'a> {
    /// Given, and what it comes to is known or comes from a Secret or a field.
    Given(Env<'a>),
    /// Not given, or empty.
    Missing,
    /// May be given by something that the inventory does not show.
    Unknown,
}

/// A variable of a part.
pub(in crate::lint::rules) fn variable<'a>(
    stack: &Stack<'a>,
    part: &JitsiPart<'a>,
    name: &str,
) -> Variable<'a> {
    match part.container.env_value(stack, &part.workload, name) {
        Some(env) if matches!(env.value, EnvValue::Empty) || env.known() == Some("") => {
            Variable::Missing
        }
        Some(env) => Variable::Given(env),
        None if part.container.env_is_open(stack, &part.workload) => Variable::Unknown,
        None if part.container.has_script() => Variable::Unknown,
        None => Variable::Missing,
    }
}

/// Whether a switch is on, as the images read it: `1`, `true`.
pub(in crate::lint::rules) fn is_on(
    stack: &Stack<'_>,
    part: &JitsiPart<'_>,
    name: &str,
) -> Option<bool> {
    match variable(stack, part, name) {
        Variable::Given(env) => Some(matches!(env.known()?, "1" | "true" | "TRUE")),
        Variable::Missing => Some(false),
        Variable::Unknown => None,
    }
}

/// Whether the pod itself says where the name is that the images look for unless told otherwise.
pub(super) fn is_named(workload: &Workload<'_>) -> bool {
    let mut names = workload.pod.list("hostAliases").iter().flat_map(|it| it.list("hostnames"));
    names.any(|name| name.as_str() == Some("xmpp.meet.jitsi"))
}
