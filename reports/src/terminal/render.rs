//! The report as one page.

use mxdoctor_model::{Report, Vantage};

use super::Look;
use super::causes::causes;
use super::families::{counts, families};
use super::groups::{skipped, unmeasured};
use super::lint::{findings, next_commands};
use super::page::{BOLD, DIM, PLAIN, Page, style};
use crate::text::{clean_line, span, width};
use crate::verdict::verdict;

/// The whole report: causes, checks, skips and the answer.
pub fn render(report: &Report, look: Look) -> String {
    let mut page = Page::new(look);
    header(&mut page, report);
    if report.run.vantages == [Vantage::Files] {
        findings(&mut page, report);
    } else {
        causes(&mut page, report);
        families(&mut page, report);
        unmeasured(&mut page, report);
        skipped(&mut page, report);
    }
    answer(&mut page, report);
    page.finish()
}

fn header(page: &mut Page, report: &Report) {
    let tool = clean_line(&format!("{} {}", report.tool.name, report.tool.version));
    let target = clean_line(&report.run.target);
    page.put(BOLD, &tool);
    page.put(PLAIN, &format!("  {target}"));
    let names: Vec<_> = report.run.vantages.iter().map(|vantage| vantage.as_str()).collect();
    if report.run.vantages != [Vantage::Public] {
        let from = format!("  from {}", names.join(", "));
        if width(&tool) + 2 + width(&target) + width(&from) > page.columns() {
            page.end();
        }
        page.put(DIM, &from);
    }
    page.end();
}

fn answer(page: &mut Page, report: &Report) {
    let verdict = verdict(report);
    if report.run.vantages == [Vantage::Files] {
        page.section("");
        page.put_raw(style(verdict.outcome), page.sign(verdict.outcome));
        page.space(1);
        let words = format!("{}, in {}", verdict.words, span(report.run.duration_ms));
        page.prose(2, BOLD, &[words]);
        return next_commands(page, report);
    }
    let numbers = counts(report.checks.iter().map(|check| check.outcome));
    let numbers = match numbers.as_str() {
        "" => format!("in {}", span(report.run.duration_ms)),
        some => format!("{some} in {}", span(report.run.duration_ms)),
    };
    page.section("");
    page.put_raw(style(verdict.outcome), page.sign(verdict.outcome));
    page.space(1);
    let needed = 2 + width(&verdict.words) + 2 + width(&numbers);
    if needed <= page.columns() {
        page.put(BOLD, &verdict.words);
        page.line(DIM, &format!("  {numbers}"));
        return;
    }
    page.prose(2, BOLD, &[verdict.words]);
    page.space(2);
    page.prose(2, DIM, &[numbers]);
}
