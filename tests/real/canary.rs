//! The synthetic user on the real homeserver, and what the database then holds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use libtest_mimic::Failed;
use mxdoctor_fixtures::stack::{Settings, Stack, View};
use serde_json::Value;

use super::{ensure, listing, text};

/// Synapse's own address, as pods know it.
const INSIDE: &str = "http://10.43.0.20:8008";
/// `registration_shared_secret` of the stack's Synapse.
const SECRET: &str = "test-only";
/// Name of the account that `mxdoctor init --canary` makes.
const NAME: &str = "mxdoctor-canary";

/// A fixed account, from all three vantages at once, twice: everything passes, and but for its room
/// nothing is left.
pub(super) fn fixed(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let config = fixed_account(stack)?;
    for _ in 0..2 {
        let (output, report) = check(stack, &config, View::Cluster, &[])?;
        all_good(&output, &report)?;
        for vantage in ["", "@internal", "@cluster"] {
            for name in ["login", "send", "sync", "sliding_sync", "media", "openid", "cleanup"] {
                passed(&report, &format!("canary.{name}{vantage}"))?;
            }
        }
        passed(&report, "synapse.turn")?;
        nothing_left(stack)?;
    }
    let rooms = query(
        stack,
        "SELECT count(*) FROM local_current_membership WHERE \
        membership = 'join' AND user_id LIKE '@mxdoctor-canary:%'",
    )?;
    ensure(rooms == 1, || format!("the account is in {rooms} rooms"))
}

/// An account of one run, through the ingress.
pub(super) fn throw_away(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let config = throw_away_config(stack)?;
    let (output, report) = check(stack, &config, View::Public, &[])?;
    all_good(&output, &report)?;
    passed(&report, "canary.register")?;
    passed(&report, "canary.cleanup")?;
    let made = query(stack, "SELECT count(*) FROM users WHERE name LIKE '@mxdoctor-canary-%'")?;
    ensure(made > 0, || "no account was made".to_owned())?;
    nothing_left(stack)
}

/// Killed at several steps, and after the next run nothing is left.
pub(super) fn killed(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let (once, fixed) = (throw_away_config(stack)?, fixed_account(stack)?);
    let mut left = 0;
    for (config, mark) in [
        (&once, "POST /_synapse/admin/v1/register"),
        (&once, "POST /_matrix/client/v3/login"),
        (&once, "POST /_matrix/client/v3/createRoom"),
        (&once, "/send/m.room.message/"),
        (&once, "POST /_matrix/media/v3/upload"),
        (&once, "/forget"),
        (&fixed, "POST /_matrix/client/v3/login"),
        (&fixed, "/send/m.room.message/"),
        (&fixed, "POST /_matrix/media/v3/upload"),
        (&fixed, "POST /_matrix/client/v3/keys/upload"),
    ] {
        kill_at(stack, config, mark)?;
        left += leftovers(stack)?.iter().filter(|(_, count)| *count > 0).count();
        let (output, report) = check(stack, config, View::Public, &[])?;
        all_good(&output, &report).map_err(|it| told(mark, &it))?;
        nothing_left(stack).map_err(|it| told(mark, &it))?;
    }
    ensure(left > 3, || format!("being killed left too little, {left} things, to show anything"))
}

/// The homeserver's secret is not the TURN server's.
pub(super) fn turn_secret(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let config = throw_away_config(stack)?;
    let mut settings = Settings::healthy();
    settings.homeserver.turn_secret = "another one";
    stack.apply(&settings)?;
    let (output, report) = check(stack, &config, View::Public, &[])?;
    let entries = report["checks"].as_array().ok_or("no checks")?;
    let refused = |entry: &&Value| {
        entry["id"] == "synapse.turn" && entry["cause"] == "turn-credentials-rejected"
    };
    let told = || format!("{}\n{:#}", listing(&report, &["fail", "error", "skip"]), report);
    ensure(entries.iter().find(refused).is_some_and(|entry| entry["outcome"] == "fail"), told)?;
    let causes = report["root_causes"].as_array().map_or(0, Vec::len);
    ensure(causes == 1, told)?;
    ensure(output.status.code() == Some(1), || text(&output))?;
    stack.heal()?;
    Ok(())
}

