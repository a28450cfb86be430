//! The checks of the vantage, DNS, TLS and ingress families against servers on loopback, healthy
//! and broken in one way each.

mod astray;
mod autodiscovery;
mod branches;
mod delegation;
mod discovery;
mod dns;
mod federation;
mod ingress;
mod lab;
mod tls;
mod vantage;
