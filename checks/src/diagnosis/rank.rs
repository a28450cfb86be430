//! Which root cause to read first.

use mxdoctor_model::{CheckReport, Outcome, RootCause};

use super::Group;

/// Orders root causes: failures before what could not be measured, then the deeper layer, then
/// what has more consequences.
pub(super) type Rank = (bool, std::cmp::Reverse<usize>, usize);

/// The rank of a root cause; the smallest comes first.
pub(super) fn rank(group: &Group, cause: &RootCause, checks: &[CheckReport]) -> Rank {
    let measured = group.seen_by.iter().any(|&index| checks[index].outcome == Outcome::Fail);
    let first = group.seen_by.first().copied().unwrap_or(usize::MAX);
    (!measured, std::cmp::Reverse(cause.consequences.len()), first)
}
