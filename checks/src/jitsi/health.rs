//! What the checks of the components' own endpoints share.

use http::HeaderValue;
use mxdoctor_model::Finding;
use mxdoctor_probes::http::{HttpError, Request, Response};
use url::Url;

use crate::Cx;

/// GET of a path of a component's own interface; no redirect followed.
pub(super) async fn get(cx: &Cx, base: &Url, path: &str) -> Result<Response, HttpError> {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    let mut request = Request::get(url);
    // Both would answer in their own ways to a browser.
    let text = HeaderValue::from_static("text/plain, application/json;q=0.9, */*;q=0.1");
    request.headers.insert(http::header::ACCEPT, text);
    Ok(cx.net().http(request).await?.last().clone())
}

/// Nobody answers at an address that was given: it may be wrong, or closed on purpose.
pub(super) fn unreachable(
    cause: &'static str,
    what: &str,
    base: &Url,
    error: &HttpError,
) -> Finding {
    match error {
        HttpError::Ours(ours) => Finding::error(ours.clone()),
        error => Finding::error_of(cause, format!("{what} does not answer"))
            .expected(format!("an answer from {base}"))
            .actual(error.to_string())
            .transient(),
    }
}

/// The first words of an answer, without markup.
pub(super) fn words(answer: &Response) -> String {
    let text = answer.text();
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let text = title.map_or(text.as_ref(), |(title, _)| title);
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// The value of a metric in Prometheus' text form, labels ignored; the sum where there are several.
pub(super) fn metric(text: &str, name: &str) -> Option<f64> {
    let values: Vec<f64> = text
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let value = match rest.strip_prefix('{') {
                Some(labels) => labels.split_once('}')?.1,
                None => rest.strip_prefix(' ')?,
            };
            value.split_whitespace().next()?.parse().ok()
        })
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn metrics_are_read_by_their_whole_name() {
        let text = "# HELP jitsi_jvb_mucs_joined n\njitsi_jvb_mucs_joined 1.0\n\
                    jitsi_jvb_mucs_joined_total 7.0\na{x=\"1\"} 2.0 1700000000\na{x=\"2\"} 3\n";
        assert_eq!(metric(text, "jitsi_jvb_mucs_joined"), Some(1.0));
        assert_eq!(metric(text, "a"), Some(5.0));
        assert_eq!(metric(text, "jitsi_jvb_mucs"), None);
        assert_eq!(metric(text, ""), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = metric(&text, "a");
        }
    }
}
