//! The synthetic user, on a homeserver of one account.

mod fake;

use std::collections::BTreeMap;

use fake::{Fake, LIMIT, PASSWORD, Quirk, ROOM, SECRET, TOKEN};
use mxdoctor_checks::state::State;
use mxdoctor_checks::{CanaryAccount, Cx, Entry, REGISTRY, Target, check};
use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::{Net, NetConfig};

use Outcome::{Error, Fail, Pass, Skip, Warn};

type Verdicts = BTreeMap<&'static str, (Outcome, Option<&'static str>)>;

/// A run in the cluster. Each test has a server name's lease of its own by its folder.
struct Run {
    fake: Fake,
    folder: tempfile::TempDir,
}

impl Run {
    async fn against(quirk: Quirk) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { fake: Fake::start(quirk).await, folder }
    }

    fn cx(&self, account: CanaryAccount) -> Cx {
        let base = format!("http://{}", self.fake.address);
        let target = Target {
            server_name: self.fake.name.clone(),
            homeserver: base.parse().ok(),
            state: Some(State::chosen(self.folder.path())),
            canary: account,
            ..Target::default()
        };
        let config = NetConfig {
            dns_servers: vec!["127.0.0.1:9".parse().expect("an address")],
            ..NetConfig::default()
        };
        // `synapse.turn` looks from outside; its skip does not need the network.
        Cx::new(Vantage::Cluster, target, Net::new(config))
    }

    /// What each check of the family says, in one run.
    async fn findings(&self, account: CanaryAccount) -> BTreeMap<&'static str, Finding> {
        let cx = self.cx(account);
        let mut all = BTreeMap::new();
        for one in REGISTRY {
            if one.family() != "canary" && one.id != "synapse.turn" {
                continue;
            }
            match (one.run)(&cx.for_asker()).await {
                Ok(findings) => {
                    let [Entry::Finding(finding)] = &findings.0[..] else {
                        panic!("{}: {findings:?}", one.id)
                    };
                    all.insert(one.id, finding.clone());
                }
                Err(by) if by.owner == one.id => {
                    all.insert(one.id, *by.finding);
                }
                Err(by) => {
                    assert!(check(by.owner).is_some(), "{}", by.owner);
                    all.insert(one.id, Finding::skip(format!("blocked by {}", by.owner)));
                }
            }
        }
        let shown = format!("{all:?}");
        for secret in [PASSWORD, SECRET, TOKEN, "syt_of_", "openid-token-of-hers"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        drop(cx);
        all
    }

    async fn verdicts(&self, account: CanaryAccount) -> Verdicts {
        let findings = self.findings(account).await;
        findings.into_iter().map(|(id, it)| (id, (it.outcome, it.cause))).collect()
    }
}

fn by_password() -> CanaryAccount {
    CanaryAccount {
        allowed: true,
        user: Some("canary".into()),
        password: Some(PASSWORD.into()),
        ..CanaryAccount::default()
    }
}

fn by_token() -> CanaryAccount {
    CanaryAccount { allowed: true, token: Some(TOKEN.into()), ..CanaryAccount::default() }
}

fn throw_away() -> CanaryAccount {
    CanaryAccount {
        allowed: true,
        throw_away: true,
        shared_secret: Some(SECRET.into()),
        ..CanaryAccount::default()
    }
}

/// What is neither good nor left out.
fn bad(verdicts: &Verdicts) -> Vec<(&'static str, Outcome, Option<&'static str>)> {
    let bad = |outcome: Outcome| matches!(outcome, Fail | Warn | Error);
    verdicts.iter().filter(|(_, it)| bad(it.0)).map(|(id, it)| (*id, it.0, it.1)).collect()
}

#[tokio::test]
async fn a_fixed_account_lives_its_day_and_leaves_only_its_room() {
    let run = Run::against(Quirk::None).await;
    for pass in 0..2 {
        let findings = run.findings(by_password()).await;
        for (id, finding) in &findings {
            let wanted = match *id {
                "canary.register" | "synapse.turn" => Skip,
                _ => Pass,
            };
            assert_eq!(finding.outcome, wanted, "{id}: {finding:?}");
        }
        let metric = &findings["canary.sync"].metrics[0];
        assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("latency", "ms"));
        run.fake.with(|events| {
            assert_eq!(events.tokens.len(), 1, "logged out");
            assert_eq!(events.messages.len(), pass + 1, "sent once");
            assert_eq!(events.redacted.len(), pass + 1);
            assert_eq!(events.rooms.len(), 1, "one room for all runs");
            let made = events.requests.iter().filter(|line| line.contains("createRoom")).count();
            assert_eq!(made, 1);
        });
    }
    assert_eq!(std::fs::read_dir(run.folder.path()).expect("a folder").count(), 0, "no journal");
}

