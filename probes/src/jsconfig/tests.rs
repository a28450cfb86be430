use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<JsConfig, JsConfigError> {
    let page = Url::parse("https://meet.testing.borooka.ee/").expect("a URL");
    JsConfig::parse(text.as_bytes(), &page)
}

fn config(text: &str) -> Value {
    Value::Object(parse(text).expect("a configuration").config)
}

/// In the shape that the web container writes.
const DOCKER: &str = r#"
// Begin default config overrides.
var subdir = '';
var subdomain = "";
if (subdomain) {
    subdomain = subdomain.substr(0, subdomain.length - 1).split('.')
        .join('_').toLowerCase() + '.';
}
config = {};

config.hosts = {};
config.hosts.domain = 'meet.jitsi';

config.hosts.muc = 'muc.' + subdomain + 'meet.jitsi';
config.bosh = 'https://meet.testing.borooka.ee/' + subdir + 'http-bind';
config.websocket = 'wss://meet.testing.borooka.ee/' + subdir + 'xmpp-websocket';
config.bridgeChannel = {
    preferSctp: true
};

// Video configuration.
config.resolution = 720;
config.constraints = { video: { height: { ideal: 720, max: 720, min: 180 } } };
if (!config.hasOwnProperty('p2p')) config.p2p = {};
config.p2p.enabled = true;
config.startAudioMuted = 10; // 'quoted' comment; with a semicolon
"#;

#[test]
fn the_web_containers_file() {
    let read = parse(DOCKER).expect("a configuration");
    assert_eq!(read.text("hosts.domain"), Some("meet.jitsi"));
    assert_eq!(read.text("hosts.muc"), Some("muc.meet.jitsi"));
    assert_eq!(read.text("bosh"), Some("https://meet.testing.borooka.ee/http-bind"));
    assert_eq!(read.text("websocket"), Some("wss://meet.testing.borooka.ee/xmpp-websocket"));
    assert_eq!(read.get("bridgeChannel.preferSctp"), Some(&json!(true)));
    assert_eq!(read.get("constraints.video.height.min"), Some(&json!(180)));
    assert_eq!(read.get("p2p.enabled"), Some(&json!(true)));
    assert_eq!(read.get("startAudioMuted"), Some(&json!(10)));
    assert_eq!(read.skipped, 2, "the two `if`");
    assert!(!read.raw_ssi);
}

