//! The tool's own identity among homeservers, and what it remembers of theirs.

use std::path::Path;

use mxdoctor_checks::state::State;
use mxdoctor_checks::{ExpectedKey, FederationProbe, Target};
use mxdoctor_probes::matrix::Certificate;

use super::error::ConfigError;
use super::file::File;
use super::options::Options;

/// Lays what the file and the flags say of federation and of the state over the target.
///
/// # Errors
/// [`ConfigError`] for an address or a name that is none, a certificate without its key, files that
/// cannot be read.
pub(super) fn apply(
    target: &mut Target,
    file: &File,
    options: &Options,
    folder: &Path,
) -> Result<(), ConfigError> {
    let keys = &file.federation;
    let listen = options.federation_listen.as_deref().or(keys.listen.as_deref());
    let listen = listen.map(|text| {
        text.parse().map_err(|_| {
            let message = format!("`{text}` is not an address with a port: expected ADDR:PORT");
            ConfigError::value("federation.listen", message)
        })
    });
    let name = keys.name.as_deref().map(|text| {
        text.parse().map_err(|error| {
            let message = format!("`{text}` is not a server name: {error}");
            ConfigError::value("federation.name", message)
        })
    });
    target.federation = FederationProbe {
        listen: listen.transpose()?,
        name: name.transpose()?,
        certificate: certificate(file, folder)?,
    };
    target.state = match (&options.state, &file.state) {
        (Some(chosen), _) => Some(State::chosen(chosen)),
        (None, Some(chosen)) => Some(State::chosen(folder.join(chosen))),
        (None, None) => {
            let [xdg, home] = ["XDG_STATE_HOME", "HOME"].map(std::env::var_os);
            State::usual(xdg.as_deref().map(Path::new), home.as_deref().map(Path::new))
        }
    };
    Ok(())
}

/// The signing keys that the operator wrote down.
///
/// # Errors
/// One that is none.
pub(super) fn signing_keys(file: &File) -> Result<Vec<ExpectedKey>, ConfigError> {
    let keys = file.expect.signing_key.as_slice().iter();
    keys.map(|text| text.parse().map_err(|e: String| ConfigError::value("expect.signing_key", e)))
        .collect()
}

fn certificate(file: &File, folder: &Path) -> Result<Option<Certificate>, ConfigError> {
    let keys = &file.federation;
    let (certificate, key) = match (&keys.certificate, &keys.key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (folder.join(certificate), folder.join(key)),
        _ => {
            let message = "one of `certificate` and `key` is missing: expected both or none";
            return Err(ConfigError::value("federation.certificate", message));
        }
    };
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|source| ConfigError::Unreadable { path: path.display().to_string(), source })
    };
    Certificate::from_pem(&read(&certificate)?, &read(&key)?)
        .map(Some)
        .map_err(|message| ConfigError::value("federation.certificate", message))
}
