//! The typed view of an inventory: workloads, what they mount and are told, who reaches them, and
//! which of them are the parts of a Matrix stack.

mod apps;
mod container;
mod image;
mod labels;
mod parts;
pub mod policy;
mod reach;
mod secrets;
mod unseen;
mod workload;

pub use apps::{Element, Jitsi, JitsiPart, Payload, Synapse};
pub use container::{Container, Env, EnvValue, Probe};
pub use image::Image;
pub use parts::{Stack, payload};
pub use reach::{Route, RouteKind, Service, ServicePort};
pub use secrets::{Keys, Produced};
pub use workload::{Mount, MountedFile, Volume, VolumeKind, Workload};
