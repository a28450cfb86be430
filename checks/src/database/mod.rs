//! The `database` family: see each file's own page.

pub mod auth;
pub mod connect;
pub mod connections;
pub mod encoding;
pub mod tls;
pub mod version;

#[cfg(test)]
mod tests {
    use crate::facts::{Connections, Snapshot};

    /// A database as Synapse wants it.
    pub(super) fn snapshot() -> Snapshot {
        Snapshot {
            address: ([192, 0, 2, 1], 5432).into(),
            tls: None,
            ready_ms: 3.0,
            encoding: "UTF8".into(),
            collate: "C".into(),
            ctype: "C".into(),
            version_number: 160_010,
            version: "16.10".into(),
            connections: Connections::default(),
        }
    }
}
