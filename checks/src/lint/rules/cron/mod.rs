//! CRON: dumps and other jobs on a schedule.

mod dump;
mod schedule;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] =
    &[&schedule::OVERLAP, &dump::OLDER, &schedule::RESTART, &dump::NOWHERE, &schedule::APART];
