//! `mxdoctor list`.

use clap::ValueEnum;
use mxdoctor_checks::REGISTRY;
use mxdoctor_checks::lint::{Rule, rules};
use mxdoctor_fixtures::demo;
use mxdoctor_model::{ExitCode, Vantage};
use serde_json::{Value, json};

use super::print;

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    /// Every check with its vantages.
    Checks,
    /// Every root cause.
    Causes,
    /// Every rule over manifests.
    Rules,
    /// Every way in which the embedded stack can be broken.
    Faults,
    /// The permissions that the checks of a cluster ask for, as manifests.
    Rbac,
}

/// Namespaces of operators in the reference deployment.
const OPERATORS: [&str; 5] =
    ["cert-manager", "cnpg-system", "traefik", "flux-system", "cloudflare-operator-system"];

/// Prints the list.
pub(super) fn run(what: What, json: bool) -> ExitCode {
    let rows = match what {
        What::Rbac => {
            let operators = OPERATORS.map(str::to_owned);
            return print::text(&mxdoctor_probes::kube::yaml("app-matrix", &operators));
        }
        What::Checks => checks(),
        What::Causes => causes(),
        What::Rules => rules(),
        What::Faults => faults(),
    };
    if json { print::json(&rows.into()) } else { print::text(&table(&rows)) }
}

fn checks() -> Vec<Value> {
    let row = |check: &&mxdoctor_checks::Check| {
        let vantages: Vec<&str> = check.vantages.iter().map(|vantage| vantage.as_str()).collect();
        json!({
            "id": check.id, "title": check.title, "vantages": vantages,
            "causes": check.causes, "timeout_ms": check.timeout.as_millis() as u64,
        })
    };
    REGISTRY.iter().map(row).collect()
}

fn causes() -> Vec<Value> {
    mxdoctor_checks::causes()
        .map(|cause| json!({ "id": cause.id, "title": cause.title, "remedy": cause.remedy }))
        .collect()
}

fn rules() -> Vec<Value> {
    let row = |rule: &'static Rule| {
        json!({
            "id": rule.id, "title": rule.title, "severity": rule.severity.as_str(),
            "cause": rule.cause, "remedy": rule.remedy,
        })
    };
    rules::all().map(row).collect()
}

fn faults() -> Vec<Value> {
    demo::FAULTS
        .iter()
        .map(|fault| {
            json!({
                "id": fault.id, "title": fault.what, "check": fault.check, "cause": fault.cause,
            })
        })
        .collect()
}

/// Id, vantages where there are any, title.
fn table(rows: &[Value]) -> String {
    let id = |row: &Value| row["id"].as_str().unwrap_or_default().to_owned();
    let width = rows.iter().map(|row| id(row).len()).max().unwrap_or(0);
    let line = |row: &Value| {
        let vantages = row["vantages"].as_array().map_or(String::new(), |given| {
            let has = |vantage: Vantage| given.iter().any(|v| v == vantage.as_str());
            let letter = |(vantage, letter)| if has(vantage) { letter } else { '·' };
            let all = [(Vantage::Public, 'P'), (Vantage::Internal, 'I'), (Vantage::Cluster, 'C')];
            format!("{}  ", all.into_iter().map(letter).collect::<String>())
        });
        let title = row["title"].as_str().unwrap_or_default();
        format!("{:width$}  {vantages}{title}\n", id(row))
    };
    rows.iter().map(line).collect()
}
