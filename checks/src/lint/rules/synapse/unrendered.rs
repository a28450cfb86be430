//! Text that was meant to be replaced before Synapse reads it.

use mxdoctor_probes::manifest::Node;

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Synapse substitutes nothing in its configuration: `${NAME}` that nobody replaced is the
    /// value. It starts happily, and with `registration_shared_secret: ${…}` whoever has read the
    /// file in a public repository can register an administrator by
    /// `/_synapse/admin/v1/register`.
    ///
    /// Source: the image's `start.py`, which in `run` mode reads `SYNAPSE_CONFIG_DIR`,
    /// `SYNAPSE_CONFIG_PATH` and `SYNAPSE_WORKER` and replaces no text.
    UNRENDERED = "SYN-08" Critical: "homeserver.yaml holds no unresolved ${…}"
    breaks "Synapse takes the text itself as the value: a secret that everybody knows"
    remedy "mount the Secret as a file and name it in the option that ends in _path"
    cause "configuration-not-rendered"
    check "kubernetes.configmaps"
    look unrendered
}

fn unrendered(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        for file in &synapse.configuration {
            let mut look = |value: &Node| {
                let Some(text) = value.as_str() else { return };
                if let Some(name) = substitution(text) {
                    let message = format!("${{{name}}} stands in homeserver.yaml as it is written");
                    found.at(file.object, value, message);
                }
            };
            file.node.scalars(&mut look);
        }
    }
}

/// The name in `${NAME}`.
fn substitution(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("${")?;
    let (name, _) = rest.split_once('}')?;
    let name = name.split(':').next()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn a_name_that_nobody_replaced_is_found_with_its_line() {
        let text = synapse("server_name: a.example\nform_secret: \"${FORM_SECRET}\"");
        let expected = "8:18 ${FORM_SECRET} stands in homeserver.yaml as it is written";
        assert_eq!(found("SYN-08", &text), [expected]);
    }

    #[test]
    fn a_dollar_alone_is_not() {
        let text = synapse("server_name: a.example\nform_secret: \"a$b{c}${d e}\"");
        assert_eq!(found("SYN-08", &text), [""; 0]);
    }
}
