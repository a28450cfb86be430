//! WebSocket upgrade and text frames (RFC 6455).

#[cfg(test)]
mod tests;
mod upgrade;

pub use upgrade::{UpgradeError, WebSocket};
