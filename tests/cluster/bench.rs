//! The cluster of these tests, and mxdoctor as it runs there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use mxdoctor_fixtures::cluster::Cluster;
use serde_json::Value;

/// What a test is.
pub(super) type Test = fn(&Bench) -> Result<(), Failed>;

/// The workspace.
pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The checks that ask nobody but the API server.
const ASKS_THE_API_SERVER: &[&str] = &["kubernetes.*", "database.backup", "jitsi.versions"];

/// The cluster, as soon as a test has asked for it.
#[derive(Default)]
pub(super) struct Bench {
    stack: OnceLock<Result<Stack, String>>,
}

/// A cluster with the reference stack, healthy, and mxdoctor's account in it.
pub(super) struct Stack {
    pub(super) cluster: Cluster,
    /// A kubeconfig with a token of mxdoctor's own account.
    pub(super) kubeconfig: PathBuf,
    /// A stack.toml that is the shipped one, but for where its state is.
    pub(super) config: PathBuf,
    /// When all of it was there.
    since: Instant,
}

/// A little more than what the checks call young.
const OLD_ENOUGH: Duration = Duration::from_secs(62);

impl Bench {
    pub(super) fn stack(&self) -> Result<&Stack, Failed> {
        let stack = self.stack.get_or_init(|| Stack::up().map_err(|error| error.to_string()));
        stack.as_ref().map_err(|error| Failed::from(error.as_str()))
    }

    /// The same as soon as its objects are so old that they are judged: what is younger than a
    /// minute may be on its way, and the API server alone says how old an object is.
    pub(super) fn aged(&self) -> Result<&Stack, Failed> {
        let stack = self.stack()?;
        let left = OLD_ENOUGH.saturating_sub(stack.since.elapsed());
        if !left.is_zero() {
            std::thread::sleep(left);
            // Leases are renewed all the time.
            stack.cluster.settle()?;
        }
        Ok(stack)
    }
}

impl Stack {
    fn up() -> std::io::Result<Self> {
        let cluster = Cluster::start()?;
        let overlay = Path::new(ROOT).join("deploy/overlays/reference");
        cluster.apply(&overlay)?;
        cluster.settle()?;
        let since = Instant::now();
        let token = cluster.token("app-matrix", "mxdoctor")?;
        let kubeconfig = cluster.kubeconfig_of(&token)?;
        let folder = kubeconfig.parent().unwrap_or(Path::new("/"));
        let config = folder.join("stack.toml");
        let shipped = std::fs::read_to_string(overlay.join("stack.toml"))?;
        let state = format!("{}/state", folder.display());
        std::fs::write(&config, shipped.replace("/reports/state", &state))?;
        Ok(Self { cluster, kubeconfig, config, since })
    }

    /// `mxdoctor check` as the CronJob runs it, with what it has to say about the cluster alone.
    pub(super) fn check(&self) -> Command {
        self.check_as(&self.kubeconfig)
    }

    /// The same as somebody else.
    pub(super) fn check_as(&self, kubeconfig: &Path) -> Command {
        let mut command = command(&self.config, kubeconfig);
        command.args(["--vantage", "cluster"]);
        for pattern in ASKS_THE_API_SERVER {
            command.args(["--only", pattern]);
        }
        command
    }

    /// `mxdoctor check` with mxdoctor's own account and another stack.toml.
    pub(super) fn command(&self, config: &Path) -> Command {
        command(config, &self.kubeconfig)
    }

    /// The report of such a run.
    pub(super) fn report(&self) -> Result<Report, Failed> {
        Report::of(&mut self.check())
    }
}

fn command(config: &Path, kubeconfig: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxdoctor"));
    command.arg("check").arg("--config").arg(config);
    command.arg("--kubeconfig").arg(kubeconfig).args(["--kube-namespace", "app-matrix"]);
    command
}

/// What a run said, as JSON, and with which exit code it ended.
pub(super) struct Report {
    pub(super) code: Option<i32>,
    pub(super) json: Value,
}

impl Report {
    pub(super) fn of(command: &mut Command) -> Result<Self, Failed> {
        let output = command.args(["--report", "json"]).output()?;
        let json = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("no JSON report: {error}\n{}", text(&output)))?;
        Ok(Self { code: output.status.code(), json })
    }

    pub(super) fn checks(&self) -> &[Value] {
        self.json["checks"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(super) fn causes(&self) -> &[Value] {
        self.json["root_causes"].as_array().map_or(&[], Vec::as_slice)
    }

    /// One line for each entry with such an outcome.
    pub(super) fn listing(&self, outcomes: &[&str]) -> String {
        let such = |entry: &&Value| outcomes.iter().any(|outcome| entry["outcome"] == *outcome);
        let line = |entry: &Value| {
            let (outcome, cause) = (string(&entry["outcome"]), string(&entry["cause"]));
            format!("  {outcome} {} {cause}: {}\n", key(entry), string(&entry["summary"]))
        };
        self.checks().iter().filter(such).map(line).collect()
    }

    /// Everything that is not well, with the causes.
    pub(super) fn bad(&self) -> String {
        let causes: Vec<String> = self.causes().iter().map(|one| string(&one["cause"])).collect();
        format!(
            "exit code {:?}, causes {causes:?}\n{}",
            self.code,
            self.listing(&["fail", "error", "warn"])
        )
    }
}

/// As the report's own lists of checks have it: `id[instance]@vantage`.
pub(super) fn key(entry: &Value) -> String {
    let instance = entry["instance"].as_str().map_or(String::new(), |name| format!("[{name}]"));
    let vantage = match entry["vantage"].as_str() {
        Some("public") | None => String::new(),
        Some(vantage) => format!("@{vantage}"),
    };
    format!("{}{instance}{vantage}", string(&entry["id"]))
}

/// Id of a check without its instance and vantage.
pub(super) fn name(key: &str) -> &str {
    key.split(['[', '@']).next().unwrap_or(key)
}

pub(super) fn strings(value: &Value) -> Vec<String> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().map(string).collect()
}

pub(super) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

pub(super) fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(message().into()) }
}