#[tokio::test]
async fn a_token_is_neither_made_nor_ended() {
    let run = Run::against(Quirk::None).await;
    let verdicts = run.verdicts(by_token()).await;
    assert_eq!(bad(&verdicts), []);
    assert_eq!(verdicts["canary.device_keys"].0, Skip);
    run.fake.with(|events| {
        assert!(events.tokens.contains(TOKEN));
        assert!(!events.requests.iter().any(|line| line.contains("log")), "{:?}", events.requests);
    });
}

#[tokio::test]
async fn a_throw_away_account_is_thrown_away() {
    let run = Run::against(Quirk::None).await;
    let verdicts = run.verdicts(throw_away()).await;
    assert_eq!(bad(&verdicts), []);
    assert_eq!(verdicts["canary.register"].0, Pass);
    run.fake.with(|events| {
        assert_eq!(events.deactivated.len(), 1);
        assert!(events.deactivated[0].starts_with("mxdoctor-canary-"), "{events:?}");
        assert!(events.rooms.is_empty());
        assert_eq!(events.redacted.len(), 1);
    });
    assert_eq!(std::fs::read_dir(run.folder.path()).expect("a folder").count(), 0, "no journal");
}

#[tokio::test]
async fn one_that_was_cut_short_is_undone_by_the_next_run() {
    let run = Run::against(Quirk::None).await;
    // As a killed run leaves it: noted, made, in a room, with a message.
    run.fake.with(|events| {
        events.accounts.push(("mxdoctor-canary-1-a".into(), "password-of-then".into()));
        events.rooms.insert(ROOM.into());
        events.messages.push(("$0".into(), "t".into(), "mxdoctor canary of then".into()));
    });
    let left = |user: &str| serde_json::json!({"user": user, "password": "password-of-then"});
    let notes = serde_json::json!({
        "limited_until": null,
        "accounts": [left("mxdoctor-canary-1-a"), left("mxdoctor-canary-2-never-made")],
    });
    let state = State::chosen(run.folder.path());
    state.store(&run.fake.name, "canary", &notes).expect("stored");
    let findings = run.findings(by_password()).await;
    assert!(!format!("{findings:?}").contains("password-of-then"));
    assert_eq!(findings["canary.cleanup"].outcome, Pass, "{:?}", findings["canary.cleanup"]);
    run.fake.with(|events| {
        assert_eq!(events.deactivated, ["mxdoctor-canary-1-a"]);
        assert!(events.redacted.contains("$0"));
    });
    assert_eq!(state.load::<serde_json::Value>(&run.fake.name, "canary"), Ok(None));
}

