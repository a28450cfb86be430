//! `database.version`

use mxdoctor_model::Finding;

use crate::facts::{DatabaseSession, Snapshot};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The version of PostgreSQL is one that Synapse supports, and the one that is written down.
    ///
    /// ## Why it matters
    /// Synapse refuses to start on a version that is too old, mostly right after its own upgrade.
    ///
    /// ## What makes it fail
    /// A version below 14, the least for Synapse 1.147, or another one than
    /// `expect.postgres_version`; `16` there means any 16.
    ///
    /// ## How to fix it
    /// Raise the major version in `imageName` of the CloudNativePG `Cluster` (`matrix-db`), with a
    /// backup at hand.
    ///
    /// ## Where it comes from
    /// Synapse, "Deprecation policy" and its upgrade notes.
    "database.version" at C: "the version is supported, and as written"
    causes ["database-too-old", "version-differs"]
    timeout 30
}

/// The least that Synapse 1.147 takes, as in `server_version_num`.
const LEAST: u32 = 140_000;

async fn run(cx: &Cx) -> Verdict {
    let snapshot = cx.fact(DatabaseSession).await?;
    Ok(judge(&snapshot, cx.target().expect.postgres_version.as_deref()).into())
}

fn judge(snapshot: &Snapshot, expected: Option<&str>) -> Finding {
    let version = snapshot.version.split(' ').next().unwrap_or_default();
    let actual = format!("PostgreSQL {version}");
    if snapshot.version_number < LEAST {
        let summary = format!("{actual} is too old for Synapse");
        return Finding::fail("database-too-old", summary)
            .expected("PostgreSQL 14 or newer")
            .actual(actual);
    }
    match expected {
        Some(expected) if !is(version, expected) => {
            Finding::fail("version-differs", format!("{actual} runs, and {expected} is written"))
                .expected(format!("PostgreSQL {expected}"))
                .actual(actual)
        }
        _ => Finding::pass(actual),
    }
}

/// `16` is any 16, `16.10` just that.
fn is(version: &str, expected: &str) -> bool {
    version == expected || version.strip_prefix(expected).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::database::tests::snapshot;

    #[test]
    fn old_and_other_versions_are_told_apart() {
        let is = |number, text: &str, expected| {
            let seen = Snapshot { version_number: number, version: text.into(), ..snapshot() };
            judge(&seen, expected).outcome
        };
        assert_eq!(is(130_014, "13.14", None), Outcome::Fail);
        assert_eq!(is(160_010, "16.10 (Debian 16.10-1)", None), Outcome::Pass);
        assert_eq!(is(160_010, "16.10 (Debian 16.10-1)", Some("16.10")), Outcome::Pass);
        assert_eq!(is(160_010, "16.10", Some("16")), Outcome::Pass);
        assert_eq!(is(160_010, "16.10", Some("16.1")), Outcome::Fail);
    }
}