/// All by an admin's token: an account of one run, and one that is kept by its token.
pub(super) fn by_admin(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    admin(stack)?;
    let base = fs::read_to_string(stack.file("stack.toml"))?;
    let maker =
        format!("\n[canary]\nhomeserver = {INSIDE:?}\nadmin_token_file = \"canary-admin\"\n");
    let once = format!("{base}{maker}throw_away = true\n");
    fs::write(stack.file("canary-by-admin.toml"), once)?;
    let (output, report) = check(stack, "/srv/canary-by-admin.toml", View::Public, &[])?;
    all_good(&output, &report)?;
    passed(&report, "canary.register")?;
    nothing_left(stack)?;

    fs::write(stack.file("canary-init-admin.toml"), format!("{base}{maker}"))?;
    let mut command = stack.command(View::Cluster, env!("CARGO_BIN_EXE_mxdoctor"));
    let init = ["init", "--canary", "--token", "--user", "watcher", "-c"];
    let output = command.args(init).arg("/srv/canary-init-admin.toml").output()?;
    ensure(output.status.success(), || text(&output))?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure(lines.contains("token_file = \"watcher.token\""), || lines.clone())?;
    fs::write(stack.file("canary-token.toml"), format!("{base}\n{lines}"))?;
    // The token outlives the run.
    for _ in 0..2 {
        let (output, report) = check(stack, "/srv/canary-token.toml", View::Public, &[])?;
        all_good(&output, &report)?;
        passed(&report, "canary.login")?;
        passed(&report, "canary.sync")?;
    }
    Ok(())
}

/// A homeserver that limits logins is not measured, is not blamed, and is left alone for as long as
/// it wants.
pub(super) fn limited(stack: &Stack) -> Result<(), Failed> {
    stack.heal()?;
    let config = fixed_account(stack)?;
    let mut settings = Settings::healthy();
    settings.homeserver.one_login = true;
    stack.apply(&settings)?;
    check(stack, &config, View::Public, &[])?;
    for words in ["limits our rate", "wants to be left alone for"] {
        let (output, report) = check(stack, &config, View::Public, &[])?;
        let told = || format!("{}\n{:#}", listing(&report, &["fail", "error", "skip"]), report);
        let entries = report["checks"].as_array().ok_or("no checks")?;
        let login = entries.iter().find(|entry| entry["id"] == "canary.login").ok_or("no login")?;
        ensure(login["outcome"] == "error", told)?;
        ensure(login["summary"].as_str().is_some_and(|it| it.contains(words)), told)?;
        ensure(report["summary"]["fail"] == 0, told)?;
        ensure(output.status.code() == Some(3), || text(&output))?;
    }
    // What the next run would respect is this homeserver's, which ends here.
    fs::remove_dir_all(stack.file("canary-state"))?;
    stack.heal()?;
    Ok(())
}

fn told(mark: &str, failed: &Failed) -> Failed {
    format!("killed at {mark}: {}", failed.message().unwrap_or_default()).into()
}