#[tokio::test]
async fn each_failure_has_its_cause_and_only_that() {
    const NO: &str = r#"{"errcode":"M_FORBIDDEN","error":"no"}"#;
    const BROKEN: &str = r#"{"errcode":"M_UNKNOWN","error":"Internal server error"}"#;
    let deep = Quirk::Answers;
    for (quirk, id, outcome, cause) in [
        (
            deep("GET /_matrix/client/v3/joined_rooms", 403, NO),
            "canary.room",
            Fail,
            "canary-room-unusable",
        ),
        (
            deep("PUT /_matrix/client/v3/rooms/%21room%3Aexample.org/send", 403, NO),
            "canary.send",
            Fail,
            "message-not-accepted",
        ),
        (
            deep("PUT /_matrix/client/v3/rooms/%21room%3Aexample.org/send", 500, BROKEN),
            "canary.send",
            Fail,
            "homeserver-broken",
        ),
        (Quirk::Forgetful, "canary.send", Fail, "message-sent-twice"),
        (Quirk::Deaf, "canary.sync", Fail, "message-not-delivered"),
        (Quirk::Anonymous, "canary.sync", Warn, "transaction-id-lost"),
        (deep("GET /_matrix/client/v3/sync", 403, NO), "canary.sync", Fail, "sync-refused"),
        (
            deep("GET /_matrix/client/v3/sync", 504, "<html>Gateway Timeout"),
            "canary.sync",
            Fail,
            "gateway-timeout",
        ),
        (Quirk::SlidingDeaf, "canary.sliding_sync", Fail, "message-not-delivered"),
        (Quirk::NoSliding(true), "canary.sliding_sync", Fail, "sync-refused"),
        (
            deep("POST /_matrix/media/v3/upload", 413, NO),
            "canary.media",
            Fail,
            "media-upload-refused",
        ),
        (
            deep("GET /_matrix/client/v1/media/download", 404, NO),
            "canary.media",
            Fail,
            "media-download-refused",
        ),
        (Quirk::Altered, "canary.media", Fail, "media-altered"),
        (Quirk::Leaky, "canary.authenticated_media", Fail, "media-without-token"),
        (Quirk::OldMedia, "canary.authenticated_media", Warn, "media-unauthenticated"),
        (Quirk::NoPictures, "canary.thumbnail", Fail, "thumbnail-failed"),
        (Quirk::Mistaken, "canary.openid", Fail, "openid-broken"),
        (
            deep("GET /_matrix/federation/v1/openid", 404, NO),
            "canary.openid",
            Fail,
            "openid-broken",
        ),
        (Quirk::KeyLoss, "canary.device_keys", Fail, "device-keys-lost"),
        (Quirk::Undead, "canary.cleanup", Fail, "canary-left-behind"),
        (
            deep("PUT /_matrix/client/v3/rooms/%21room%3Aexample.org/redact", 403, NO),
            "canary.cleanup",
            Fail,
            "canary-left-behind",
        ),
        (Quirk::Open, "canary.room", Warn, "canary-room-exposed"),
        (Quirk::OddTurn, "synapse.turn", Fail, "turn-answer-malformed"),
        (
            deep("GET /_matrix/client/v3/voip/turnServer", 403, NO),
            "synapse.turn",
            Fail,
            "turn-answer-malformed",
        ),
    ] {
        let run = Run::against(quirk).await;
        let found = run.verdicts(by_password()).await;
        let mut others = bad(&found);
        // Trouble with the room or the download keeps the goodbye or the refusal from being seen.
        others.retain(|(other, ..)| *other == id || !["canary.cleanup"].contains(other));
        let download = cause == "media-download-refused";
        others.retain(|(other, ..)| !download || *other == id);
        assert_eq!(others, [(id, outcome, Some(cause))], "{quirk:?}: {found:?}");
    }
}

#[tokio::test]
async fn without_what_came_later_it_is_a_skip() {
    for (quirk, id) in [
        (Quirk::NoSliding(false), "canary.sliding_sync"),
        (Quirk::NoNewMedia, "canary.authenticated_media"),
    ] {
        let run = Run::against(quirk).await;
        let verdicts = run.verdicts(by_password()).await;
        assert_eq!(bad(&verdicts), [], "{quirk:?}");
        assert_eq!(verdicts[id].0, Skip, "{quirk:?}");
    }
}

#[tokio::test]
async fn who_cannot_come_in_says_why_and_the_rest_is_blocked() {
    const UNKNOWN: &str = r#"{"errcode":"M_UNKNOWN","error":"HMAC incorrect"}"#;
    let wrong = CanaryAccount { password: Some("another-one".into()), ..by_password() };
    let unknown = CanaryAccount { token: Some("syt_unknown".into()), ..by_token() };
    let other_secret = CanaryAccount { shared_secret: Some("other".into()), ..throw_away() };
    let register = Quirk::Answers("GET /_synapse/admin/v1/register", 404, UNKNOWN);
    for (quirk, account, id, cause) in [
        (Quirk::None, wrong, "canary.login", "canary-login-rejected"),
        (Quirk::None, unknown, "canary.login", "canary-token-rejected"),
        (Quirk::None, other_secret, "canary.register", "canary-register-refused"),
        (register, throw_away(), "canary.register", "canary-register-refused"),
    ] {
        let run = Run::against(quirk).await;
        let findings = run.findings(account).await;
        assert!(!format!("{findings:?}").contains("another-one"));
        for (other, finding) in &findings {
            let expected = if *other == id { (Fail, Some(cause)) } else { (Skip, None) };
            assert_eq!((finding.outcome, finding.cause), expected, "{other}: {finding:?}");
        }
        let left = std::fs::read_dir(run.folder.path()).expect("a folder").count();
        assert_eq!(left, 0, "nothing is to be undone");
    }
}

