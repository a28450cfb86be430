//! What can be told of a value without its key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mxdoctor_probes::manifest::Object;

/// The bytes of a text in base64 (RFC 4648, with padding); line ends count for nothing.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.replace(['\r', '\n'], "")).ok()
}

/// Whether a chart made this object: it never stood in a repository as it is.
pub(in crate::lint::rules) fn is_rendered(object: &Object) -> bool {
    let labels = object.labels();
    labels.iter().any(|label| {
        label.key == "helm.sh/chart"
            || (label.key == "app.kubernetes.io/managed-by" && label.node.scalar() == Some("Helm"))
    })
}

/// Whether a value is evidently still to be filled in, or is encrypted in place (SOPS), or only
/// says where it is: in Vault, 1Password and the like.
pub(super) fn is_no_value(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || text.contains("${")
        || text.contains("$(")
        || text.contains("{{")
        || text.contains("<path:")
        || ["ENC[", "ref+", "vault:", "op://"].iter().any(|start| text.starts_with(start))
        || (text.starts_with('<') && text.ends_with('>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_strictly() {
        assert_eq!(base64("AgA="), Some(vec![2, 0]));
        assert_eq!(base64("Zm9v\nYmFy"), Some(b"foobar".to_vec()));
        for wrong in ["AgA", "Ag A=", "A=gA", "====", "hunter2!"] {
            assert_eq!(base64(wrong), None, "{wrong}");
        }
    }
}
