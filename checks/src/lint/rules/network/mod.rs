//! NET: Services, and the routes that lead to them.

mod links;
mod routes;
mod services;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &services::SELECTS_NOTHING,
    &services::SELECTS_SEVERAL,
    &services::NO_SUCH_PORT,
    &routes::NO_SUCH_SERVICE,
    &links::COLLISION,
];