#[tokio::test]
async fn a_limit_is_no_failure_and_is_kept() {
    const LIMIT: &str = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"slow","retry_after_ms":200000}"#;
    let run = Run::against(Quirk::Answers("POST /_matrix/client/v3/login", 429, LIMIT)).await;
    for again in [false, true] {
        let findings = run.findings(by_password()).await;
        let login = &findings["canary.login"];
        assert_eq!((login.outcome, login.cause), (Error, None), "{login:?}");
        let asked = |events: &mut fake::Events| {
            events
                .requests
                .iter()
                .filter(|line| line.starts_with("POST") && line.ends_with("/login"))
                .count()
        };
        assert_eq!(run.fake.with(asked), 1, "asked once, again: {again}");
    }
    let run = Run::against(Quirk::Answers("POST /_matrix/media/v3/upload", 429, LIMIT)).await;
    let verdicts = run.verdicts(by_password()).await;
    assert_eq!(bad(&verdicts), [("canary.media", Error, None)]);
}

#[tokio::test]
async fn without_leave_or_account_nothing_is_touched() {
    let forbidden = CanaryAccount { allowed: false, ..by_password() };
    let nobody = CanaryAccount { allowed: true, ..CanaryAccount::default() };
    let no_secret = CanaryAccount { shared_secret: None, ..throw_away() };
    for (account, word) in [
        (forbidden, "--allow canary"),
        (nobody, "canary.password_file"),
        (no_secret, "canary.shared_secret_file"),
    ] {
        let run = Run::against(Quirk::None).await;
        for (id, finding) in run.findings(account).await {
            assert_eq!(finding.outcome, Skip, "{id}");
            assert!(finding.summary.contains(word), "{id}: {}", finding.summary);
        }
        assert_eq!(run.fake.with(|events| events.requests.len()), 0);
    }
}

#[tokio::test]
async fn a_room_that_it_is_not_in_is_not_used() {
    let run = Run::against(Quirk::None).await;
    let elsewhere = CanaryAccount { room: Some("!elsewhere:example.org".into()), ..by_password() };
    let verdicts = run.verdicts(elsewhere).await;
    let expected = [("canary.room", Fail, Some("canary-room-unusable"))];
    assert_eq!(bad(&verdicts), expected, "{verdicts:?}");
    assert_eq!(run.fake.with(|events| events.messages.len()), 0);
}

#[tokio::test]
async fn one_that_is_dropped_in_the_middle_says_goodbye() {
    let run = Run::against(Quirk::Deaf).await;
    let cx = run.cx(by_password());
    let net = cx.net().clone();
    let login = check("canary.login").expect("registered");
    let begun = async {
        loop {
            if run.fake.with(|events| !events.messages.is_empty()) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = (login.run)(&cx) => panic!("it waits for a message that does not come"),
        () = begun => {}
    }
    cx.facts().abort();
    drop(cx);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    net.cleaned_up(std::time::Duration::from_secs(10)).await;
    run.fake.with(|events| {
        assert_eq!(events.redacted.len(), 1);
        assert_eq!(events.tokens.len(), 1, "logged out");
    });
}

#[tokio::test]
async fn what_the_user_is_told_of_uploads_is_held_against_what_is_written_down() {
    let run = Run::against(Quirk::None).await;
    let upload = check("ingress.upload_limit").expect("a check");
    for (written, outcome, cause) in [
        (None, Pass, None),
        (Some(LIMIT), Pass, None),
        (Some(LIMIT * 2), Fail, Some("upload-limit-differs")),
    ] {
        let mut cx = run.cx(by_password());
        let mut target = cx.target().clone();
        target.expect.upload_limit = written;
        cx = Cx::new(Vantage::Internal, target, cx.net().clone());
        let found = (upload.run)(&cx).await.expect("a verdict");
        let [Entry::Finding(finding)] = &found.0[..] else { panic!("{found:?}") };
        assert_eq!((finding.outcome, finding.cause), (outcome, cause), "{finding:?}");
        if outcome == Pass {
            assert!(finding.summary.contains("3 MiB"), "{finding:?}");
        }
    }
}
