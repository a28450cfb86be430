//! Rules over the objects of a deployment, from files before it is deployed and from the API
//! server after.
//!
//! A [`Rule`] is one file of a family's folder, or a tight group shares one; it looks at a
//! [`Stack`], the typed view of an inventory, and adds what it finds to [`Found`]. What cannot be
//! decided from the inventory at hand is not found: a rule never guesses.

mod allow;
mod apart;
mod problem;
pub mod reading;
mod rule;
pub mod rules;
mod suppress;
#[cfg(test)]
pub(crate) mod testing;
pub mod view;

pub use problem::{Change, Fix, Found, Problem, Severity};
pub use rule::{Needs, Rule, explain, run, sort};
pub use suppress::suppress;
pub use view::Stack;
