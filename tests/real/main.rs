//! mxdoctor on the real stack: healthy, and broken in every way that its table knows.
//!
//! One stack serves all tests, which therefore run one after another. It is brought up by the
//! first that needs it and is gone when this process is, however it ends.

mod browser;
mod canary;
mod federation;
mod inside;
mod judge;
mod second;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitCode, Output};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use mxdoctor_fixtures::recording::{self, Answered};
use mxdoctor_fixtures::stack::{CALL_FAULTS, FAULTS, Lifetime, RealFault, Stack, View};
use serde_json::Value;

/// The stack of these tests, as soon as one of them has asked for it.
#[derive(Default)]
struct Bench {
    stack: OnceLock<Result<Stack, String>>,
    baselines: [OnceLock<Outcomes>; 2],
}

/// Outcome by the check's key.
type Outcomes = BTreeMap<String, String>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let bench = Arc::new(Bench::default());
    let trial = |name: &str, run: fn(&Bench) -> Result<(), Failed>| {
        let bench = Arc::clone(&bench);
        Trial::test(name, move || run(&bench))
    };
    let mut trials = vec![
        trial("healthy_for_a_user", |bench| healthy(bench, View::Public)),
        trial("healthy_for_a_pod", |bench| healthy(bench, View::Cluster)),
        trial("federation::signed_request", |bench| federation::signed_request(bench.stack()?)),
        trial("federation::certificate_refused", |bench| {
            federation::certificate_refused(bench.stack()?)
        }),
        trial("federation::way_out_blocked", |bench| federation::way_out_blocked(bench.stack()?)),
        trial("reports_are_read_by_others", reports),
        trial("synapse_answers_as_recorded", |bench| {
            let file = include_str!("../../fixtures/recordings/synapse.json");
            recorded(bench, file, "synapse.app-matrix.svc:8008", "matrix.testing.borooka.ee")
        }),
        trial("prosody_answers_as_recorded", |bench| {
            let file = include_str!("../../fixtures/recordings/prosody.json");
            recorded(bench, file, "prosody.app-matrix.svc:5280", "meet.jitsi")
        }),
    ];
    trials.extend(FAULTS.iter().map(|fault| {
        let bench = Arc::clone(&bench);
        Trial::test(format!("fault::{}", fault.id), move || broken(&bench, fault))
    }));
    trials.extend([
        trial("judge::healthy", |bench| judge::healthy(bench.stack()?, None)),
        trial("judge::turn_udp", |bench| judge::healthy(bench.stack()?, Some("turn/udp"))),
        trial("judge::turn_tcp", |bench| judge::healthy(bench.stack()?, Some("turn/tcp"))),
        trial("judge::turns", |bench| judge::healthy(bench.stack()?, Some("turns/tcp"))),
        trial("second::federate", |bench| second::federate(bench.stack()?)),
        trial("browser::conference", |bench| browser::conference(bench.stack()?)),
    ]);
    trials.extend(CALL_FAULTS.iter().map(|row| {
        let bench = Arc::clone(&bench);
        let name = format!("judge::fault::{}", row.fault.id);
        Trial::test(name, move || judge::broken(bench.stack()?, row))
    }));
    trials.extend(CALL_FAULTS.iter().map(|row| {
        let bench = Arc::clone(&bench);
        Trial::test(format!("fault::{}", row.fault.id), move || called(&bench, &row.fault))
    }));
    trials.extend([
        trial("canary::fixed", |bench| canary::fixed(bench.stack()?)),
        trial("canary::throw_away", |bench| canary::throw_away(bench.stack()?)),
        trial("canary::killed", |bench| canary::killed(bench.stack()?)),
        trial("canary::by_admin", |bench| canary::by_admin(bench.stack()?)),
        trial("canary::limited", |bench| canary::limited(bench.stack()?)),
        trial("canary::turn_secret", |bench| canary::turn_secret(bench.stack()?)),
    ]);
    trials.extend(inside::SEEN.iter().map(|&(id, cause)| {
        let bench = Arc::clone(&bench);
        let name = format!("inside::{id}");
        Trial::test(name, move || inside::blamed(bench.stack()?, id, cause))
    }));
    trials.push(trial("healed", |bench| healthy(bench, View::Cluster)));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(bench);
    conclusion.exit_code()
}

