//! `synapse.well_known_support`.

use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::http::Exchange;
use serde_json::Value;

use crate::facts::{ask, below, gist, https, server_host, web_url};
use crate::{Cx, Verdict, check};

check! {
    /// Whoever has a complaint about the server finds somebody to tell.
    ///
    /// ## What it asserts
    /// Where `/.well-known/matrix/support` is served on the server name's host, it is a JSON object
    /// that names at least one contact (with a role, and a Matrix id or an e-mail address) or a
    /// page for support.
    ///
    /// ## Why it matters
    /// Other administrators look there before they block a server for spam that comes from it.
    ///
    /// ## What makes it fail
    /// A file that is not JSON, an empty object (as some charts make it), contacts without an
    /// address or a role, a `support_page` that is no URL. All are warnings. Nothing at all is
    /// permitted: the check is skipped.
    ///
    /// ## How to fix it
    /// Serve for instance `{"contacts": [{"role": "m.role.admin", "matrix_id":
    /// "@admin:testing.borooka.ee"}]}`, or nothing.
    ///
    /// ## Where it comes from
    /// Matrix client-server API v1.10, "Well-known URIs", `GET /.well-known/matrix/support`.
    "synapse.well_known_support" at P: "the support contact can be used, where there is one"
    causes ["support-contact-wrong"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let name = &cx.target().server_name;
    let base = https(&server_host(name).to_lowercase());
    let Some(base) = base.filter(|_| cx.vantage() == Vantage::Public) else {
        return Ok(Finding::skip("the server name's host is looked at from outside").into());
    };
    let asked = ask::get(cx, below(&base, "/.well-known/matrix/support")).await;
    let exchange = match asked {
        Ok(exchange) => exchange,
        Err(by) => return ask::own(by),
    };
    Ok(judge(&exchange).evidence(EvidenceKind::Request, exchange.last().line()).into())
}

fn judge(exchange: &Exchange) -> Finding {
    let answer = exchange.last();
    let none = || Finding::skip("no support contact is published, which is permitted");
    match answer.status.as_u16() {
        200 if exchange.redirect_trouble.is_none() => {}
        429 | 500.. => {
            let summary = format!("the support contact could not be had: {}", gist(answer));
            return Finding::error(summary).transient();
        }
        _ => return none(),
    }
    let wrong = |why: String| {
        Finding::warn("support-contact-wrong", format!("the support contact is of no use: {why}"))
            .expected("`contacts` with a role and an address, or a `support_page`")
            .actual(gist(answer))
    };
    match serde_json::from_slice::<Value>(&answer.body) {
        // A site that has a page for everything has none for this.
        Err(_) if crate::facts::is_html(&answer.body) => none(),
        Err(error) => wrong(format!("it is not JSON: {error}")),
        Ok(document) => match judge_document(&document) {
            Ok(what) => Finding::pass(what),
            Err(why) => wrong(why),
        },
    }
}

fn judge_document(document: &Value) -> Result<String, String> {
    let Some(document) = document.as_object() else {
        return Err("it is not an object".into());
    };
    let page = match document.get("support_page") {
        None => false,
        Some(page) if page.as_str().and_then(web_url).is_some() => true,
        Some(_) => return Err("`support_page` is not a URL".into()),
    };
    let contacts = match document.get("contacts") {
        None => &Vec::new(),
        Some(Value::Array(contacts)) => contacts,
        Some(_) => return Err("`contacts` is not a list".into()),
    };
    for contact in contacts {
        let text = |key: &str| contact.get(key).and_then(Value::as_str);
        if text("role").is_none_or(str::is_empty) {
            return Err("a contact has no role".into());
        }
        let matrix = text("matrix_id").is_some_and(|id| id.starts_with('@') && id.contains(':'));
        let mail = text("email_address").is_some_and(|mail| mail.contains('@'));
        if !matrix && !mail {
            return Err("a contact has neither a Matrix id nor an e-mail address".into());
        }
    }
    match (contacts.len(), page) {
        (0, false) => Err("it names neither a contact nor a page".into()),
        (0, true) => Ok("a page for support is named".into()),
        (count, _) => Ok(format!("contacts named: {count}")),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::tests::answer;

    fn judged(status: u16, body: &str) -> Outcome {
        judge(&Exchange { hops: vec![answer(status, &[], body)], redirect_trouble: None }).outcome
    }

    #[test]
    fn a_contact_or_a_page_is_enough() {
        let contact = r#"{"contacts":[{"role":"m.role.admin","matrix_id":"@a:example.org"}]}"#;
        assert_eq!(judged(200, contact), Outcome::Pass);
        let mail = r#"{"contacts":[{"role":"m.role.security","email_address":"a@example.org"}]}"#;
        assert_eq!(judged(200, mail), Outcome::Pass);
        let page = r#"{"support_page":"https://example.org/help"}"#;
        assert_eq!(judged(200, page), Outcome::Pass);
        assert_eq!(judged(404, "not found"), Outcome::Skip);
        assert_eq!(judged(200, "<!doctype html>"), Outcome::Skip);
        assert_eq!(judged(503, ""), Outcome::Error);
    }

    #[test]
    fn what_helps_nobody_is_named() {
        for body in [
            "{}",
            "[]",
            "support",
            r#"{"contacts":[]}"#,
            r#"{"contacts":{}}"#,
            r#"{"contacts":[{"role":"m.role.admin"}]}"#,
            r#"{"contacts":[{"matrix_id":"@a:example.org"}]}"#,
            r#"{"contacts":[{"role":"m.role.admin","matrix_id":"a"}]}"#,
            r#"{"support_page":"help"}"#,
        ] {
            assert_eq!(judged(200, body), Outcome::Warn, "{body}");
        }
    }
}
