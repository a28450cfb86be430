//! `database.connections`

use mxdoctor_model::Finding;

use crate::facts::{Connections, DatabaseSession};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The server has room for as many connections as the homeserver's pool may open: its
    /// `max_connections`, less those kept back and those in use.
    ///
    /// ## Why it matters
    /// A server without room refuses Synapse's next connection, and requests fail one here, one
    /// there.
    ///
    /// ## What makes it fail
    /// No room at all, or a refusal with `too many clients already`. It warns where there is room,
    /// and not for the whole pool; or where a limit of the role or database is below the pool.
    ///
    /// The pool is `expect.database_pool`, 10 unless said otherwise, which is the usual `cp_max`.
    ///
    /// ## How to fix it
    /// Find who holds connections (`pg_stat_activity`), lower `cp_max` in homeserver.yaml, or raise
    /// `postgresql.parameters.max_connections` of the `Cluster` `matrix-db`.
    ///
    /// ## Where it comes from
    /// PostgreSQL, "Connections and authentication"; Synapse, `database.args.cp_max`.
    "database.connections" at C: "there is room for the homeserver's pool"
    causes ["database-connections-exhausted", "database-connections-few"]
    timeout 30
    attempts 2
}

/// `cp_max` as Synapse's documentation has it.
const POOL: u32 = 10;

async fn run(cx: &Cx) -> Verdict {
    let snapshot = cx.fact(DatabaseSession).await?;
    let pool = cx.target().expect.database_pool.unwrap_or(POOL);
    Ok(judge(&snapshot.connections, i64::from(pool)).into())
}

fn judge(seen: &Connections, pool: i64) -> Finding {
    let room = seen.max - seen.reserved - seen.used;
    let needed = (pool - seen.by_role).max(0);
    let actual = format!(
        "{} of {} in use, {} kept back, {} of them by this role",
        seen.used, seen.max, seen.reserved, seen.by_role
    );
    let expected = format!("room for {needed} more, a pool of {pool}");
    let finding = match seen.limit.filter(|limit| *limit < pool) {
        _ if room <= 0 && needed > 0 => {
            Finding::fail("database-connections-exhausted", "no connection is left for Synapse")
                .transient()
        }
        Some(limit) => Finding::warn(
            "database-connections-few",
            format!("the role or database is limited to {limit} connections, the pool is {pool}"),
        ),
        None if room < needed => Finding::warn(
            "database-connections-few",
            format!("{room} connections are left, and the pool may want {needed} more"),
        ),
        None => Finding::pass(format!("room for {room} more connections")),
    };
    finding.expected(expected).actual(actual).metric(
        "database_connections_left",
        room as f64,
        "count",
    )
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    fn outcome(used: i64, by_role: i64, limit: Option<i64>) -> Outcome {
        judge(&Connections { max: 100, reserved: 3, used, by_role, limit }, 10).outcome
    }

    #[test]
    fn the_pool_that_is_open_needs_no_room() {
        assert_eq!(outcome(20, 5, None), Outcome::Pass);
        assert_eq!(outcome(97, 10, None), Outcome::Pass);
        assert_eq!(outcome(97, 5, None), Outcome::Fail);
        assert_eq!(outcome(95, 5, None), Outcome::Warn);
        assert_eq!(outcome(20, 5, Some(5)), Outcome::Warn);
        assert_eq!(outcome(20, 5, Some(50)), Outcome::Pass);
    }
}
