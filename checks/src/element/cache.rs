//! `element.cache`.

use futures_util::future::join_all;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::Response;

use crate::facts::{Element, ElementConfig, ask};
use crate::{Cx, Verdict, check};

check! {
    /// Browsers and edges do not keep the files that change with every release.
    ///
    /// ## What it asserts
    /// Element's page, `config.json` and `version` are sent so that nobody may use them for more
    /// than an hour without asking again: `Cache-Control: no-cache`, `no-store` or a `max-age` of
    /// at most 3600; and no edge hands out a copy that is older.
    ///
    /// ## Why it matters
    /// After an upgrade a page that was kept names a bundle that is gone: people see a white page
    /// until they empty their caches. A kept configuration sends them to where things used to be.
    ///
    /// ## What makes it fail
    /// Longer or `immutable` caching, or no `Cache-Control` at all together with a `Last-Modified`
    /// (browsers then choose for themselves, a tenth of the file's age). All are warnings. Bundles
    /// may be kept for ever: their names change.
    ///
    /// ## How to fix it
    /// Keep the stock image's `Cache-Control: no-cache` for these files; at the edge, do not
    /// override it by a cache rule ("cache everything", "edge TTL").
    ///
    /// ## Where it comes from
    /// Element Web's README, "Caching requirements"; RFC 9111, sections 4.2.2 and 5.2.
    "element.cache" at P: "index, config and version are not cached for long"
    causes ["element-cached"]
    timeout 60
}

/// The longest that a copy may be used without asking, in seconds.
const LONGEST: u64 = 3600;

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    let element = cx.fact(Element).await?;
    let urls = [element.url("/"), config.url.clone(), element.url("/version")];
    let answers = join_all(urls.map(|url| ask::get(cx, url))).await;
    let mut lines = Vec::new();
    let mut kept = Vec::new();
    let mut unknown = None;
    for answer in answers {
        match answer {
            Ok(exchange) => {
                let answer = exchange.last();
                if answer.status.as_u16() != 200 {
                    continue;
                }
                let control = answer.header("cache-control").unwrap_or("none");
                let line = format!("{}; Cache-Control: {control}", answer.line());
                lines.push(Evidence::new(EvidenceKind::Request, line));
                kept.extend(judge(answer).err().map(|why| format!("{}: {why}", answer.url.path())));
            }
            Err(by) if by.finding.outcome == Outcome::Error => unknown = Some(by.finding.summary),
            Err(_) => {}
        }
    }
    let finding = match (kept.is_empty(), unknown) {
        (false, _) => Finding::warn(
            "element-cached",
            "files of Element that change with every release may be kept for long",
        )
        .expected("Cache-Control: no-cache, or a max-age of at most 3600")
        .actual(kept.join("; ")),
        (true, Some(why)) => Finding::error(why),
        (true, None) => Finding::pass("index, config and version are asked for anew"),
    };
    Ok(finding.evidences(lines).into())
}

/// Whether a copy of an answer is asked for anew soon enough.
fn judge(answer: &Response) -> Result<(), String> {
    let age = answer.header("age").and_then(|age| age.trim().parse::<u64>().ok());
    if let Some(age) = age.filter(|age| *age > LONGEST) {
        return Err(format!("a copy {age} s old was handed out"));
    }
    let control = answer.header("cache-control").unwrap_or_default().to_lowercase();
    let directives: Vec<&str> = control.split(',').map(str::trim).collect();
    if directives.iter().any(|one| matches!(*one, "no-cache" | "no-store")) {
        return Ok(());
    }
    let seconds = |name: &str| {
        directives.iter().find_map(|one| one.strip_prefix(name)?.trim_matches('"').parse().ok())
    };
    let longest: Option<u64> =
        seconds("max-age=").max(seconds("s-maxage=")).or_else(|| by_expires(answer));
    match longest {
        Some(longest) if longest > LONGEST => Err(format!("may be kept for {longest} s")),
        Some(_) => Ok(()),
        None if directives.contains(&"immutable") => Err("is said never to change".into()),
        None if answer.header("last-modified").is_some() => {
            Err("browsers choose how long to keep it".into())
        }
        None => Ok(()),
    }
}

/// How long `Expires` permits; a date that cannot be read is in the past (RFC 9111, section 5.3).
fn by_expires(answer: &Response) -> Option<u64> {
    let date = |name| answer.header(name).map(jiff::fmt::rfc2822::parse);
    let expires = date("expires")?.ok().map_or(0, |at| at.timestamp().as_second());
    let sent = date("date")?.ok()?.timestamp().as_second();
    Some(u64::try_from(expires - sent).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    fn judged(headers: &[(&'static str, &str)]) -> bool {
        judge(&answer(200, headers, "")).is_ok()
    }

    const SENT: (&str, &str) = ("date", "Mon, 05 Jan 2026 10:00:00 GMT");

    #[test]
    fn short_lives_are_right() {
        assert!(judged(&[("cache-control", "no-cache")]));
        assert!(judged(&[("cache-control", "public, max-age=0, must-revalidate")]));
        assert!(judged(&[("cache-control", "max-age=300")]));
        assert!(judged(&[]));
        assert!(judged(&[SENT, ("expires", "0"), ("last-modified", "x")]));
        assert!(judged(&[SENT, ("expires", "Mon, 05 Jan 2026 10:30:00 GMT")]));
    }

    #[test]
    fn long_lives_are_not() {
        assert!(!judged(&[("cache-control", "public, max-age=31536000, immutable")]));
        assert!(!judged(&[("cache-control", "max-age=0, s-maxage=86400")]));
        assert!(!judged(&[("last-modified", "Mon, 05 Jan 2026 10:00:00 GMT")]));
        assert!(!judged(&[("cache-control", "no-cache"), ("age", "90000")]));
        assert!(!judged(&[SENT, ("expires", "Tue, 06 Jan 2026 10:00:00 GMT")]));
    }
}
