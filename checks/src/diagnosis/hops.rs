//! What is seen at a name, and what the walk along its hops says.

use mxdoctor_model::{CheckReport, Outcome};

use super::Group;

/// The check that walks.
const WALK: &str = "ingress.hops_agree";

/// How it puts down the name that it has walked to, among what a finding is about.
const HOST: &str = "Host ";

/// What a gateway says of a backend that it does not reach.
pub(crate) const CUT: &[&str] = &[
    "homeserver-down",
    "element-down",
    "jitsi-web-down",
    "backend-down",
    "gateway-timeout",
    "no-http-answer",
];

/// What a gateway says that has no route for the name.
pub(crate) const UNROUTED: &[&str] = &["ingress-route-missing", "ingress-default-certificate"];

/// Whether a cause is what a name shows of a hop that is broken behind it. A gateway says no more,
/// whatever broke.
fn is_seen_outside(cause: &str) -> bool {
    CUT.contains(&cause) || UNROUTED.contains(&cause) || cause == "edge-cannot-reach-origin"
}

/// Puts what a name shows below what the walk to it, from the same vantage, has found: that is the
/// same failure, seen from nearer.
pub(super) fn deepen(groups: &mut Vec<Group>, checks: &[CheckReport]) {
    let walks = checks.iter().filter(|it| it.id == WALK && it.outcome == Outcome::Fail);
    for walk in walks {
        let Some(host) = walk.about.iter().find_map(|it| it.strip_prefix(HOST)) else { continue };
        let own = |group: &Group| Some(&group.cause) == walk.cause.as_ref();
        let Some(deeper) = groups.iter().position(own) else { continue };
        let mut below = Vec::new();
        for group in groups.iter_mut().filter(|group| !own(group) && is_seen_outside(&group.cause))
        {
            let follows = |index: &usize| {
                let check = &checks[*index];
                check.id != WALK
                    && check.vantage == walk.vantage
                    && check.instance.as_deref() == Some(host)
            };
            below.extend(group.seen_by.extract_if(.., |index| follows(index)));
        }
        groups[deeper].explains.extend(below);
    }
    groups.retain(|group| !group.seen_by.is_empty());
}
