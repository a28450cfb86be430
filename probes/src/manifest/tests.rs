//! Places, values and bounds.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Node, Source, Value, payload, yaml};

fn read(text: &str) -> Vec<Node> {
    yaml::documents(&Source::file("a.yaml", text)).expect("YAML")
}

fn refused(text: &str) -> String {
    yaml::documents(&Source::file("a.yaml", text)).expect_err("not YAML").to_string()
}

fn at(node: &Node, path: &str) -> String {
    node.at(path).expect(path).place.to_string()
}

#[test]
fn every_value_knows_its_place() {
    let text = "kind: ConfigMap\nmetadata:\n  name: é # c\nl:\n- one\n- {two: \"2\"}\n";
    let node = &read(text)[0];
    assert_eq!(at(node, "kind"), "a.yaml:1:7");
    assert_eq!(at(node, "metadata.name"), "a.yaml:3:9");
    assert_eq!(at(node, "l.0"), "a.yaml:5:3");
    assert_eq!(at(node, "l.1.two"), "a.yaml:6:9");
    assert_eq!(node.entry("l").expect("l").place.to_string(), "a.yaml:4:1");
}

#[test]
fn words_mean_what_kubernetes_takes_them_for() {
    let text = "[yes, 'yes', 08, 1_000, 1.5, v1, 10:00, ~, 0x1f, 1.2.3, -, .]";
    let text = text.replace("-, .", "'-', '.'");
    let node = &read(&text)[0];
    let kinds: Vec<_> = node.items().iter().map(Node::kind).collect();
    let expected = [
        "a boolean",
        "a text",
        "a number",
        "a number",
        "a number",
        "a text",
        "a text",
        "nothing",
        "a number",
        "a text",
        "a text",
        "a text",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_file_in_a_file_has_the_lines_of_the_file_around_it() {
    let text = "data:\n  homeserver.yaml: |\n\n    server_name: a.example\n    listeners:\n      - port: 8008\n  config.json: |-\n    {\n      \"brand\": \"x\",\n    }\n";
    let node = &read(text)[0];
    let data = node.get("data").expect("data");
    let inner = payload::yaml(data.get("homeserver.yaml").expect("key")).expect("YAML");
    let inner = inner.expect("a document");
    assert_eq!(at(&inner, "server_name"), "a.yaml:4:18");
    assert_eq!(at(&inner, "listeners.0.port"), "a.yaml:6:15");
    let error = payload::json(data.get("config.json").expect("key")).expect_err("not JSON");
    assert_eq!(error.to_string(), "a.yaml:10:5: trailing comma");
}

#[test]
fn anchors_and_merges_are_followed() {
    let node = &read("a: &x {one: 1, two: 2}\nb:\n  two: 3\n  <<: *x\nc: *x\n")[0];
    assert_eq!(node.i64("b.two"), Some(3));
    assert_eq!(node.i64("b.one"), Some(1));
    assert_eq!(node.i64("c.two"), Some(2));
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
    }
    assert!(refused(&bomb).contains("aliases that come to more than"), "{}", refused(&bomb));
    let deep = "[".repeat(5000);
    assert!(refused(&deep).contains("a.yaml:1:"), "{}", refused(&deep));
    let large = "x".repeat(yaml::MAX_BYTES + 1);
    assert!(refused(&large).contains("16"), "{}", refused(&large));
}

#[test]
fn broken_text_is_named_with_its_place() {
    assert!(refused("a: [1, 2\nb: 3\n").starts_with("a.yaml:2:"));
    assert!(refused("a: b: c\n").starts_with("a.yaml:1:"));
    assert!(refused("a: *nowhere\n").starts_with("a.yaml:1:"));
}

#[test]
fn a_key_that_stands_twice_is_there_twice() {
    let node = &read("a: 1\na: 2\n")[0];
    assert_eq!((node.entries().len(), node.i64("a")), (2, Some(2)));
}

proptest! {
    #[test]
    fn no_text_panics(text in "[ -~\n\t]{0,200}") {
        let source: Arc<Source> = Source::file("p.yaml", text.clone());
        if let Ok(documents) = yaml::documents(&source) {
            for node in &documents {
                node.scalars(&mut |scalar| assert!(!matches!(scalar.value, Value::Map(_))));
                prop_assert!(node.place.line <= u32::try_from(text.lines().count()).unwrap_or(0) + 1);
            }
        }
        let node = Node { value: Value::Text(super::Text::plain(text)), place: super::Place::start(&source) };
        let _ = (payload::yaml(&node), payload::json(&node));
    }
}
