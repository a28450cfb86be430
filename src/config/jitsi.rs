//! What a call needs to be told: who logs in, and where the parts answer.

use std::path::Path;

use mxdoctor_checks::{JitsiLogin, Target};

use super::error::ConfigError;
use super::file::{File, VantageKeys};
use super::options::Options;
use super::{parse, secret};

/// Lays what the file and the flags say of Jitsi over the target.
///
/// # Errors
/// [`ConfigError`] for a password without a user, a name that is none.
pub(super) fn apply(
    target: &mut Target,
    file: &File,
    options: &Options,
    folder: &Path,
) -> Result<(), ConfigError> {
    let keys = &file.jitsi;
    target.jvb_rest = options.jvb_rest.clone().or_else(|| keys.jvb_rest.clone());
    target.jicofo_rest.clone_from(&keys.jicofo_rest);
    target.prosody_http.clone_from(&keys.prosody_http);
    target.jitsi_video = keys.video;
    let node = options.jitsi_node.as_deref().or(keys.node.as_deref());
    target.jitsi_node = node.map(|text| parse::host("jitsi.node", text)).transpose()?;
    let stun = options.stun_server.as_deref().or(file.network.stun_server.as_deref());
    target.stun_server = stun.map(parse::stun_server).transpose()?;
    target.jitsi_login = login(file, folder)?;
    Ok(())
}

/// The same parts as seen from another vantage: its own addresses first.
pub(super) fn apply_vantage(target: &mut Target, own: &VantageKeys) {
    for (key, own) in [
        (&mut target.jvb_rest, &own.jvb_rest),
        (&mut target.jicofo_rest, &own.jicofo_rest),
        (&mut target.prosody_http, &own.prosody_http),
    ] {
        if own.is_some() {
            key.clone_from(own);
        }
    }
}

fn login(file: &File, folder: &Path) -> Result<JitsiLogin, ConfigError> {
    let keys = &file.jitsi;
    let token = secret::read("jitsi.token", keys.token.as_deref(), None, "MXDOCTOR_JITSI_TOKEN")?;
    if token.as_ref().is_some_and(|token| token.matches('.').count() != 2) {
        let message = "it is not a JSON web token: expected three parts with a dot between them";
        return Err(ConfigError::value("jitsi.token", message));
    }
    let file = keys.password_file.as_ref().map(|path| folder.join(path));
    let given = keys.password.as_deref();
    let name = "jitsi.password";
    let password = secret::read(name, given, file.as_deref(), "MXDOCTOR_JITSI_PASSWORD")?;
    let account = match (&keys.user, password) {
        (Some(user), Some(password)) => Some((user.clone(), password)),
        (Some(_), None) => {
            let message = "there is a user and no password: expected `password`, `password_file` \
                           or MXDOCTOR_JITSI_PASSWORD";
            return Err(ConfigError::value("jitsi.user", message));
        }
        // The variable may be there for another configuration.
        (None, Some(_)) if given.is_some() || file.is_some() => {
            return Err(ConfigError::value(name, "there is a password and no user"));
        }
        (None, _) => None,
    };
    Ok(JitsiLogin { token, account, domain: keys.domain.clone() })
}
