//! `database.encoding`

use mxdoctor_model::Finding;

use super::absent;
use crate::facts::{DatabaseSession, Locale};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The database keeps text as UTF8 and orders it by code point: `datcollate` and `datctype` are
    /// `C`.
    ///
    /// ## Why it matters
    /// Synapse does not start with another. Where it was forced to, an update of the C library
    /// changes the order under the indexes, and rows are no longer found.
    ///
    /// ## What makes it fail
    /// Any other encoding, collation or character type; also `C.UTF-8` and `POSIX`, since Synapse
    /// compares the very word.
    ///
    /// ## How to fix it
    /// It cannot be changed in place. Dump the database, create it anew with
    /// `bootstrap.initdb: {encoding: UTF8, localeCollate: C, localeCType: C}` in
    /// `apps/base/matrix/data/cnpg-cluster.yaml` (by hand: `TEMPLATE template0`), and restore.
    ///
    /// ## Where it comes from
    /// Synapse documentation, "Using Postgres", sections "Set up database" and "Fixing incorrect
    /// COLLATE or CTYPE".
    "database.encoding" at C: "the database has the encoding and collation that Synapse demands"
    causes ["database-collation-wrong"]
    timeout 65
}

async fn run(cx: &Cx) -> Verdict {
    if cx.target().database.is_none() {
        return Ok(absent().into());
    }
    Ok(judge(&cx.fact(DatabaseSession).await?.locale).into())
}

fn judge(locale: &Locale) -> Finding {
    let Locale { encoding, collate, ctype } = locale;
    let actual = format!("encoding {encoding}, collation {collate}, character type {ctype}");
    if encoding == "UTF8" && collate == "C" && ctype == "C" {
        return Finding::pass(actual);
    }
    Finding::fail("database-collation-wrong", format!("the database has {actual}"))
        .expected("encoding UTF8, collation C, character type C")
        .actual(actual)
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    #[test]
    fn only_utf8_and_c_will_do() {
        let outcome = |encoding: &str, collate: &str, ctype: &str| {
            let [encoding, collate, ctype] = [encoding, collate, ctype].map(str::to_owned);
            judge(&Locale { encoding, collate, ctype }).outcome
        };
        assert_eq!(outcome("UTF8", "C", "C"), Outcome::Pass);
        assert_eq!(outcome("SQL_ASCII", "C", "C"), Outcome::Fail);
        assert_eq!(outcome("UTF8", "C.UTF-8", "C"), Outcome::Fail);
        assert_eq!(outcome("UTF8", "C", "en_US.UTF-8"), Outcome::Fail);
    }
}
