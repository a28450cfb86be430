//! What the file and the flags come to.

use std::path::Path;

use mxdoctor_checks::Target;

use super::{Options, Settings};

/// The target that a `stack.toml` with these lines gives.
fn target(toml: &str, options: &Options) -> Result<(Target, Vec<String>), String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("password"), "from a file\n").expect("written");
    let path = folder.path().join("stack.toml");
    std::fs::write(&path, format!("server_name = \"example.org\"\n{toml}")).expect("written");
    let settings = Settings::load(None, Some(Path::new(&path)), options);
    let mut settings = settings.map_err(|error| error.to_string())?;
    Ok((settings.setups.remove(0).target, settings.secrets))
}

#[test]
fn jitsi_is_told_where_and_who() {
    let toml = "
        [jitsi]
        jvb_rest = 'http://jvb:8080'
        jicofo_rest = 'http://jicofo:8888'
        prosody_http = 'http://prosody:5280'
        node = 'Node.example.org'
        token = 'aaaa.bbbb.cccc'
        user = 'probe'
        password_file = 'password'
        domain = 'meet.jitsi'
        video = true
        [network]
        stun_server = 'stun.example.org'
        [internal]
        jicofo_rest = 'http://other:8888'
    ";
    let (target, secrets) = target(toml, &Options::default()).expect("right");
    assert_eq!(target.jicofo_rest.expect("given").as_str(), "http://jicofo:8888/");
    assert_eq!(target.prosody_http.expect("given").as_str(), "http://prosody:5280/");
    assert_eq!(target.jitsi_node.as_deref(), Some("node.example.org"));
    assert_eq!(target.stun_server, Some(("stun.example.org".into(), 3478)));
    assert!(target.jitsi_video);
    assert_eq!(target.jitsi_login.account, Some(("probe".into(), "from a file".into())));
    assert_eq!(secrets, ["aaaa.bbbb.cccc", "from a file"]);
    let shown = format!("{:?}", target.jitsi_login);
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[test]
fn sizes_are_written_as_in_synapse() {
    let limit = |text: &str| {
        let toml = format!("[expect]\nupload_limit = '{text}'");
        target(&toml, &Options::default()).map(|(target, _)| target.expect.upload_limit)
    };
    assert_eq!(limit("50M"), Ok(Some(52_428_800)));
    assert_eq!(limit("1024"), Ok(Some(1024)));
    assert_eq!(limit(" 3k "), Ok(Some(3072)));
    for wrong in ["", "M", "fifty", "-1", "0", "99999999999999999999", "99999999999G"] {
        assert!(limit(wrong).is_err_and(|error| error.contains("upload_limit")), "{wrong}");
    }
}

#[test]
fn waiting_long_is_asked_for() {
    let slow = |toml: &str, options: &Options| target(toml, options).expect("right").0.slow;
    let only = |pattern: &str| Options { only: vec![pattern.into()], ..Options::default() };
    assert!(!slow("", &Options::default()));
    assert!(slow("[run]\nslow = true", &Options::default()));
    assert!(slow("", &Options { slow: true, ..Options::default() }));
    assert!(slow("", &only("ingress.long_poll")));
    assert!(!slow("", &only("ingress.*")));
}

#[test]
fn a_vantage_has_its_own_parts() {
    let toml = "
        [jitsi]
        jicofo_rest = 'http://jicofo:8888'
        prosody_http = 'http://prosody:5280'
        [cluster]
        jicofo_rest = 'http://other:8888'
    ";
    let options = Options { vantage: vec![mxdoctor_model::Vantage::Cluster], ..Options::default() };
    let (target, _) = target(toml, &options).expect("right");
    assert_eq!(target.jicofo_rest.expect("given").as_str(), "http://other:8888/");
    assert_eq!(target.prosody_http.expect("given").as_str(), "http://prosody:5280/");
}

#[test]
fn flags_go_first() {
    let toml = "[jitsi]\nnode = '198.51.100.1'\n[network]\nstun_server = '198.51.100.2'";
    let options = Options {
        jitsi_node: Some("[2001:db8::1]".into()),
        stun_server: Some("[2001:db8::2]:19302".into()),
        ..Options::default()
    };
    let (target, _) = target(toml, &options).expect("right");
    assert_eq!(target.jitsi_node.as_deref(), Some("2001:db8::1"));
    assert_eq!(target.stun_server, Some(("2001:db8::2".into(), 19302)));
}

#[test]
fn what_makes_no_sense_is_said() {
    for (toml, word) in [
        ("[jitsi]\nuser = 'probe'", "no password"),
        ("[jitsi]\npassword = 'secret'", "no user"),
        ("[jitsi]\nuser = 'a'\npassword = 'b'\npassword_file = 'password'", "both"),
        ("[jitsi]\nuser = 'a'\npassword_file = 'nowhere'", "nowhere"),
        ("[jitsi]\ntoken = 'hunter22'", "not a JSON web token"),
        ("[jitsi]\nnode = 'https://node'", "not a host"),
        ("[network]\nstun_server = 'stun.example.org:x'", "not a port"),
    ] {
        let said = target(toml, &Options::default()).expect_err(toml);
        assert!(said.contains(word) && !said.contains("hunter22"), "{toml}: {said}");
    }
}

#[test]
fn the_identity_and_the_keys_are_read() {
    let key = "l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og";
    let toml = format!(
        "state = 'kept'
        [expect]
        signing_key = 'ed25519:a_1 {key}='
        [federation]
        listen = '[::1]:8449'
        name = 'probe.example.org:8449'"
    );
    let (given, _) = target(&toml, &Options::default()).expect("right");
    assert_eq!(given.expect.signing_keys.len(), 1);
    assert_eq!(given.expect.signing_keys[0].id, "ed25519:a_1");
    assert_eq!(given.federation.listen, "[::1]:8449".parse().ok());
    assert_eq!(given.federation.name.expect("given").port, Some(8449));
    let state = given.state.expect("given");
    assert!(state.is_chosen() && state.path("a", "keys").ends_with("kept/a.keys.json"));
    let options = Options {
        federation_listen: Some("127.0.0.1:0".into()),
        state: Some("/elsewhere".into()),
        ..Options::default()
    };
    let several = format!("{toml}\n[jitsi]").replace(
        &format!("'ed25519:a_1 {key}='"),
        &format!("['ed25519:a_1 {key}', 'ed25519:a_2 {key}']"),
    );
    let (given, _) = target(&several, &options).expect("right");
    assert_eq!(given.expect.signing_keys.len(), 2);
    assert_eq!(given.federation.listen, "127.0.0.1:0".parse().ok());
    let state = given.state.expect("given");
    assert_eq!(state.path("a", "keys"), Path::new("/elsewhere/a.keys.json"));
}

#[test]
fn an_identity_that_cannot_be_is_refused() {
    for (toml, word) in [
        ("[expect]\nsigning_key = 'ed25519:a_1'", "not a signing key"),
        ("[expect]\nsigning_key = 'ed25519:a_1 AAAA'", "not a signing key"),
        (
            "[expect]\nsigning_key = ['a_1 l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og']",
            "not a sig",
        ),
        ("[federation]\nlisten = '8449'", "not an address with a port"),
        ("[federation]\nname = 'https://probe'", "scheme"),
        ("[federation]\nkey = 'password'", "missing"),
        ("[federation]\ncertificate = 'nowhere'\nkey = 'password'", "nowhere"),
        ("[federation]\ncertificate = 'password'\nkey = 'password'", "no certificate"),
    ] {
        let said = target(toml, &Options::default()).expect_err(toml);
        assert!(said.contains(word), "{toml}: {said}");
    }
}

#[test]
fn the_synthetic_user_is_told_who_it_is() {
    let toml = "
        [canary]
        user = 'canary'
        password_file = 'password'
        room = '!r:example.org'
        homeserver = 'http://synapse:8008'
        admin_token = 'syt_admin'
        shared_secret = 'shared'
    ";
    let (given, secrets) = target(toml, &Options::default()).expect("right");
    assert_eq!(secrets, ["from a file", "shared", "syt_admin"]);
    let shown = format!("{:?}", given.canary);
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
    assert!(!given.canary.allowed && !given.canary.throw_away);
    let options = Options { allow: vec![super::options::Allow::Canary], ..Options::default() };
    assert!(target(toml, &options).expect("right").0.canary.allowed);
}

#[test]
fn a_synthetic_user_that_cannot_be_is_refused() {
    for (toml, word) in [
        ("password = 'hunter22'", "no user"),
        ("user = 'a'\npassword = 'hunter22'\npassword_file = 'password'", "expected one"),
        ("user = 'a'\npassword = 'hunter22'\ntoken = 'x'", "expected one"),
        ("token_file = 'nowhere'", "nowhere"),
        ("room = '#a:b'", "not a room id"),
        ("throw_away = true\nroom = '!a:b'", "room of its own"),
    ] {
        let toml = format!("[canary]\n{toml}");
        let said = target(&toml, &Options::default()).expect_err(&toml);
        assert!(said.contains(word) && !said.contains("hunter22"), "{toml}: {said}");
    }
}

#[test]
fn a_cluster_is_told_by_the_file_and_the_flags() {
    let toml = "
        [kubernetes]
        namespace = 'app-matrix'
        kubeconfig = 'kube'
        operators = ['cert-manager']
    ";
    let options =
        Options { kube_context: Some("home".into()), read_secrets: true, ..Options::default() };
    let found = target(toml, &options).expect("right");
    let kubernetes = found.0.kubernetes.expect("given");
    assert!(kubernetes.access.kubeconfig.expect("given").is_absolute());
    assert_eq!(kubernetes.access.namespace.as_deref(), Some("app-matrix"));
    assert_eq!(kubernetes.access.context.as_deref(), Some("home"));
    assert_eq!(kubernetes.operators, ["cert-manager"]);
    assert!(kubernetes.read_secrets && !kubernetes.logs);
    let wrong = target("[kubernetes]\nnamespace = 'App Matrix'", &Options::default());
    assert!(wrong.is_err_and(|error| error.contains("kubernetes.namespace")));
}
