//! Values that somebody meant to fill in.

use mxdoctor_probes::manifest::Node;

use super::namespaces::within;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A value still holds what stands in templates for "fill this in": `CHANGEME`, `TODO`,
    /// `REPLACE_ME`, a name below `example.com`. It is deployed as it is written.
    ///
    /// Comments are not looked at, nor what is sealed, nor pages and programs, in which such words
    /// are part of a text.
    LEFT = "KUS-13" Warning: "no value waits to be filled in"
    breaks "the pod starts with the placeholder as its password, name or address"
    remedy "fill it in, or take it out"
    cause "configuration-not-filled-in"
    check "kubernetes.configmaps"
    look left
}

/// Words that stand for a value to come, upper case, where they are a word of their own.
const WORDS: &[&str] = &[
    "TODO",
    "FIXME",
    "CHANGEME",
    "CHANGE_ME",
    "CHANGE-ME",
    "REPLACEME",
    "REPLACE_ME",
    "REPLACE-ME",
    "YOUR_PASSWORD",
    "YOUR_SECRET",
    "INSERT_HERE",
];

/// Names reserved for documents (RFC 2606, section 3).
const RESERVED: &[&str] = &["example.com", "example.org", "example.net"];

fn left(stack: &Stack<'_>, found: &mut Found) {
    let of_stack = !stack.synapse.is_empty() || !stack.element.is_empty();
    for object in stack.inventory.objects() {
        let parts: &[&str] = match object.kind() {
            "ConfigMap" => &["data"],
            "Secret" => &["stringData"],
            "SealedSecret" | "CustomResourceDefinition" | "Event" => &[],
            _ => &["spec"],
        };
        let of_files = object.kind() == "ConfigMap";
        for node in parts.iter().filter_map(|part| object.at(part)) {
            let values = node.entries().iter().filter(|entry| of_files && !is_prose(&entry.key));
            let values = values.map(|entry| &entry.node).chain((!of_files).then_some(node));
            values.for_each(|node| {
                node.scalars(&mut |value| {
                    for (line, column, word) in placeholders(value, of_stack) {
                        let place = within(value, line, column, word.len());
                        found.place(object, place, format!("{word} was never filled in"));
                    }
                })
            });
        }
    }
}

/// Whether a file is a page or a program, by its name.
fn is_prose(key: &str) -> bool {
    let ends = [".html", ".htm", ".css", ".js", ".md", ".py", ".sql", ".lua", ".txt", ".rb", ".go"];
    ends.iter().any(|end| key.to_lowercase().ends_with(end))
}

/// The placeholders of a text: line and column from 1, and the word.
fn placeholders(value: &Node, names: bool) -> Vec<(u32, usize, String)> {
    let Some(text) = value.as_str() else { return Vec::new() };
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = code(line);
        for word in code.split(|c| !part(c)).filter(|word| word.len() > 3) {
            let bare = word.trim_matches(|c| matches!(c, '-' | '_' | '.'));
            let reserved = |name: &str| {
                bare.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with('.'))
            };
            if WORDS.contains(&bare.to_ascii_uppercase().as_str()) && shouted(bare)
                || names && RESERVED.iter().any(|name| reserved(name))
            {
                let start = bare.as_ptr() as usize - code.as_ptr() as usize;
                all.push((number, code[..start].chars().count() + 1, bare.to_owned()));
            }
        }
    }
    all
}

/// `todo` may be an ordinary word; `TODO` and `changeme` are not.
fn shouted(word: &str) -> bool {
    !matches!(word, "todo" | "fixme" | "Todo") && word.chars().any(|c| c.is_ascii_alphabetic())
}

/// A line without the comment of YAML, shell and most other formats.
pub(super) fn code(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) || line.trim_start().starts_with("//") {
        return "";
    }
    line.split_once(" #").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn words_and_reserved_names_are_found_outside_comments() {
        let text = synapse(
            "server_name: a.test\n# TODO later\nform_secret: CHANGEME # TODO\n\
             public_baseurl: https://matrix.example.com/\nnote: todo list",
        );
        let expected =
            ["9:18 CHANGEME was never filled in", "10:29 matrix.example.com was never filled in"];
        assert_eq!(found("KUS-13", &text), expected);
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        let good = synapse("server_name: notexample.com\na: METHODOLOGY\nb: CHANGEMENT");
        assert_eq!(found("KUS-13", &good), [""; 0]);
    }

    #[test]
    fn pages_and_programs_are_not_looked_at() {
        let text = synapse("server_name: a.test").replacen(
            "\ndata:\n",
            "\ndata:\n  welcome.html: '<input placeholder=\"you@example.com\"> TODO'\n",
            1,
        );
        assert_eq!(found("KUS-13", &text), [""; 0]);
        assert_eq!(found("KUS-13", &text.replace("welcome.html", "welcome.yaml")).len(), 2);
    }
}
