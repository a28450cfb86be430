//! The page that an operator looks at.

use mxdoctor_reports::short;
use mxdoctor_reports::terminal::{Look, render};

use crate::runs;

const PLAIN: Look = Look { color: false, utf8: true, width: 100 };

#[test]
fn pages_at_every_width() {
    for (name, report) in runs::all() {
        for width in [60, 100, 160] {
            let page = render(&report, Look { width, ..PLAIN });
            insta::assert_snapshot!(format!("{name}-{width}"), page);
        }
    }
}

#[test]
fn short_lines() {
    for (name, report) in runs::all() {
        insta::assert_snapshot!(format!("short-{name}"), short::render(&report));
    }
}

/// With `^` for the escape character.
#[test]
fn colours() {
    let look = Look { color: true, ..PLAIN };
    for (name, report) in [("healthy", runs::healthy()), ("two-causes", runs::two_causes())] {
        let page = render(&report, look).replace('\u{1b}', "^");
        insta::assert_snapshot!(format!("{name}-colour"), page);
    }
}

/// Colour is paint: it moves nothing.
#[test]
fn colour_changes_no_character() {
    for (name, report) in runs::all() {
        let painted = render(&report, Look { color: true, ..PLAIN });
        let mut bare = String::new();
        let mut pieces = painted.split("\u{1b}[");
        bare.extend(pieces.next());
        for piece in pieces {
            bare.push_str(piece.split_once('m').expect("only colours are sent").1);
        }
        let plain = render(&report, PLAIN);
        // Spaces at the end of a painted text end up before the code that ends the paint.
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&bare), trimmed(&plain), "{name}");
        assert!(!plain.contains('\u{1b}'), "{name}");
    }
}

#[test]
fn ascii_where_the_locale_has_no_more() {
    for (name, report) in runs::all() {
        let page = render(&report, Look { utf8: false, ..PLAIN });
        assert!(page.is_ascii(), "{name}:\n{page}");
    }
    let page = render(&runs::two_causes(), Look { utf8: false, ..PLAIN });
    insta::assert_snapshot!("two-causes-ascii", page);
}

/// A line is longer than the page only where it is one word, which must stay copyable, or a command
/// that was set off.
#[test]
fn lines_fit() {
    for (name, report) in runs::all() {
        for width in 40..=170 {
            for line in render(&report, Look { width, ..PLAIN }).lines() {
                let words = line.split_whitespace().count();
                let long = line.chars().count() > width;
                let label = line.len() - line.trim_start().len() < 10;
                let command = line.trim_start().starts_with("kubectl");
                let alone = words == 1 || (label && words <= 4);
                assert!(!long || alone || command, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn every_check_that_is_not_a_pass_is_named() {
    for (name, report) in runs::all() {
        let page = render(&report, Look { width: 160, ..PLAIN });
        for check in &report.checks {
            assert!(page.contains(&check.id), "{name}: {} is missing", check.id);
        }
        for cause in &report.root_causes {
            let command = format!("mxdoctor explain {}", cause.cause);
            assert!(page.contains(&command), "{name}: {command} is missing");
        }
    }
}

/// What passed says nothing of what was not looked at.
#[test]
fn no_all_clear_beyond_what_was_seen() {
    let mut report = runs::healthy();
    report.checks.retain(|check| check.family == "dns" || check.family == "tls");
    report.summary = mxdoctor_model::Summary::of(report.checks.iter().map(|c| c.outcome));
    let last = short::render(&report).lines().last().map(str::to_owned).expect("a summary");
    assert_eq!(
        last,
        "pass nothing is wrong with the dns and tls of testing.borooka.ee; \
         synapse, element, federation and jitsi were not checked; \
         18 pass, 0 warn, 0 fail, 0 error, 0 skip in 2.4 s"
    );
}

/// A failure that the diagnosis did not reach has its proof all the same, and is not counted away.
#[test]
fn a_failure_without_a_root_cause_is_shown_at_its_line() {
    let mut report = runs::two_causes();
    report.root_causes.clear();
    let page = render(&report, PLAIN);
    assert!(page.contains("silence, no ICMP either"), "{page}");
    assert!(page.contains("does not work for the people who use it: 2 failed checks"), "{page}");
}

#[test]
fn a_flaky_pass_is_not_folded_away() {
    let mut report = runs::healthy();
    let flaky = report.checks.iter_mut().find(|c| c.key() == "tls.chain[meet.testing.borooka.ee]");
    flaky.expect("it is checked").attempts = 3;
    let page = render(&report, Look { width: 120, ..PLAIN });
    assert!(page.contains("trusted (testing.borooka.ee, matrix., element.)"), "{page}");
    assert!(page.contains("2 certificates, trusted (attempt 3)"), "{page}");
}

/// A dozen hosts with one thing wrong: a few of them, and how many more there are.
#[test]
fn many_instances_are_cut_and_counted() {
    let mut report = runs::one_cause();
    let first = report.root_causes[0].clone();
    let sight = report.checks.iter().find(|check| check.key() == first.checks[0]).cloned();
    let sight = sight.expect("the check that saw it");
    let cause = &mut report.root_causes[0];
    for n in 0..12 {
        let host = format!("host{n}.example.org");
        let mut check = sight.clone();
        check.instance = Some(host.clone());
        check.summary = format!("the certificate of {host} expired 2 days ago");
        check.evidence[0].text = format!("{host}:443, TLS 1.3");
        cause.checks.push(check.key());
        cause.evidence.extend(check.evidence.iter().cloned());
        report.checks.push(check);
    }
    let page = render(&report, PLAIN);
    let (cause, _) = page.split_once("── checks").expect("the checks");
    insta::assert_snapshot!("many-instances", cause);
}

/// A title speaks of every instance, and is no summary of some of them.
#[test]
fn a_title_is_not_claimed_for_a_part() {
    let mut report = runs::healthy();
    let title = "every host of the stack resolves (";
    assert!(render(&report, PLAIN).contains(title));
    let last = report.checks.iter_mut().rfind(|check| check.id == "dns.address");
    last.expect("it is checked").outcome = mxdoctor_model::Outcome::Fail;
    let page = render(&report, PLAIN);
    assert!(!page.contains(title), "{page}");
    assert!(page.contains("in order (testing.borooka.ee, matrix., element.)"), "{page}");
}
