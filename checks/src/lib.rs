//! The checks, the facts they share, the causes they name and the diagnosis.
//!
//! One file a check, one folder a family. A check's doc comment is its manual page; its `run`
//! asks for facts and says what it thinks of them. Nothing here opens a socket: that is what
//! `mxdoctor-probes` is for.

mod cause;
mod causes;
mod check;
mod cx;
pub mod diagnosis;
mod fact;
pub mod facts;
mod page;
mod registry;
pub mod state;
mod target;

pub mod canary;
pub mod database;
pub mod dns;
pub mod element;
pub mod federation;
pub mod ingress;
pub mod jitsi;
pub mod kubernetes;
pub mod lint;
pub mod synapse;
pub mod tls;
pub mod vantage;

pub use cause::{Cause, all as causes, cause};
pub use check::{Check, Entry, Findings, Verdict, at};
pub use cx::Cx;
pub use fact::{Fact, Facts, Span, Unavailable};
pub use registry::{REGISTRY, check};
pub use target::{
    CanaryAccount, Cidr, Database, Expect, ExpectedKey, FederationProbe, JitsiLogin, Kubernetes,
    Target,
};
