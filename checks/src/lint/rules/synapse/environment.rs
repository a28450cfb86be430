//! Variables that the image does not read.

use super::configuration::is_upstream;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// In `run` mode, which is the default, the image reads none of the variables that its
    /// `generate` and `migrate_config` modes know. `SYNAPSE_FORM_SECRET` is read nowhere.
    ///
    /// Source: Synapse, `docker/start.py`.
    IGNORED = "SYN-03" Warning: "no secret is handed to Synapse by a variable that it ignores"
    breaks "the value never arrives: Synapse runs without the secret that seems to be wired"
    remedy "mount the Secret as a file and use registration_shared_secret_path, \
            macaroon_secret_key_path or form_secret_path"
    cause "configuration-ignored"
    check "kubernetes.workloads"
    look ignored
}

const IGNORED_BY_RUN: &[&str] = &[
    "SYNAPSE_REGISTRATION_SHARED_SECRET",
    "SYNAPSE_MACAROON_SECRET_KEY",
    "SYNAPSE_FORM_SECRET",
    "SYNAPSE_SERVER_NAME",
    "SYNAPSE_REPORT_STATS",
    "SYNAPSE_ENABLE_REGISTRATION",
    "SYNAPSE_MAX_UPLOAD_SIZE",
    "SYNAPSE_TURN_URIS",
    "SYNAPSE_TURN_SECRET",
    "POSTGRES_HOST",
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
];

fn ignored(stack: &Stack<'_>, found: &mut Found) {
    for (workload, container) in stack.synapse.iter().filter_map(|synapse| synapse.workload) {
        // An image of one's own may render its configuration from them.
        if !is_upstream(&container) {
            continue;
        }
        let words = ["command", "args"].iter().flat_map(|part| container.node.list(part));
        let mut words = words.filter_map(|word| word.as_str());
        // Those modes read them, and a command of one's own may.
        if words.any(|word| word != "run" && !word.starts_with('-')) {
            continue;
        }
        for env in container.env(stack, &workload) {
            if IGNORED_BY_RUN.contains(&env.name.as_str()) {
                let message = format!("Synapse's image does not read {} when it runs", env.name);
                found.place(workload.object, env.place, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn a_variable_of_another_mode_is_found() {
        let text = synapse("server_name: a.example");
        assert_eq!(found("SYN-03", &text), [""; 0]);
        let more = "        - name: SYNAPSE_FORM_SECRET\n          value: x\n        volumeMounts:";
        let text = text.replace("        volumeMounts:", more);
        let expected = "Synapse's image does not read SYNAPSE_FORM_SECRET when it runs";
        assert!(found("SYN-03", &text)[0].ends_with(expected), "{:?}", found("SYN-03", &text));
    }

    #[test]
    fn an_image_of_ones_own_may_read_it() {
        let more = "        - name: SYNAPSE_FORM_SECRET\n          value: x\n        volumeMounts:";
        let text = synapse("server_name: a").replace("        volumeMounts:", more);
        assert_eq!(found("SYN-03", &text).len(), 1);
        let own = text.replace("matrixdotorg/synapse", "registry.a.example/synapse");
        assert_eq!(found("SYN-03", &own), [""; 0]);
    }
}
