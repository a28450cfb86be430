//! `database.encoding`

use mxdoctor_model::Finding;

use crate::facts::{DatabaseSession, Snapshot};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The database is encoded in UTF8, and its collation and character types are `C`.
    ///
    /// ## Why it matters
    /// With another collation the order of text depends on the system's C library. After an upgrade
    /// of that library indexes are silently corrupt. Synapse refuses to start on such a database.
    ///
    /// ## What makes it fail
    /// Another `server_encoding`, `LC_COLLATE` or `LC_CTYPE`. `C.UTF-8` is not `C`.
    ///
    /// ## How to fix it
    /// The locale of a database cannot be changed: dump it, create it anew and restore. With
    /// CloudNativePG: `bootstrap.initdb` with `encoding: UTF8`, `localeCollate: C` and
    /// `localeCType: C`.
    ///
    /// ## Where it comes from
    /// Synapse, "Using Postgres", "Set up database".
    "database.encoding" at C: "UTF8, with C collation and character types"
    causes ["database-collation-wrong"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    Ok(judge(&*cx.fact(DatabaseSession).await?).into())
}

fn judge(snapshot: &Snapshot) -> Finding {
    let Snapshot { encoding, collate, ctype, .. } = snapshot;
    let actual = format!("{encoding}, collation {collate}, character types {ctype}");
    if encoding == "UTF8" && collate == "C" && ctype == "C" {
        return Finding::pass(actual);
    }
    Finding::fail("database-collation-wrong", "the database has a locale that Synapse refuses")
        .expected("UTF8, collation C, character types C")
        .actual(actual)
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::database::tests::snapshot;

    #[test]
    fn only_c_is_c() {
        assert_eq!(judge(&snapshot()).outcome, Outcome::Pass);
        for wrong in [
            Snapshot { encoding: "SQL_ASCII".into(), ..snapshot() },
            Snapshot { collate: "C.UTF-8".into(), ..snapshot() },
            Snapshot { ctype: "en_US.UTF-8".into(), ..snapshot() },
        ] {
            assert_eq!(judge(&wrong).cause, Some("database-collation-wrong"));
        }
    }
}
