//! Two real homeservers that federate, and what is said of the second.

use std::fs;

use libtest_mimic::Failed;
use mxdoctor_fixtures::stack::{Settings, Stack, View};
use serde_json::Value;

use super::{ensure, listing, text};

/// A guest of each meets in a room of the first, and each hears the other.
const MEET: &str = "
import hashlib, hmac, json, sys, time, urllib.parse, urllib.request as http
secret = sys.argv[1]
def ask(base, method, path, body=None, token=None):
    request = http.Request(base + path, json.dumps(body).encode() if body is not None else None)
    request.method = method
    request.add_header('content-type', 'application/json')
    if token:
        request.add_header('authorization', 'Bearer ' + token)
    return json.load(http.urlopen(request, timeout=30))
def user(base, name):
    register = '/_synapse/admin/v1/register'
    nonce = ask(base, 'GET', register)['nonce']
    words = chr(0).join([nonce, name, 'not-a-secret', 'notadmin'])
    mac = hmac.new(secret.encode(), words.encode(), hashlib.sha1).hexdigest()
    body = {'nonce': nonce, 'username': name, 'password': 'not-a-secret', 'admin': False, 'mac': mac}
    return ask(base, 'POST', register, body)['access_token']
client = '/_matrix/client/v3'
first, second = 'http://10.43.0.20:8008', 'http://10.43.0.21:8008'
name = 'guest' + str(int(time.time()))
a, b = user(first, name), user(second, name)
room = ask(first, 'POST', client + '/createRoom',
    {'preset': 'public_chat', 'room_alias_name': name}, a)['room_id']
alias = urllib.parse.quote('#' + name + ':testing.borooka.ee', safe='')
assert ask(second, 'POST', client + '/join/' + alias, {}, b)['room_id'] == room
def say(base, token, text):
    path = client + '/rooms/' + urllib.parse.quote(room, safe='') + '/send/m.room.message/' + text
    return ask(base, 'PUT', path, {'msgtype': 'm.text', 'body': text}, token)['event_id']
def hears(base, token, event):
    path = client + '/rooms/' + urllib.parse.quote(room, safe='') + '/messages?dir=b&limit=20'
    for _ in range(100):
        if any(one['event_id'] == event for one in ask(base, 'GET', path, None, token)['chunk']):
            return True
        time.sleep(0.1)
    return False
assert hears(first, a, say(second, b, 'from-the-second')), 'the first heard nothing'
assert hears(second, b, say(first, a, 'from-the-first')), 'the second heard nothing'
";

/// The second, with a synthetic user of one run.
const CONFIG: &str = "server_name = \"second.borooka.ee\"

[network]
routable = [\"198.51.100.0/24\"]

[canary]
throw_away = true
homeserver = \"http://10.43.0.21:8008\"
shared_secret = \"test-only\"
";

/// They federate; the second, which is found by its SRV record, passes as the first does.
pub(crate) fn federate(stack: &Stack) -> Result<(), Failed> {
    stack.apply(&Settings { second_homeserver: true, ..Settings::healthy() })?;
    let met = stack.command(View::Cluster, "python3").args(["-c", MEET, "test-only"]).output()?;
    ensure(met.status.success(), || text(&met))?;
    fs::write(stack.file("second.toml"), CONFIG)?;
    let mut command = stack.command(View::Cluster, env!("CARGO_BIN_EXE_mxdoctor"));
    command.args(["check", "-c", "/srv/second.toml", "--allow", "canary", "--report", "json"]);
    let output = command.args(["--state", "/srv/state"]).output()?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no JSON report: {error}\n{}", text(&output)))?;
    let bad = listing(&report, &["fail", "error", "warn"]);
    ensure(output.status.code() == Some(0) && bad.is_empty(), || format!("the second:\n{bad}"))?;
    let resolved = report["checks"]
        .as_array()
        .and_then(|checks| checks.iter().find(|check| check["id"] == "federation.resolve"));
    let summary = resolved.and_then(|check| check["summary"].as_str()).unwrap_or_default();
    ensure(summary.contains("8448") && summary.contains("SRV"), || summary.to_owned())?;
    let passed = listing(&report, &["pass"]);
    for id in ["canary.register", "canary.sync", "canary.media", "canary.openid", "canary.cleanup"]
    {
        ensure(passed.contains(id), || format!("{id} is not passed:\n{passed}"))?;
    }
    Ok(())
}
