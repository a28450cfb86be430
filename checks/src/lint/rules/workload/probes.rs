//! Probes, and when a pod is said to be ready.

use mxdoctor_probes::manifest::Node;

use super::own::{Program, name, own};
use crate::lint::view::{Container, Probe, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A container without a readiness probe is ready as soon as its process runs. Its Service
    /// sends requests there while Synapse still reads its tables or nginx its configuration, and in
    /// a rollout the old pod is ended for one that does not answer.
    ///
    /// Silent about containers that no Service leads to, and where a startup probe holds requests
    /// back.
    ///
    /// Source: Kubernetes, "Liveness, Readiness, and Startup Probes".
    NOT_ASKED = "WL-04" Warning: "what a Service leads to says when it is ready"
    breaks "after each start people get 502 until the program answers"
    remedy "add a readinessProbe"
    cause "readiness-not-asked"
    check "kubernetes.workloads"
    look not_asked
}

/// A probe of a container by its name.
pub(super) fn probe<'a>(container: &Container<'a>, name: &str) -> Option<Probe<'a>> {
    container.probes().find(|probe| probe.name == name)
}

/// Seconds after which a probe gives up, from the container's start.
pub(super) fn patience(probe: &Node) -> i64 {
    let number = |key: &str, default| probe.i64(key).unwrap_or(default);
    let tries = number("periodSeconds", 10).saturating_mul(number("failureThreshold", 3));
    number("initialDelaySeconds", 0).saturating_add(tries)
}

fn not_asked(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack).iter().filter(|workload| !workload.runs_once()) {
        for container in workload.main() {
            let asked = ["readinessProbe", "startupProbe"];
            if asked.iter().any(|name| probe(&container, name).is_some()) {
                continue;
            }
            let Some(service) = service(stack, workload, &container) else { continue };
            let message = format!("Service {service} sends requests here before anything answers");
            let problem = found.at(workload.object, name(&container), message);
            let ask = match Program::of(&container) {
                Program::Synapse => "httpGet of /health on port 8008",
                Program::Element => "httpGet of /config.json",
                // Its HTTP health answers loopback alone.
                Program::Jitsi("prosody") => "tcpSocket 5222",
                Program::Jitsi("jicofo") => {
                    "httpGet of /about/health on port 8888, with JICOFO_ENABLE_REST"
                }
                Program::Jitsi("jvb") => "httpGet of /about/health on port 8080",
                Program::Jitsi(_) => "httpGet of /config.js",
                _ => continue,
            };
            problem.remedy(format!("add a readinessProbe to {}: {ask}", container.name()));
        }
    }
}

/// The name of a Service that leads to a container.
fn service<'a>(
    stack: &Stack<'a>,
    workload: &Workload<'a>,
    container: &Container<'a>,
) -> Option<&'a str> {
    let alone = workload.main().count() == 1;
    let services = stack.services_of(workload).into_iter();
    let mut services =
        services.filter(|it| it.object.node.bool("spec.publishNotReadyAddresses") != Some(true));
    let serves = |number: i64| {
        container.ports().iter().any(|port| port.i64("containerPort") == Some(number))
    };
    services
        .find(|service| {
            let mut numbers = service.ports().filter_map(|port| port.target_number(workload));
            numbers.any(|number| alone || serves(number))
        })
        .map(|service| service.object.name())
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    const SERVICE: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  \
                           selector: {app: synapse}\n  ports: [{port: 8008}]\n";
    const STARTUP: &str =
        "startupProbe: {httpGet: {path: /health, port: 8008}, failureThreshold: 30}";

    fn with(probes: &[&str]) -> String {
        let image = "image: matrixdotorg/synapse:1.147.0\n";
        let lines: String = probes.iter().map(|probe| format!("        {probe}\n")).collect();
        synapse("server_name: a").replace(image, &format!("{image}{lines}")) + SERVICE
    }

    #[test]
    fn a_service_waits_for_its_pods() {
        let ready = "readinessProbe: {httpGet: {path: /health, port: 8008}}";
        assert_eq!(found("WL-04", &with(&[ready])), [""; 0]);
        assert_eq!(found("WL-04", &with(&[STARTUP])), [""; 0]);
        assert_eq!(found("WL-04", &with(&[]).replace(SERVICE, "")), [""; 0]);
        let expected = "19:15 Service synapse sends requests here before anything answers";
        assert_eq!(found("WL-04", &with(&[])), [expected]);
    }
}
