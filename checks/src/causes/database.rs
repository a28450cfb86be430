//! Causes first seen by the `database` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[Cause {
    id: "database-down",
    title: "the homeserver's database does not answer",
    explanation: "Synapse keeps running without its database: `/health` and `versions` are \
        answered, and everything that needs an account, a room or a key is an error. Either \
        PostgreSQL is down, or Synapse cannot reach it or log in to it.",
    remedy: "Look at the database first, `kubectl -n app-matrix get cluster matrix-db` and its \
        pods, then at Synapse's log for `OperationalError`, which says whether the connection was \
        refused, the name not found or the password wrong.",
}];
