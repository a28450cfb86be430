//! Kubernetes manifests and the configuration inside them, where every value knows its place.
//!
//! One tree of [`Node`]s stands for YAML files ([`yaml`]), for objects of an API server
//! ([`json`]) and for the files inside ConfigMaps ([`payload`]); an [`Inventory`] is the objects
//! of one deployment, wherever they came from.

pub mod files;
mod inventory;
pub mod json;
mod kustomize;
mod node;
pub mod payload;
mod place;
mod scalar;
pub mod schema;
#[cfg(test)]
mod tests;
mod text;
mod walk;
pub mod yaml;

pub use inventory::{Inventory, Object, Origin, shares};
pub use kustomize::{Conflict, Kustomization, Renamed, Tool, patch};
pub use node::{Entry, Node, Text, Value};
pub use place::{Place, Source};
