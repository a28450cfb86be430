//! `database.version`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};

use super::absent;
use crate::facts::{DatabaseSession, Release, Software, Written};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// PostgreSQL is of the version that was written down (`expect.postgres_version`, `16` or
    /// `16.10`; else the image tag of the Cluster in the namespace, where that is looked at), one that the homeserver works with, and one that still gets corrections.
    ///
    /// ## Why it matters
    /// Synapse 1.147 does not start with a PostgreSQL before 14. A major release gets no
    /// corrections of weaknesses after its five years.
    ///
    /// ## What makes it fail
    /// Another version than was written down; one before 14 where the homeserver is known to be
    /// Synapse 1.147 or later. A release past its end is a warning. Majors that are newer than
    /// mxdoctor's table are not judged.
    ///
    /// ## How to fix it
    /// Set `imageName` in `apps/base/matrix/data/cnpg-cluster.yaml`. CloudNativePG rolls out a
    /// minor release by itself; a new major needs a backup and a window for maintenance.
    ///
    /// ## Where it comes from
    /// Synapse documentation, "Using Postgres" and "Deprecation policy"; PostgreSQL, "Versioning
    /// policy".
    "database.version" at C: "the database's version is supported, and as written"
    causes ["version-differs", "database-version-unsupported", "database-version-ended"]
    timeout 130
}

/// The oldest major that Synapse 1.147 works with.
const OLDEST: u64 = 14;

/// The last day of each major release, by PostgreSQL's versioning policy.
const ENDS: &[(u64, [i8; 2], i16)] = &[
    (10, [11, 10], 2022),
    (11, [11, 9], 2023),
    (12, [11, 21], 2024),
    (13, [11, 13], 2025),
    (14, [11, 12], 2026),
    (15, [11, 11], 2027),
    (16, [11, 9], 2028),
    (17, [11, 8], 2029),
    (18, [11, 14], 2030),
];

async fn run(cx: &Cx) -> Verdict {
    if cx.target().database.is_none() {
        return Ok(absent().into());
    }
    let session = cx.fact(DatabaseSession).await?;
    let runs = &session.version;
    let written = cx.fact(Written).await?;
    // Which homeserver it is, matters for old releases only.
    let synapse = match major(runs) {
        Some(major) if major < OLDEST => match cx.fact(Software).await {
            Ok(software) => software.is_synapse().then(|| software.version.clone()),
            Err(_) => written.synapse.clone(),
        },
        _ => None,
    };
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    let finding = judge(runs, written.postgres.as_deref(), synapse.as_deref(), today);
    let said = Evidence::new(EvidenceKind::Database, format!("server_version is {runs}"));
    Ok(finding.evidences([said]).into())
}

fn judge(
    runs: &str,
    written: Option<&str>,
    synapse: Option<&str>,
    today: jiff::civil::Date,
) -> Finding {
    let Some(major) = major(runs) else {
        return Finding::error(format!("the server's version `{runs}` cannot be read"));
    };
    let short = numbers(runs);
    let demands = |version: &&str| Release::parse(version) >= Release::parse("1.147.0rc1");
    if let Some(synapse) = synapse.filter(demands)
        && major < OLDEST
    {
        let summary = format!("Synapse {synapse} does not work with PostgreSQL {short}");
        return Finding::fail("database-version-unsupported", summary)
            .expected(format!("PostgreSQL {OLDEST} or newer"))
            .actual(format!("PostgreSQL {short}"));
    }
    if let Some(written) = written.filter(|written| !is_as_written(runs, written)) {
        let summary = format!("PostgreSQL {short} runs where {written} was written down");
        return Finding::fail("version-differs", summary)
            .expected(format!("PostgreSQL {written}"))
            .actual(format!("PostgreSQL {short}"))
            .remedy(
                "see that `imageName` in `apps/base/matrix/data/cnpg-cluster.yaml` is what was \
                 meant and that `kubectl -n app-matrix get cluster matrix-db` is healthy; or \
                 correct `expect.postgres_version` in stack.toml",
            );
    }
    match end(major) {
        Some(end) if end < today => Finding::warn(
            "database-version-ended",
            format!("PostgreSQL {short} has had no corrections since {end}"),
        )
        .expected("a major release that is still corrected")
        .actual(format!("PostgreSQL {short}, which ended on {end}")),
        Some(end) => Finding::pass(format!("PostgreSQL {short}, corrected until {end}")),
        None => Finding::pass(format!("PostgreSQL {short}")),
    }
}

/// When the major release ends; none for one that the table does not know.
fn end(major: u64) -> Option<jiff::civil::Date> {
    // What is older than the table has ended with its first row at the latest.
    let (_, [month, day], year) =
        ENDS.iter().find(|(known, ..)| *known == major.max(ENDS[0].0)).copied()?;
    Some(jiff::civil::date(year, month, day))
}

/// `16.10` of `16.10 (Debian 16.10-1)`, of `16beta1` and of an image tag.
fn numbers(version: &str) -> &str {
    let version = version.trim().trim_start_matches('v');
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].trim_end_matches('.')
}

fn major(version: &str) -> Option<u64> {
    numbers(version).split('.').next()?.parse().ok()
}

/// Whether what runs is what was written, as exactly as it was written.
fn is_as_written(runs: &str, written: &str) -> bool {
    let mut runs = numbers(runs).split('.');
    numbers(written).split('.').all(|part| runs.next() == Some(part))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    fn judged(runs: &str, written: Option<&str>, synapse: Option<&str>) -> Finding {
        judge(runs, written, synapse, jiff::civil::date(2026, 6, 1))
    }

    #[test]
    fn it_is_held_to_what_was_written() {
        let runs = "16.10 (Debian 16.10-1.pgdg13+1)";
        for written in ["16", "16.10", "v16.10", "16.10-standard-trixie"] {
            assert_eq!(judged(runs, Some(written), None).outcome, Outcome::Pass, "{written}");
        }
        for written in ["17", "16.1", "16.11", "16.10.1", "1"] {
            let cause = judged(runs, Some(written), None).cause;
            assert_eq!(cause, Some("version-differs"), "{written}");
        }
    }

    #[test]
    fn old_releases_are_told() {
        let unsupported = Some("database-version-unsupported");
        assert_eq!(judged("13.22", None, Some("1.147.0")).cause, unsupported);
        assert_eq!(judged("13.22", None, Some("1.140.0")).cause, Some("database-version-ended"));
        assert_eq!(judged("13.22", None, None).cause, Some("database-version-ended"));
        assert_eq!(judged("9.6.24", None, None).cause, Some("database-version-ended"));
        assert_eq!(judged("14.20", None, Some("1.147.0")).outcome, Outcome::Pass);
        assert_eq!(judged("99beta1", None, None).outcome, Outcome::Pass);
        assert_eq!(judged("devel", None, None).outcome, Outcome::Error);
    }

    #[test]
    fn a_release_ends_on_its_day() {
        let outcome = |day| judge("14.20", None, None, jiff::civil::date(2026, 11, day)).outcome;
        assert_eq!((outcome(12), outcome(13)), (Outcome::Pass, Outcome::Warn));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(runs: String, written: String) {
            let _ = judged(&runs, Some(&written), None);
        }
    }
}
