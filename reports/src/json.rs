//! The whole report as one JSON document, under [`mxdoctor_model::report_schema`].

use mxdoctor_model::Report;

/// The document, indented, with a line feed at its end.
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report)
        .expect("a report has only string keys and no values that JSON lacks");
    text.push('\n');
    text
}