/// The configuration of a fixed account, which is made where it is not there yet.
fn fixed_account(stack: &Stack) -> Result<String, Failed> {
    let path = stack.file("canary-fixed.toml");
    if path.exists() {
        return Ok("/srv/canary-fixed.toml".to_owned());
    }
    let base = fs::read_to_string(stack.file("cluster.toml"))?;
    let maker = format!("\n[canary]\nhomeserver = {INSIDE:?}\nshared_secret = {SECRET:?}\n");
    fs::write(stack.file("canary-init.toml"), format!("{base}{maker}"))?;
    let mut command = stack.command(View::Cluster, env!("CARGO_BIN_EXE_mxdoctor"));
    let output = command.args(["init", "--canary", "-c", "/srv/canary-init.toml"]).output()?;
    ensure(output.status.success(), || text(&output))?;
    let secret = stack.file(&format!("{NAME}.password"));
    let mode = fs::metadata(&secret)?.permissions().mode() & 0o777;
    ensure(mode == 0o600, || format!("the secret is for everybody to read: {mode:o}"))?;
    let password = fs::read_to_string(&secret)?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure(!lines.contains(password.trim()), || "the secret was printed".to_owned())?;
    let again = stack
        .command(View::Cluster, env!("CARGO_BIN_EXE_mxdoctor"))
        .args(["init", "--canary", "-c", "/srv/canary-init.toml", "--secret-file", "/srv/other"])
        .output()?;
    ensure(again.status.code() == Some(3), || text(&again))?;
    ensure(!stack.file("other").exists(), || "a secret of nobody was left".to_owned())?;
    let keys = format!("homeserver = {INSIDE:?}\nadmin_token_file = \"canary-admin\"\n");
    admin(stack)?;
    fs::write(&path, format!("{base}\n{lines}{keys}"))?;
    Ok("/srv/canary-fixed.toml".to_owned())
}

fn throw_away_config(stack: &Stack) -> Result<String, Failed> {
    admin(stack)?;
    let base = fs::read_to_string(stack.file("stack.toml"))?;
    let keys = format!(
        "\n[canary]\nthrow_away = true\nhomeserver = {INSIDE:?}\nshared_secret = {SECRET:?}\n\
         admin_token_file = \"canary-admin\"\n"
    );
    fs::write(stack.file("canary-once.toml"), format!("{base}{keys}"))?;
    Ok("/srv/canary-once.toml".to_owned())
}

/// Makes an admin, whose token is then in a file.
fn admin(stack: &Stack) -> Result<(), Failed> {
    const MAKE: &str = "
import hashlib, hmac, json, sys, urllib.request as http
base, secret = sys.argv[1:]
url = base + '/_synapse/admin/v1/register'
nonce = json.load(http.urlopen(url))['nonce']
words = [nonce, 'admin', 'not-a-secret', 'admin']
mac = hmac.new(secret.encode(), '\\0'.join(words).encode(), hashlib.sha1).hexdigest()
body = {'nonce': nonce, 'username': 'admin', 'password': 'not-a-secret', 'admin': True, 'mac': mac}
answer = json.load(http.urlopen(http.Request(url, json.dumps(body).encode())))
open('/srv/canary-admin', 'w').write(answer['access_token'])
";
    if stack.file("canary-admin").exists() {
        return Ok(());
    }
    let mut command = stack.command(View::Cluster, "python3");
    let output = command.args(["-c", MAKE, INSIDE, SECRET]).output()?;
    ensure(output.status.success(), || text(&output))
}

const RUN: &[&str] = &[
    "check",
    "testing.borooka.ee",
    "--allow",
    "canary",
    "--only",
    "canary.*,synapse.turn",
    "--state",
    "/srv/canary-state",
    "--timeout",
    "120s",
    "--report",
    "json",
];

fn check(
    stack: &Stack,
    config: &str,
    view: View,
    more: &[&str],
) -> Result<(Output, Value), Failed> {
    let mut command = stack.command(view, env!("CARGO_BIN_EXE_mxdoctor"));
    let output = command.args(RUN).args(["--config", config]).args(more).output()?;
    let report = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no JSON report: {error}\n{}", text(&output)))?;
    let shown = String::from_utf8_lossy(&output.stdout);
    for secret in [SECRET, "syt_"] {
        ensure(!shown.contains(secret), || format!("{secret} is in {shown}"))?;
    }
    Ok((output, report))
}

/// Runs it, and kills it as soon as Synapse has answered such a request.
fn kill_at(stack: &Stack, config: &str, mark: &str) -> Result<(), Failed> {
    const KILL: &str = "
import os, subprocess, sys
mark, argv = sys.argv[1], sys.argv[2:]
log = open('/srv/log/synapse.log')
log.seek(0, os.SEEK_END)
run = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
said = ''
while run.poll() is None:
    said += log.read()
    if mark in said:
        run.kill()
        break
print(run.wait())
";
    let mut command = stack.command(View::Public, "python3");
    command.args(["-c", KILL, mark, env!("CARGO_BIN_EXE_mxdoctor")]);
    let output = command.args(RUN).args(["--config", config]).output()?;
    let code = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure(code == "-9", || format!("it was not killed at {mark}: {code}, {}", text(&output)))
}

