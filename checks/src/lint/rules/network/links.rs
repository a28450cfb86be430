//! Variables that Kubernetes adds for Services.

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// For each Service that is there when a pod starts, the pod gets `NAME_PORT=tcp://…`. Some
    /// images read a variable of that name: `JVB_PORT`, `ELEMENT_WEB_PORT`, `XMPP_PORT`. The first
    /// deployment works, since the pod starts before the Service is there; the next restart
    /// breaks it.
    ///
    /// Source: Kubernetes, "Discovering services", environment variables.
    COLLISION = "NET-15" Error: "no Service's name makes a variable that an image reads"
    breaks "after the next restart the program takes tcp://… for its port and does not start"
    remedy "set enableServiceLinks: false in the pod template"
    cause "service-link-variable"
    check "kubernetes.jvb_network"
    look collision
}

/// Images, the variable that they read, and the Service that makes it.
const READERS: &[(&str, &str, &str)] = &[
    ("jitsi/jvb", "JVB_PORT", "jvb"),
    ("element-web", "ELEMENT_WEB_PORT", "element-web"),
    ("jitsi/jvb", "XMPP_PORT", "xmpp"),
    ("jitsi/jicofo", "XMPP_PORT", "xmpp"),
    ("jitsi/prosody", "XMPP_PORT", "xmpp"),
];

fn collision(stack: &Stack<'_>, found: &mut Found) {
    for (image, variable, name) in READERS {
        for (workload, container) in stack.running(&[image]) {
            let links = workload.pod.bool("enableServiceLinks").unwrap_or(true);
            let Some(service) = stack.inventory.beside(workload.object, "Service", name) else {
                continue;
            };
            let given = container.env_value(stack, &workload, variable).is_some();
            // Earlier images of Element read no variable.
            let version = container.image().and_then(|image| image.version());
            let reads = *image != "element-web" || version.is_none_or(|it| it >= vec![1, 11, 90]);
            let open = container.env_is_open(stack, &workload) || container.has_script();
            if links && !given && reads && !open {
                let message = format!("Service {name} sets {variable}=tcp://… in this pod");
                let node = container.node.get("name").unwrap_or(container.node);
                found.at(workload.object, node, message).also_place(service.place(), "the Service");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    #[test]
    fn a_service_named_as_a_variable_is_found() {
        let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: jvb}\nspec: {}\n";
        let bad = jitsi("jvb", "TZ: UTC", "hostNetwork: true") + service;
        let message = &found("NET-15", &bad)[0];
        assert!(message.ends_with("Service jvb sets JVB_PORT=tcp://… in this pod"), "{message}");
        let off = jitsi("jvb", "TZ: UTC", "enableServiceLinks: false") + service;
        assert_eq!(found("NET-15", &off), [""; 0]);
        let given = jitsi("jvb", "JVB_PORT: '10000'", "hostNetwork: true") + service;
        assert_eq!(found("NET-15", &given), [""; 0]);
        assert_eq!(found("NET-15", &jitsi("jvb", "TZ: UTC", "hostNetwork: true")), [""; 0]);
    }

    #[test]
    fn an_image_that_reads_no_variable_is_left_alone() {
        let service =
            "---\napiVersion: v1\nkind: Service\nmetadata: {name: element-web}\nspec: {}\n";
        let text = crate::lint::testing::element("{}") + service;
        assert_eq!(found("NET-15", &text).len(), 1);
        assert_eq!(found("NET-15", &text.replace("v1.12.10", "v1.11.60")), [""; 0]);
    }
}
