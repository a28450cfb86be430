//! `database.connections`

use mxdoctor_model::Finding;

use super::absent;
use crate::facts::{Connections, DatabaseSession};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The database has room for the homeserver's whole connection pool (`expect.database_pool`,
    /// else Synapse's default `cp_max` of 10) besides all others that use it.
    ///
    /// ## Why it matters
    /// Synapse opens connections as it needs them. When the last one is gone, requests fail under
    /// load and nothing is wrong in quiet hours.
    ///
    /// ## What makes it fail
    /// No connection is left (53300). A warning where fewer are left than the pool may come to
    /// need: `max_connections` less what is reserved and in use, and the limits of role and
    /// database. Connections that the role has open already are counted as the pool's.
    ///
    /// ## How to fix it
    /// Raise `spec.postgresql.parameters.max_connections` in
    /// `apps/base/matrix/data/cnpg-cluster.yaml`, or lower `database.args.cp_max` in
    /// homeserver.yaml; look at `pg_stat_activity` for clients that keep connections for nothing.
    ///
    /// ## Where it comes from
    /// PostgreSQL documentation, "Connection Settings"; Synapse configuration manual, `database`.
    "database.connections" at C: "the database has room for the homeserver's connections"
    causes ["database-connections-exhausted", "database-connections-few"]
    timeout 65
    attempts 2
}

/// Synapse's `cp_max` where none is configured: that of Twisted and of Synapse's sample.
const POOL: u32 = 10;

async fn run(cx: &Cx) -> Verdict {
    if cx.target().database.is_none() {
        return Ok(absent().into());
    }
    let pool = cx.target().expect.database_pool.unwrap_or(POOL);
    let session = cx.fact(DatabaseSession).await?;
    Ok(match &session.connections {
        Ok(connections) => judge(connections, pool.into()),
        Err(reason) => Finding::error(format!("connections could not be counted: {reason}")),
    }
    .into())
}

fn judge(connections: &Connections, pool: i64) -> Finding {
    let Connections { max, reserved, used, own, .. } = *connections;
    let room = room(connections);
    let seen = format!(
        "{used} of {max} connections in use, {own} of them the homeserver's; {reserved} reserved"
    );
    let finding = if room >= pool {
        Finding::pass(format!("room for {room} connections of a pool of {pool}; {seen}"))
    } else if room <= own {
        Finding::fail("database-connections-exhausted", "no connection is left for the homeserver")
            .transient()
    } else {
        let summary = format!("the homeserver may open {pool} connections, and gets just {room}");
        Finding::warn("database-connections-few", summary)
    };
    finding
        .expected(format!("room for {pool} connections of the homeserver"))
        .actual(seen)
        .metric("connections_used", used as f64, "count")
        .metric("connections_room", room as f64, "count")
}

/// How many connections the role can have in all, those that it has included.
fn room(connections: &Connections) -> i64 {
    let Connections { max, reserved, used, own, here, role_limit, database_limit } = *connections;
    let limit = |limit: i64| if limit < 0 { i64::MAX } else { limit };
    let others_here = here.saturating_sub(own).max(0);
    (max - reserved - used + own)
        .min(limit(role_limit))
        .min(limit(database_limit).saturating_sub(others_here))
        .max(0)
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    const QUIET: Connections = Connections {
        max: 100,
        reserved: 3,
        used: 12,
        own: 10,
        here: 10,
        role_limit: -1,
        database_limit: -1,
    };

    #[test]
    fn what_the_role_has_is_part_of_its_room() {
        assert_eq!(room(&QUIET), 95);
        assert_eq!(judge(&QUIET, 10).outcome, Outcome::Pass);
        // All in use, and the whole pool among them.
        let full = Connections { used: 97, ..QUIET };
        assert_eq!((room(&full), judge(&full, 10).outcome), (10, Outcome::Pass));
    }

    #[test]
    fn little_room_is_told_from_none() {
        let judged = |connections: Connections| judge(&connections, 10).cause;
        let few = Connections { used: 93, own: 5, here: 5, ..QUIET };
        assert_eq!(judged(few), Some("database-connections-few"));
        let none = Connections { used: 97, own: 5, here: 5, ..QUIET };
        assert_eq!(judged(none), Some("database-connections-exhausted"));
        let role = Connections { own: 2, here: 2, role_limit: 5, ..QUIET };
        assert_eq!(judged(role), Some("database-connections-few"));
        let database = Connections { own: 2, here: 6, database_limit: 12, ..QUIET };
        assert_eq!((room(&database), judged(database)), (8, Some("database-connections-few")));
    }
}