fn all_good(output: &Output, report: &Value) -> Result<(), Failed> {
    let bad = listing(report, &["fail", "error", "warn"]);
    ensure(bad.is_empty() && output.status.code() == Some(0), || {
        format!("{:?}:\n{bad}\n{report:#}", output.status.code())
    })
}

fn passed(report: &Value, key: &str) -> Result<(), Failed> {
    let entries = report["checks"].as_array().ok_or("no checks")?;
    let mut of_it = entries.iter().filter(|entry| {
        super::name(&super::key(entry)) == key
            || format!("{}{}", super::string(&entry["id"]), at(entry)) == key
    });
    ensure(of_it.any(|entry| entry["outcome"] == "pass"), || {
        format!("{key} does not pass:\n{}", listing(report, &["pass", "skip"]))
    })
}

fn at(entry: &Value) -> String {
    match entry["vantage"].as_str() {
        Some("public") | None => String::new(),
        Some(vantage) => format!("@{vantage}"),
    }
}

/// What may not be there after a run: its name, and how to count it.
const COUNTS: &[(&str, &str)] = &[
    (
        "active throw-away accounts",
        "users WHERE name LIKE '@mxdoctor-canary-%' AND deactivated = 0",
    ),
    (
        "throw-away accounts that are not erased",
        "users u WHERE name LIKE '@mxdoctor-canary-%' \
         AND NOT EXISTS (SELECT 1 FROM erased_users e WHERE e.user_id = u.name)",
    ),
    ("devices", "devices WHERE user_id LIKE '@mxdoctor-canary%' AND NOT hidden"),
    ("tokens", "access_tokens WHERE user_id LIKE '@mxdoctor-canary%'"),
    ("device keys", "e2e_device_keys_json WHERE user_id LIKE '@mxdoctor-canary%'"),
    (
        "rooms of throw-away accounts",
        "local_current_membership WHERE membership = 'join' AND user_id LIKE '@mxdoctor-canary-%'",
    ),
    ("media", "local_media_repository WHERE user_id LIKE '@mxdoctor-canary%'"),
    (
        "messages",
        "events e WHERE type = 'm.room.message' AND sender LIKE '@mxdoctor-canary%' \
         AND NOT EXISTS (SELECT 1 FROM redactions r WHERE r.redacts = e.event_id)",
    ),
];

fn leftovers(stack: &Stack) -> Result<Vec<(&'static str, i64)>, Failed> {
    let count = |(name, what): &(&'static str, &str)| {
        Ok((*name, query(stack, &format!("SELECT count(*) FROM {what}"))?))
    };
    COUNTS.iter().map(count).collect()
}

fn nothing_left(stack: &Stack) -> Result<(), Failed> {
    let left: Vec<_> = leftovers(stack)?.into_iter().filter(|(_, count)| *count > 0).collect();
    ensure(left.is_empty(), || format!("left in the database: {left:?}"))
}

/// Asks PostgreSQL for one number.
fn query(stack: &Stack, sql: &str) -> Result<i64, Failed> {
    const ASK: &str = "
import psycopg2, sys, tomllib
at = tomllib.load(open('/srv/cluster.toml', 'rb'))['database']
connection = psycopg2.connect(host=at['host'], user=at['user'], password=at['password'],
    dbname=at['name'], sslmode=at['sslmode'])
cursor = connection.cursor()
cursor.execute(sys.argv[1])
print(cursor.fetchone()[0])
";
    let output = stack.command(View::Cluster, stack.python()).args(["-c", ASK, sql]).output()?;
    let number = String::from_utf8_lossy(&output.stdout).trim().parse();
    number.map_err(|_| Failed::from(format!("{sql}: {}", text(&output))))
}