#[test]
fn one_object_literal() {
    let read = parse(
        r#"
        /* eslint-disable */
        var subdomain = '', other;
        var config = {
            hosts: { domain: 'meet.example.org', muc: `conference.${subdomain}x`, 'focus': null, },
            bosh: '//meet.example.org/http-bind', // protocol-relative
            websocket: 'wss://' + window.location.host + '/xmpp-websocket',
            onload: function () { return { hosts: 'no' }; },
            pattern: /['"{]/g, after: 'pattern',
            list: [1, -2.5, foo(), "three", ],
            e2eping: { enabled: false }
        }
        config.tokenAuthUrl = undefined
        config['hosts']["anonymousdomain"] = 'guest.' + config.hosts.domain
        "#,
    )
    .expect("a configuration");
    assert_eq!(read.text("hosts.domain"), Some("meet.example.org"));
    assert_eq!(read.get("hosts.muc"), None, "a template with an expression is not known");
    assert_eq!(read.text("hosts.anonymousdomain"), Some("guest.meet.example.org"));
    assert_eq!(read.text("websocket"), Some("wss://meet.testing.borooka.ee/xmpp-websocket"));
    assert_eq!(read.get("onload"), None);
    assert_eq!(read.text("after"), Some("pattern"));
    assert_eq!(read.get("list"), Some(&json!([1, -2.5, "three"])));
    assert_eq!(read.get("e2eping.enabled"), Some(&json!(false)));
    assert_eq!(read.get("tokenAuthUrl"), Some(&Value::Null));
}

#[test]
fn the_last_assignment_wins() {
    let text = "config.a = 1; config.a = 'two'; config.b = 1; config.b.c = 2";
    assert_eq!(config(text), json!({ "a": "two", "b": { "c": 2 } }));
}

#[test]
fn strings_and_comments_keep_apart() {
    assert_eq!(config(r#"config.a = "http://x/*y*/"; // config.a = 2"#)["a"], "http://x/*y*/");
    assert_eq!(config(r"config.a = 'it\'s \u0041\x42\n\q';")["a"], "it's AB\nq");
    let broken = "config.a = 'no end;\nconfig.b = 2;";
    assert_eq!(config(broken), json!({ "b": 2 }));
}

#[test]
fn what_cannot_be_known_is_left_out() {
    for statement in [
        "config.x = f();",
        "config.x = y;",
        "config.x += 'a';",
        "config.x = {",
        "config.x == 1;",
        "config.x = a ? 1 : 2;",
        "config.push(1);",
        "if (a) config.x = 1;",
        "function f() { config.x = 1; }",
        "while (1) { config.x = 1; }",
        "config.x = 1 * 2;",
        "if (a) { config.x = 1; } else { config.x = 2; }",
    ] {
        let read = parse(&format!("config.a = 1;\n{statement}\n")).expect("a configuration");
        assert_eq!(read.get("x"), None, "{statement}");
        assert_eq!(read.get("a"), Some(&json!(1)), "{statement}");
        assert!(read.skipped > 0, "{statement}");
    }
}

#[test]
fn includes_that_were_not_expanded_are_told() {
    let text = "var subdir = '<!--# echo var=\"subdir\" default=\"\" -->';\n\
                config.bosh = 'https://meet.example.org/' + subdir + 'http-bind';";
    let read = parse(text).expect("a configuration");
    assert!(read.raw_ssi);
    assert!(read.text("bosh").is_some_and(|bosh| bosh.contains("<!--#")));
}

#[test]
fn what_is_no_configuration() {
    assert_eq!(parse(" \n"), Err(JsConfigError::Empty));
    assert_eq!(parse("<!DOCTYPE html><html>"), Err(JsConfigError::Html));
    assert_eq!(parse("var other = { a: 1 };"), Err(JsConfigError::NoConfig));
    assert_eq!(parse(r#"{ "a": 1 }"#), Err(JsConfigError::NoConfig));
    let large = "x".repeat(MAX_SIZE + 1);
    assert_eq!(parse(&large), Err(JsConfigError::TooLarge(MAX_SIZE + 1)));
}

#[test]
fn nothing_grows_without_end() {
    let doubling = format!("var a = 'xxxxxxxx';\n{}config.a = a;", "a = a + a;\n".repeat(200));
    let read = parse(&doubling).expect("a configuration");
    assert!(read.text("a").is_some_and(|text| text.len() <= 8 * 1024));
    let path = format!("config.a = 1; config{} = 2;", ".a".repeat(100_000));
    assert_eq!(config(&path), json!({ "a": 1 }));
    for bracket in ["[", "{", "(", "{a:", "if(", "!", "-", "if (a) "] {
        let _ = parse(&format!("config.a = 1; config.b = {}", bracket.repeat(50_000)));
        let _ = parse(&bracket.repeat(50_000));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&String::from_utf8_lossy(&body));
    }

    #[test]
    fn any_soup_is_read(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "config", ".", "a", "=", "+", "{", "}", "[", "]", "(", ")", "'x'", "\"", "`", "/",
                "\n", ";", ",", ":", "if", "else", "function", "var", "1", "\\", "<!--#", "*/", "é",
            ]),
            0..80,
        )
    ) {
        let _ = parse(&parts.concat());
        let _ = parse(&parts.join(" "));
    }

    #[test]
    fn written_values_are_read(
        path in prop::collection::vec("[a-z]{1,6}", 1..5),
        text in "[^\\\\'\n]{0,40}",
        number in -1_000_000i64..1_000_000,
    ) {
        let key = path.join(".");
        let read = parse(&format!("config.{key} = '{text}';config.number0 = {number}"));
        let reserved = path.iter().any(|word| word == "config");
        prop_assume!(!reserved);
        let read = read.expect("a configuration");
        prop_assert_eq!(read.text(&key), Some(text.as_str()));
        prop_assert_eq!(read.get("number0"), Some(&json!(number)));
    }
}
