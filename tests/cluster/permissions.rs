//! What mxdoctor's account may do, and what it may not.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::Failed;
use serde_json::{Value, json};

use super::bench::{Bench, ROOT, Report, Stack, ensure, string, strings, text};

/// What `mxdoctor list rbac` prints is what is shipped.
pub(super) fn printed_as_shipped(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    let folder = Path::new(ROOT).join("deploy/base/rbac");
    let mut shipped = BTreeMap::new();
    for file in
        ["service-account.yaml", "role.yaml", "cluster-role.yaml", "components/operators/role.yaml"]
    {
        shipped.extend(objects(stack, &std::fs::read_to_string(folder.join(file))?)?);
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mxdoctor"))
        .args(["list", "rbac"])
        .output()?;
    ensure(output.status.success(), || text(&output))?;
    let printed = objects(stack, std::str::from_utf8(&output.stdout)?)?;
    let names = |of: &BTreeMap<String, Value>| of.keys().cloned().collect::<Vec<_>>();
    ensure(names(&printed) == names(&shipped), || {
        format!("printed {:?}, shipped {:?}", names(&printed), names(&shipped))
    })?;
    for (name, object) in &printed {
        ensure(*object == shipped[name], || {
            format!("{name} printed: {object:#}\nshipped: {:#}", shipped[name])
        })?;
    }
    ensure(printed.len() >= 6, || format!("{:?}", names(&printed)))
}

/// The objects of a text, as kubectl reads it, by kind, namespace and name.
pub(super) fn objects(stack: &Stack, text: &str) -> Result<BTreeMap<String, Value>, Failed> {
    let file = stack.kubeconfig.with_file_name("objects.yaml");
    std::fs::write(&file, text)?;
    let mut command = stack.cluster.kubectl();
    command.args(["create", "--dry-run=client", "--validate=ignore", "-o", "json", "-f"]);
    let output = command.arg(&file).output()?;
    ensure(output.status.success(), || super::bench::text(&output))?;
    let all = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let mut found = BTreeMap::new();
    for one in all {
        let mut one = one?;
        let list = match one["items"].take() {
            Value::Array(items) => items,
            _ => vec![one],
        };
        for mut object in list {
            normalise(&mut object);
            let at = &object["metadata"];
            let (namespace, name) = (string(&at["namespace"]), string(&at["name"]));
            found.insert(format!("{} {namespace}/{name}", string(&object["kind"])), object);
        }
    }
    Ok(found)
}

/// Rules in the order of their groups, with their resources in order: it has no meaning.
fn normalise(object: &mut Value) {
    if let Some(rules) = object["rules"].as_array_mut() {
        for rule in rules.iter_mut() {
            for list in ["apiGroups", "resources", "verbs"] {
                if let Some(words) = rule[list].as_array_mut() {
                    words.sort_by_key(Value::to_string);
                }
            }
        }
        rules.sort_by_key(|rule| rule["apiGroups"].to_string());
    }
}

/// Namespaces in which nothing may be done, with those in which something may be looked at.
const NAMESPACES: &[&str] = &[
    "app-matrix",
    "cert-manager",
    "cnpg-system",
    "traefik",
    "flux-system",
    "cloudflare-operator-system",
    "kube-system",
    "default",
];

/// The API server's own list of what the account may do holds no verb but get and list, on no
/// Secret; and what is tried is refused.
pub(super) fn nothing_is_written(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    let api = stack.cluster.api().with_token(&stack.cluster.token("app-matrix", "mxdoctor")?);
    for namespace in NAMESPACES {
        let asked = json!({"apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}});
        let review = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let answer = api.create(review, &asked.to_string())?;
        let rules = answer["status"]["resourceRules"].as_array().ok_or("no rules")?;
        ensure(!rules.is_empty() && answer["status"]["incomplete"] == false, || {
            format!("{namespace}: {answer:#}")
        })?;
        for rule in rules {
            let (verbs, resources) = (strings(&rule["verbs"]), strings(&rule["resources"]));
            // Everybody may ask the API server who they are and what they may.
            let own = resources.iter().all(|it| it.starts_with("selfsubject"));
            let reads = verbs.iter().all(|verb| ["get", "list"].contains(&verb.as_str()));
            let open = ["secrets", "*"].iter().any(|it| resources.iter().any(|one| one == it));
            ensure(own || (reads && !open), || format!("{namespace}: {rule:#}"))?;
        }
    }
    let account = "system:serviceaccount:app-matrix:mxdoctor";
    for (method, path, body) in attempts(stack)? {
        let answer = api.ask(method, &path, Some(("application/json", &body)))?;
        ensure(answer.status == 403 && answer.body.contains(account), || {
            format!("{method} {path}: {} {}", answer.status, answer.body)
        })?;
    }
    Ok(())
}

/// Requests by which somebody with this token would do harm.
fn attempts(stack: &Stack) -> Result<Vec<(&'static str, String, String)>, Failed> {
    let own = "/api/v1/namespaces/app-matrix";
    let pods = stack.cluster.api().list(&format!("{own}/pods?limit=1"))?;
    let pod = string(&pods.first().ok_or("no pod")?["metadata"]["name"]);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tried"}});
    let deployment = "/apis/apps/v1/namespaces/app-matrix/deployments/synapse";
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/app-matrix/roles";
    let mut all = vec![
        ("POST", format!("{own}/configmaps"), map.to_string()),
        ("PUT", format!("{own}/configmaps/synapse-config"), map.to_string()),
        ("DELETE", format!("{own}/pods/{pod}"), String::new()),
        ("DELETE", format!("{own}/pods"), String::new()),
        ("POST", format!("{own}/pods/{pod}/exec?command=id"), String::new()),
        ("POST", format!("{own}/pods/{pod}/eviction"), "{}".to_owned()),
        ("POST", format!("{own}/services/http:synapse:8008/proxy/"), String::new()),
        ("POST", format!("{own}/serviceaccounts/mxdoctor/token"), "{}".to_owned()),
        ("PATCH", deployment.to_owned(), "{}".to_owned()),
        ("PATCH", format!("{deployment}/scale"), "{}".to_owned()),
        ("PATCH", format!("{roles}/mxdoctor"), "{}".to_owned()),
        ("DELETE", "/api/v1/nodes/node-1".to_owned(), String::new()),
        ("GET", "/api/v1/secrets".to_owned(), String::new()),
    ];
    for namespace in NAMESPACES {
        let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
        all.push(("GET", secrets.clone(), String::new()));
        all.push(("GET", format!("{secrets}?watch=1"), String::new()));
        all.push(("GET", format!("{secrets}/jitsi-secrets"), String::new()));
    }
    Ok(all)
}

/// Each resource that is taken out of the roles is missed by name: who needs it skips and says
/// the rule, and nothing is judged the worse for it.
pub(super) fn each_rule_is_missed(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.aged()?;
    let root = "/apis/rbac.authorization.k8s.io/v1";
    let roles = [
        (format!("{root}/namespaces/app-matrix/roles/mxdoctor"), "Role in namespace app-matrix"),
        (format!("{root}/clusterroles/mxdoctor"), "ClusterRole"),
        (
            format!("{root}/namespaces/cert-manager/roles/mxdoctor"),
            "Role in namespace cert-manager",
        ),
    ];
    let mut missed = 0;
    for (path, place) in roles {
        let whole = stack.cluster.api().get(&path)?["rules"].take();
        for (at, rule) in whole.as_array().into_iter().flatten().enumerate() {
            for resource in strings(&rule["resources"]) {
                let mut poorer = whole.clone();
                let left = poorer[at]["resources"].as_array_mut().ok_or("no resources")?;
                left.retain(|one| *one != resource.as_str());
                if left.is_empty() {
                    poorer.as_array_mut().ok_or("no rules")?.remove(at);
                }
                let group = string(&rule["apiGroups"][0]);
                grant(stack, &path, &poorer, (&group, &resource, place), false)?;
                let told = missing(stack, &group, &resource, place);
                grant(stack, &path, &whole, (&group, &resource, place), true)?;
                told?;
                missed += 1;
            }
        }
    }
    ensure(missed > 45, || format!("only {missed} rules"))
}

/// Gives a role these rules, and waits until the API server goes by them.
fn grant(
    stack: &Stack,
    path: &str,
    rules: &Value,
    (group, resource, place): (&str, &str, &str),
    allowed: bool,
) -> Result<(), Failed> {
    stack.cluster.api().patch(path, &json!({"rules": rules}))?;
    let namespace = place.strip_prefix("Role in namespace ").unwrap_or_default();
    let asked = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": "system:serviceaccount:app-matrix:mxdoctor", "resourceAttributes":
        {"namespace": namespace, "group": group, "resource": resource, "verb": "list"}}});
    let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    for _ in 0..500 {
        let answer = stack.cluster.api().create(reviews, &asked.to_string())?;
        if answer["status"]["allowed"].as_bool().unwrap_or(false) == allowed {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Err(format!("the API server does not take up {path}").into())
}

/// What a run says that may not list this.
fn missing(stack: &Stack, group: &str, resource: &str, place: &str) -> Result<(), Failed> {
    let report = stack.report()?;
    let group = if group.is_empty() { "\"\"" } else { group };
    let rule = format!(
        "missing rule: {place}: apiGroups: [{group}], resources: [{resource}], verbs: [get, list]"
    );
    let bad = || format!("{resource}: {}\n{}", report.bad(), report.listing(&["skip"]));
    ensure(report.code == Some(0), bad)?;
    ensure(report.listing(&["fail", "error"]).is_empty(), bad)?;
    for entry in report.checks() {
        let said = string(&entry["summary"]);
        match entry["outcome"].as_str() {
            Some("warn") => {
                let own = entry["id"] == "kubernetes.permissions" && said.contains(&rule);
                ensure(own, bad)?;
            }
            Some("skip") if entry["id"] != "kubernetes.secrets" => {
                ensure(said.contains(&rule), bad)?;
            }
            _ => {}
        }
    }
    ensure(report.listing(&["warn"]).lines().count() == 1, bad)
}

/// To read Secrets takes a right of its own. With it they are compared, and never shown.
pub(super) fn secrets_are_asked_for(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    let run = || Report::of(stack.check().arg("--read-secrets"));
    let of = |report: &Report| {
        let mut all = report.checks().iter();
        all.find(|entry| entry["id"] == "kubernetes.secrets").cloned().unwrap_or_default()
    };
    let without = run()?;
    let said = string(&of(&without)["summary"]);
    ensure(of(&without)["outcome"] == "skip" && without.code == Some(0), || without.bad())?;
    ensure(
        said.contains("missing rule: Role in namespace app-matrix") && said.contains("[secrets]"),
        || said.clone(),
    )?;
    stack.cluster.apply_text(READER)?;
    let with = run();
    let root = "/apis/rbac.authorization.k8s.io/v1/namespaces/app-matrix";
    stack.cluster.api().delete(&format!("{root}/rolebindings/mxdoctor-secrets"))?;
    stack.cluster.api().delete(&format!("{root}/roles/mxdoctor-secrets"))?;
    let with = with?;
    ensure(of(&with)["outcome"] == "pass" && with.code == Some(0), || {
        format!("{}\n{:#}", with.bad(), of(&with))
    })?;
    let text = with.json.to_string();
    let secrets = stack.cluster.api().list("/api/v1/namespaces/app-matrix/secrets")?;
    let mut values = 0;
    for value in secrets.iter().flat_map(|it| it["data"].as_object().into_iter().flatten()) {
        let coded = string(value.1);
        ensure(coded.len() < 16 || !text.contains(&coded), || format!("{} is shown", value.0))?;
        values += 1;
    }
    ensure(values > 8, || format!("only {values} values"))
}

const READER: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: mxdoctor-secrets, namespace: app-matrix}
rules:
  - {apiGroups: [''], resources: [secrets], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: mxdoctor-secrets, namespace: app-matrix}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: mxdoctor-secrets}
subjects:
  - {kind: ServiceAccount, name: mxdoctor, namespace: app-matrix}
";

/// Credentials that have ended are our own trouble, and nothing is said of the stack.
pub(super) fn nobody_is_let_in(bench: &Bench) -> Result<(), Failed> {
    let stack = bench.stack()?;
    let nobody = stack.cluster.kubeconfig_of("nobody")?;
    let report = Report::of(&mut stack.check_as(&nobody))?;
    let [cause] = report.causes() else { return Err(report.bad().into()) };
    ensure(cause["cause"] == "cluster-credentials-refused", || report.bad())?;
    ensure(report.code == Some(3), || report.bad())?;
    ensure(report.listing(&["fail", "warn", "pass"]).is_empty(), || report.bad())
}
