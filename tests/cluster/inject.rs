//! Breaks the cluster as a table says, and heals it.

use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Failed;
use mxdoctor_fixtures::cluster::{Api, Cluster};
use serde_json::Value;

use super::bench::{ensure, string};
use super::faults::Step;

/// What makes an object go at once, with all that belongs to it.
const AT_ONCE: &str = "?gracePeriodSeconds=0&propagationPolicy=Background";

/// A cluster that is broken. It is healed by [`Broken::heal`], on every way.
pub(super) struct Broken<'a> {
    cluster: &'a Cluster,
    undo: Vec<Undo>,
}

enum Undo {
    /// The object as it was, to be put to the path.
    Put(String, Value),
    /// The object as it was, to be made in the collection.
    Post(String, Value),
    Delete(String),
}

impl<'a> Broken<'a> {
    pub(super) fn by(cluster: &'a Cluster, steps: &[Step]) -> Result<Self, Failed> {
        let mut broken = Self { cluster, undo: Vec::new() };
        for step in steps {
            if let Err(error) = broken.step(step) {
                broken.heal()?;
                return Err(error);
            }
        }
        Ok(broken)
    }

    fn step(&mut self, step: &Step) -> Result<(), Failed> {
        let api = self.cluster.api();
        match step {
            Step::Change(path, change) => {
                let path = found(api, path)?;
                let before = api.get(path.trim_end_matches("/status"))?;
                self.undo.push(Undo::Put(path.clone(), before));
                let change = dated(change);
                if change.starts_with('[') {
                    send(api, "PATCH", &path, "application/json-patch+json", &change)?;
                } else {
                    send(api, "PATCH", &path, "application/merge-patch+json", &change)?;
                }
            }
            Step::Remove(path) => {
                let path = found(api, path)?;
                let before = api.get(&path)?;
                let (collection, _) = path.rsplit_once('/').ok_or("a path has a slash")?;
                self.undo.push(Undo::Post(collection.to_owned(), before));
                api.delete(&format!("{path}{AT_ONCE}"))?;
            }
            Step::Make(collection, object, status) => {
                let collection = found(api, collection)?;
                let made = send(api, "POST", &collection, "application/json", &dated(object))?;
                let path = format!("{collection}/{}", string(&made["metadata"]["name"]));
                self.undo.push(Undo::Delete(path.clone()));
                if !status.is_empty() {
                    let (path, kind) = (format!("{path}/status"), "application/merge-patch+json");
                    send(api, "PATCH", &path, kind, &dated(status))?;
                }
            }
            Step::Services => self.cluster.settle_services()?,
            Step::Controllers => self.cluster.settle()?,
        }
        Ok(())
    }

    /// Brings everything back to what it was.
    pub(super) fn heal(mut self) -> Result<(), Failed> {
        let api = self.cluster.api();
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Put(path, mut before) => {
                    let now = api.ask("GET", path.trim_end_matches("/status"), None)?;
                    // A pod that a rollout has replaced is not there any more.
                    if now.status != 404 {
                        let version = now.json()["metadata"]["resourceVersion"].take();
                        before["metadata"]["resourceVersion"] = version;
                        send(api, "PUT", &path, "application/json", &before.to_string())?;
                    }
                }
                Undo::Post(collection, mut before) => {
                    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
                        before["metadata"][field] = Value::Null;
                    }
                    let body = before.to_string();
                    let answer = api.ask("POST", &collection, Some(("application/json", &body)))?;
                    ensure([201, 409].contains(&answer.status), || answer.body.clone())?;
                }
                Undo::Delete(path) => {
                    // A claim is held until a controller finds that no pod uses it.
                    let free = r#"{"metadata": {"finalizers": null}}"#;
                    send(api, "PATCH", &path, "application/merge-patch+json", free)?;
                    api.delete(&format!("{path}{AT_ONCE}"))?;
                }
            }
        }
        Ok(self.cluster.settle()?)
    }
}

fn send(api: &Api, method: &str, path: &str, kind: &str, body: &str) -> Result<Value, Failed> {
    let answer = api.ask(method, path, Some((kind, body)))?;
    let taken = (200..300).contains(&answer.status);
    ensure(taken, || format!("{method} {path}: {} {}\n{body}", answer.status, answer.body))?;
    Ok(answer.json())
}

/// The whole path, with the name that a controller has made up.
fn found(api: &Api, path: &str) -> Result<String, Failed> {
    let whole = if path.starts_with('/') {
        path.to_owned()
    } else {
        let mut parts = path.splitn(4, '/');
        let mut next = || parts.next().unwrap_or_default();
        let first = next();
        match first {
            "v1" => {
                let rest = &path["v1/".len()..];
                format!("/api/v1/namespaces/app-matrix/{rest}")
            }
            group => {
                let version = next();
                let rest = &path[group.len() + version.len() + 2..];
                format!("/apis/{group}/{version}/namespaces/app-matrix/{rest}")
            }
        }
    };
    let Some((before, after)) = whole.split_once('*') else { return Ok(whole) };
    let (collection, start) = before.rsplit_once('/').ok_or("a path has a slash")?;
    let (end, status) = after.split_once('/').unwrap_or((after, ""));
    let all = api.list(collection)?;
    let names = all.iter().map(|object| string(&object["metadata"]["name"]));
    let name = names.into_iter().find(|name| name.starts_with(start) && name.ends_with(end));
    let name = name.ok_or_else(|| format!("nothing is called {start}*{end} in {collection}"))?;
    let status = if status.is_empty() { String::new() } else { format!("/{status}") };
    Ok(format!("{collection}/{name}{status}"))
}

/// The text with times in the place of `ago:600`; with `ago:600.0` to the microsecond.
fn dated(text: &str) -> String {
    let mut parts = text.split("\"ago:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (age, rest) = part.split_once('"').expect("an age ends with its text");
        let seconds = age.trim_end_matches(".0").parse().expect("an age is a number");
        let time = Timestamp::now() - SignedDuration::from_secs(seconds);
        let form =
            if age.ends_with(".0") { "%Y-%m-%dT%H:%M:%S%.6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
        out.push_str(&format!("\"{}\"{rest}", time.strftime(form)));
    }
    out
}