impl Bench {
    fn stack(&self) -> Result<&Stack, Failed> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
        let target = target.expect("a directory below the target directory");
        let up = || Stack::up(target, "test", Lifetime::WhileHeld);
        let stack = self.stack.get_or_init(|| up().map_err(|error| error.to_string()));
        stack.as_ref().map_err(|error| Failed::from(error.as_str()))
    }

    /// What every check says on the healthy stack.
    fn baseline(&self, view: View) -> Result<&Outcomes, Failed> {
        let cell = &self.baselines[usize::from(view == View::Cluster)];
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let stack = self.stack()?;
        stack.heal()?;
        let (_, report) = check(stack, view)?;
        Ok(cell.get_or_init(|| outcomes(&report)))
    }
}

/// On the healthy stack nothing is wrong, nothing is doubtful, nothing is unmeasured.
fn healthy(bench: &Bench, view: View) -> Result<(), Failed> {
    let stack = bench.stack()?;
    stack.heal()?;
    let (output, report) = check(stack, view)?;
    let bad = listing(&report, &["fail", "error", "warn"]);
    ensure(bad.is_empty(), || format!("on a healthy stack:\n{bad}"))?;
    ensure(output.status.code() == Some(0), || format!("exit code {:?}", output.status))?;
    let passed = report["summary"]["pass"].as_u64().unwrap_or(0);
    ensure(passed > 20, || format!("only {passed} checks passed"))?;
    ensure(report["root_causes"] == Value::Array(Vec::new()), || "there are causes".to_owned())
}

/// The fault is found by its check, its cause comes first and alone, and all else that differs
/// from the healthy stack is folded under it.
fn broken(bench: &Bench, fault: &RealFault) -> Result<(), Failed> {
    let baseline = bench.baseline(fault.view)?;
    let stack = bench.stack()?;
    stack.inject(fault)?;
    let (output, report) = check(stack, fault.view)?;
    let all = || {
        let bad = listing(&report, &["fail", "error", "warn"]);
        format!("{}\ncauses: {:#}\n{bad}", fault.what, report["root_causes"])
    };
    let causes = report["root_causes"].as_array().ok_or("no root causes")?;
    let first = causes.first().ok_or_else(|| format!("no root cause for: {}", all()))?;
    ensure(first["cause"] == fault.cause, || format!("not {} but: {}", fault.cause, all()))?;
    let found = strings(&first["checks"]);
    ensure(found.iter().any(|key| name(key) == fault.check), || {
        format!("{} is not among {found:?}: {}", fault.check, all())
    })?;
    ensure(causes.len() == 1, || format!("more than one cause: {}", all()))?;
    let folded = [found, strings(&first["consequences"])].concat();
    for (key, outcome) in outcomes(&report) {
        let healthy = baseline.get(&key).map_or("pass", String::as_str);
        let hidden = fault.hides.iter().any(|family| name(&key).starts_with(family));
        let explained = folded.contains(&key) || (hidden && outcome == "skip");
        ensure(outcome == healthy || explained, || {
            format!("{key} is {outcome}, was {healthy}, and no cause explains it: {}", all())
        })?;
    }
    let exit = output.status.code();
    ensure(exit == Some(fault.exit), || format!("exit code {exit:?}, not {}", fault.exit))
}

/// A fault of conferences. One that keeps the conference from nobody, or that is a choice of the
/// operator's, has no root cause, and is still said.
fn called(bench: &Bench, fault: &RealFault) -> Result<(), Failed> {
    if fault.exit != 0 {
        return broken(bench, fault);
    }
    let stack = bench.stack()?;
    stack.inject(fault)?;
    let (output, report) = check(stack, fault.view)?;
    let bad =
        || format!("{}\n{}", fault.what, listing(&report, &["fail", "error", "warn", "skip"]));
    ensure(output.status.code() == Some(0), || format!("{:?}: {}", output.status, bad()))?;
    ensure(report["root_causes"] == Value::Array(Vec::new()), || format!("causes: {}", bad()))?;
    let (outcome, cause) = match fault.cause {
        "" => ("skip", Value::Null),
        cause => ("warn", Value::from(cause)),
    };
    let entries = report["checks"].as_array().ok_or("no checks")?;
    let said = entries.iter().any(|entry| {
        entry["id"] == fault.check && entry["outcome"] == outcome && entry["cause"] == cause
    });
    ensure(said, || format!("{} does not say it: {}", fault.check, bad()))
}

