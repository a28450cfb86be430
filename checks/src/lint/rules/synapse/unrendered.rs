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
    /// Silent about Synapse's own templates (`localpart_template: "{{ user.name }}"`).
    ///
    /// Source: the image's `start.py`, which in `run` mode reads `SYNAPSE_CONFIG_DIR`,
    /// `SYNAPSE_CONFIG_PATH` and `SYNAPSE_WORKER` and replaces no text.
    UNRENDERED = "SYN-01" Critical: "homeserver.yaml holds no unresolved ${…}"
    breaks "Synapse takes the text itself as the value: a secret that everybody knows"
    remedy "mount the Secret as a file and name it in the option that ends in _path"
    cause "configuration-not-rendered"
    check "kubernetes.configmaps"
    look unrendered
}

rule! {
    /// A placeholder as the database's password is sent to PostgreSQL as it is. Without
    /// `password`, libpq takes `PGPASSWORD` from the environment, which can come from the Secret
    /// that CloudNativePG makes.
    ///
    /// Source: libpq, "Environment Variables"; Synapse passes `database.args` to psycopg2.
    PASSWORD = "SYN-02" Error: "the database's password is no placeholder"
    breaks "Synapse does not start: password authentication failed for user synapse"
    remedy "leave `password` out, and set the variable PGPASSWORD from the database's Secret"
    cause "configuration-not-rendered"
    check "kubernetes.configmaps"
    look password
}

const PASSWORD_AT: &str = "database.args.password";

fn unrendered(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        for file in &synapse.configuration {
            let password = file.node.at(PASSWORD_AT).map(|node| &node.place);
            let mut look = |value: &Node| {
                let Some(name) = value.as_str().and_then(substitution) else { return };
                if password == Some(&value.place) {
                    return;
                }
                let message = format!("{name} stands in {} as it is written", file.key);
                found.at(file.object, value, message);
            };
            without_templates(&file.node, &mut look);
        }
    }
}

/// The texts of a configuration but for those that Synapse takes for templates of its own, as
/// `localpart_template` of single sign-on.
fn without_templates<'n>(node: &'n Node, look: &mut impl FnMut(&'n Node)) {
    if node.entries().is_empty() && node.items().is_empty() {
        node.scalars(look);
    }
    node.items().iter().for_each(|item| without_templates(item, look));
    let own = |key: &str| key.ends_with("_template") || key.ends_with("templates");
    for entry in node.entries().iter().filter(|entry| !own(&entry.key)) {
        without_templates(&entry.node, look);
    }
}

fn password(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, node)) = synapse.option(PASSWORD_AT) else { continue };
        if let Some(name) = node.as_str().and_then(substitution) {
            found.at(file.object, node, format!("{name} is sent to PostgreSQL as the password"));
        }
    }
}

/// The first `${NAME}`, `$(NAME)` or `{{ name }}` of a text.
fn substitution(text: &str) -> Option<&str> {
    [("${", "}"), ("$(", ")"), ("{{", "}}")].iter().find_map(|(open, close)| {
        let start = text.find(open)?;
        let inner = &text[start + open.len()..];
        let end = inner.find(close)?;
        let name = inner[..end].trim().trim_start_matches('.');
        let name = name.split(':').next()?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let whole = start + open.len() + end + close.len();
        (!name.is_empty() && name.chars().all(is_name)).then(|| &text[start..whole])
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn a_name_that_nobody_replaced_is_found_with_its_line() {
        let text = synapse("server_name: a.example\nform_secret: \"${FORM_SECRET}\"");
        let expected = "8:18 ${FORM_SECRET} stands in homeserver.yaml as it is written";
        assert_eq!(found("SYN-01", &text), [expected]);
    }

    #[test]
    fn a_dollar_alone_is_not() {
        let text = synapse("server_name: a.example\nform_secret: \"a$b{c}${d e}\"");
        assert_eq!(found("SYN-01", &text), [""; 0]);
    }

    #[test]
    fn the_database_s_password_is_a_rule_of_its_own() {
        let text = synapse("database:\n  args:\n    password: ${POSTGRES_PASSWORD}");
        let expected = "9:19 ${POSTGRES_PASSWORD} is sent to PostgreSQL as the password";
        assert_eq!(found("SYN-02", &text), [expected]);
        assert_eq!(found("SYN-01", &text), [""; 0]);
        let good = synapse("database:\n  args:\n    user: synapse");
        assert_eq!(found("SYN-02", &good), [""; 0]);
    }

    #[test]
    fn templates_of_single_sign_on_are_meant() {
        let text = synapse(
            "oidc_providers:\n- user_mapping_provider:\n    config:\n      localpart_template: \"{{ \
             user.preferred_username }}\"\n",
        );
        assert_eq!(found("SYN-01", &text), [""; 0]);
        assert_eq!(found("SYN-01", &text.replace("localpart_template", "secret")).len(), 1);
    }
}
