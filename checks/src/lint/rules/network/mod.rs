//! NET: Services, and the routes that lead to them.

mod entry_points;
pub(super) mod grammar;
mod links;
mod middlewares;
mod openness;
pub(super) mod routes;
mod services;

use crate::lint::Rule;

/// The rules of this family.
pub(super) const RULES: &[&Rule] = &[
    &services::SELECTS_NOTHING,
    &services::SELECTS_SEVERAL,
    &services::NO_SUCH_PORT,
    &routes::NO_SUCH_SERVICE,
    &middlewares::NOT_THERE,
    &grammar::UNREADABLE,
    &grammar::TWICE,
    &entry_points::UNKNOWN,
    &openness::CLEAR,
    &middlewares::OLD_NAME,
    &middlewares::SMALLER,
    &middlewares::REWRITTEN,
    &openness::PUBLISHED,
    &links::COLLISION,
];