/// JSON and JUnit files are what independent parsers take them for.
fn reports(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    stack.heal()?;
    let mut command = mxdoctor(stack, View::Public);
    command.args(["--report", "junit=/srv/junit.xml", "--report", "json=/srv/report.json"]);
    let output = command.output()?;
    ensure(output.status.success(), || text(&output))?;
    const READ: &str = "
import json, xml.etree.ElementTree as tree
report = json.load(open('/srv/report.json'))
assert report['schema_version'] == 1, report['schema_version']
cases = list(tree.parse('/srv/junit.xml').getroot().iter('testcase'))
assert len(cases) == len(report['checks']), (len(cases), len(report['checks']))
assert not [c for c in cases if c.find('failure') is not None or c.find('error') is not None]
skipped = [c for c in cases if c.find('skipped') is not None]
assert len(skipped) == report['summary']['skip'], (len(skipped), report['summary'])
";
    let output = stack.command(View::Public, "python3").args(["-c", READ]).output()?;
    ensure(output.status.success(), || text(&output))
}

/// What the embedded stack answers was recorded, and the real servers still answer so.
fn recorded(bench: &Bench, file: &str, server: &str, host: &str) -> Result<(), Failed> {
    const ASK: &str = "
import http.client, json, re, sys
file, server, host = sys.argv[1:]
sid, answers = '', []
for recording in json.loads(file):
    asked = recording['request']
    connection = http.client.HTTPConnection(server)
    path = asked['path'].replace('*', 'probe')
    connection.putrequest(asked['method'], path, skip_host=True, skip_accept_encoding=True)
    body = asked.get('body', '').replace('{sid}', sid).encode()
    headers = {'Host': host, 'Content-Length': str(len(body)), **asked.get('headers', {})}
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read().decode()
    session = re.search(\" sid='([^']*)'\", text)
    sid = session.group(1) if session else ''
    answers.append([answer.status, answer.getheaders(), text])
print(json.dumps(answers))
";
    type Raw = (u16, Vec<(String, String)>, String);
    let stack = bench.stack()?;
    stack.heal()?;
    let output =
        stack.command(View::Cluster, "python3").args(["-c", ASK, file, server, host]).output()?;
    ensure(output.status.success(), || text(&output))?;
    let answers: Vec<Raw> = serde_json::from_slice(&output.stdout)?;
    let recordings = recording::parse(file)?;
    ensure(!answers.is_empty() && answers.len() == recordings.len(), || text(&output))?;
    let mut wrong = String::new();
    for (recording, (status, headers, body)) in recordings.iter().zip(answers) {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let given = Answered::new(status, headers, body.as_bytes());
        let expected = recording.answer.as_ref().ok_or("a request without its answer")?;
        for difference in expected.differences(&given, &recording.varies) {
            wrong.push_str(&format!("  {}: {difference}\n", recording.what));
        }
    }
    ensure(wrong.is_empty(), || format!("{server} answers otherwise than recorded:\n{wrong}"))
}

/// Runs the checks as a user, or a pod, would; with what they say as JSON.
fn check(stack: &Stack, view: View) -> Result<(Output, Value), Failed> {
    let output = mxdoctor(stack, view).args(["--report", "json"]).output()?;
    let report = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no JSON report: {error}\n{}", text(&output)))?;
    Ok((output, report))
}

fn mxdoctor(stack: &Stack, view: View) -> std::process::Command {
    let mut command = stack.command(view, env!("CARGO_BIN_EXE_mxdoctor"));
    command.args(["check", "testing.borooka.ee", "--config", &stack.config(view)]);
    command
}

fn outcomes(report: &Value) -> Outcomes {
    let checks = report["checks"].as_array().map_or(&[][..], Vec::as_slice);
    checks.iter().map(|check| (key(check), string(&check["outcome"]))).collect()
}

/// As the report's own lists of checks have it: `id[instance]@vantage`.
fn key(check: &Value) -> String {
    let instance = check["instance"].as_str().map_or(String::new(), |name| format!("[{name}]"));
    let vantage = match check["vantage"].as_str() {
        Some("public") | None => String::new(),
        Some(vantage) => format!("@{vantage}"),
    };
    format!("{}{instance}{vantage}", string(&check["id"]))
}

/// Id of a check without its instance and vantage.
fn name(key: &str) -> &str {
    key.split(['[', '@']).next().unwrap_or(key)
}

/// One line for each check with such an outcome.
fn listing(report: &Value, outcomes: &[&str]) -> String {
    let checks = report["checks"].as_array().map_or(&[][..], Vec::as_slice);
    let such = |check: &&Value| outcomes.iter().any(|outcome| check["outcome"] == *outcome);
    let line = |check: &Value| {
        let summary = string(&check["summary"]);
        format!("  {} {}: {summary}\n", string(&check["outcome"]), key(check))
    };
    checks.iter().filter(such).map(line).collect()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().map(string).collect()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(message().into()) }
}
