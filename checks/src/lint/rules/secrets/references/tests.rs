//! References to Secrets, right and wrong.

use crate::lint::testing::{found, jitsi, synapse};

const SEALED: &str = "---\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  \
                      name: jitsi-secrets\nspec:\n  encryptedData:\n    \
                      jvb-auth-password: AgB=\n";

fn with(reference: &str, sealed: &str) -> String {
    let env = format!(
        "        env:\n        - name: JVB_AUTH_PASSWORD\n          valueFrom:\n            \
         secretKeyRef: {{{reference}}}\n        envFrom:"
    );
    let text = jitsi("jvb", "TZ: UTC", "hostNetwork: false");
    text.replace("        envFrom:", &env) + sealed
}

#[test]
fn what_is_made_is_right() {
    let text = with("name: jitsi-secrets, key: jvb-auth-password", SEALED);
    for rule in ["SEC-02", "SEC-03", "SEC-04", "SEC-05"] {
        assert_eq!(found(rule, &text), [""; 0], "{rule}");
    }
}

#[test]
fn a_secret_that_nothing_makes_is_found_where_secrets_are_sealed() {
    let text = with("name: calls, key: jvb-auth-password", SEALED);
    assert_eq!(found("SEC-02", &text), ["25:34 Secret calls is made by nothing here"]);
    let near = with("name: jitsi-secret, key: jvb-auth-password", SEALED);
    let expected = "25:34 Secret jitsi-secret is made by nothing here; SealedSecret \
                    jitsi-secrets makes jitsi-secrets";
    assert_eq!(found("SEC-02", &near), [expected]);
    for silent in [
        with("name: calls, key: k", ""),
        with("name: calls, key: k, optional: true", SEALED),
        with("name: calls, key: k", SEALED)
            + "---\napiVersion: talos.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {name: calls}\n",
        with("name: calls, key: k", SEALED)
            .replace("metadata:\n  name: jitsi-jvb", "metadata:\n  labels: {helm.sh/chart: a}"),
    ] {
        assert_eq!(found("SEC-02", &silent), [""; 0], "{silent}");
    }
}

#[test]
fn a_key_is_spelt_as_it_is() {
    let text = with("name: jitsi-secrets, key: jvb_auth_password", SEALED);
    let expected = "25:54 Secret jitsi-secrets has no key jvb_auth_password; it has \
                    jvb-auth-password";
    assert_eq!(found("SEC-03", &text), [expected]);
    let problems = crate::lint::run(&crate::lint::testing::inventory(&text));
    let fix = problems.iter().find(|it| it.rule.id == "SEC-03").and_then(|it| it.fix.as_ref());
    assert_eq!(fix.map(|fix| fix.does.as_str()), Some("name the key jvb-auth-password"));
}

#[test]
fn files_are_keys() {
    let volume = "      - {name: s, secret: {secretName: jitsi-secrets, items: [{key: other, \
                  path: p}]}}\n";
    let pod = format!("volumes:\n{volume}      hostNetwork: false");
    let text = jitsi("jvb", "TZ: UTC", &pod) + SEALED;
    assert_eq!(found("SEC-04", &text).len(), 1);
    let good = text.replace("key: other", "key: jvb-auth-password");
    assert_eq!(found("SEC-04", &good), [""; 0]);
    let path = synapse("form_secret_path: /s/form")
        .replace("volumeMounts:\n", "volumeMounts:\n        - {name: s, mountPath: /s}\n")
        .replace(
            "volumes:\n",
            "volumes:\n      - {name: s, secret: {secretName: jitsi-secrets}}\n",
        );
    let expected = "7:23 form_secret_path is /s/form, and Secret jitsi-secrets has no key \
                    form; it has jvb-auth-password";
    assert_eq!(found("SEC-04", &(path.clone() + SEALED)), [expected]);
    assert_eq!(found("SEC-04", &path), [""; 0]);
}

#[test]
fn a_password_is_a_must() {
    let text = with("name: jitsi-secrets, key: jvb-auth-password, optional: true", SEALED);
    let expected = "25:83 JVB_AUTH_PASSWORD may be missing with Secret jitsi-secrets";
    assert_eq!(found("SEC-05", &text), [expected]);
}

#[test]
fn what_others_make_is_left_to_them() {
    let text = with("name: calls, key: k", SEALED);
    assert_eq!(found("SEC-02", &text).len(), 1);
    // Secrets from a store come from several places.
    let external = SEALED
        .replace("bitnami.com/v1alpha1", "external-secrets.io/v1")
        .replace("SealedSecret", "ExternalSecret");
    assert_eq!(found("SEC-02", &with("name: calls, key: k", &external)), [""; 0]);
    let vault = "---\napiVersion: secrets.hashicorp.com/v1beta1\nkind: VaultStaticSecret\n\
                 metadata: {name: v}\nspec: {destination: {name: calls}}\n";
    assert_eq!(found("SEC-02", &(text + vault)), [""; 0]);
    // A second one adds keys to it.
    let key = with("name: jitsi-secrets, key: other", SEALED);
    assert_eq!(found("SEC-03", &key).len(), 1);
    let more = "---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: \
                e}\nspec: {target: {name: jitsi-secrets, creationPolicy: Merge}}\n";
    assert_eq!(found("SEC-03", &(key + more)), [""; 0]);
}
