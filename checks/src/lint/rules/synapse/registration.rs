//! Who may register.

use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Open registration without any verification fills a server with spam within days.
    ///
    /// Source: Synapse, `enable_registration_without_verification`.
    OPEN = "SYN-18" Critical: "registration is closed, or verified"
    breaks "anybody registers any number of accounts; other servers then block this one"
    remedy "set enable_registration: false, or registration_requires_token: true"
    cause "registration-open"
    check "kubernetes.configmaps"
    look open
}

rule! {
    /// A secret is given as a value or as a file, not both.
    ///
    /// Source: Synapse, `synapse/config/registration.py`, `key.py`.
    TWICE = "SYN-37" Error: "no secret is given twice"
    breaks "Synapse does not start: conflicting options"
    remedy "keep the option that ends in _path"
    cause "configuration-contradicts-itself"
    check "kubernetes.configmaps"
    look twice
}

fn open(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let on = |path| synapse.option(path).and_then(|(_, node)| node.as_bool()) == Some(true);
        let Some((file, node)) = synapse.option("enable_registration") else { continue };
        if node.as_bool() == Some(true)
            && on("enable_registration_without_verification")
            && !on("registration_requires_token")
            && !on("enable_registration_captcha")
        {
            found.at(file.object, node, "anybody can register, without any verification");
        }
    }
}

fn twice(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        for name in ["registration_shared_secret", "macaroon_secret_key", "form_secret"] {
            let path = format!("{name}_path");
            let (Some((file, value)), Some((_, other))) =
                (synapse.option(name), synapse.option(&path))
            else {
                continue;
            };
            let message = format!("{name} and {path} are both given");
            found.at(file.object, value, message).also_place(&other.place, "the file");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn open_registration_is_found() {
        let open = "enable_registration: true\nenable_registration_without_verification: true";
        let expected = "7:26 anybody can register, without any verification";
        assert_eq!(found("SYN-18", &synapse(open)), [expected]);
        let token = format!("{open}\nregistration_requires_token: true");
        assert_eq!(found("SYN-18", &synapse(&token)), [""; 0]);
        assert_eq!(found("SYN-18", &synapse("enable_registration: false")), [""; 0]);
    }

    #[test]
    fn a_secret_is_given_once() {
        let both = "form_secret: a\nform_secret_path: /secrets/form";
        let expected = "7:18 form_secret and form_secret_path are both given";
        assert_eq!(found("SYN-37", &synapse(both)), [expected]);
        assert_eq!(found("SYN-37", &synapse("form_secret_path: /secrets/form")), [""; 0]);
    }
}
