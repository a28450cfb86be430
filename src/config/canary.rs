//! The synthetic user.

use std::path::{Path, PathBuf};

use mxdoctor_checks::{CanaryAccount, Target};

use super::error::ConfigError;
use super::file::{CanaryKeys, File};
use super::options::{Allow, Options};
use super::secret;

/// Lays what the file and the flags say of the synthetic user over the target.
///
/// # Errors
/// [`ConfigError`] for a secret that cannot be read or is given twice, and for keys that contradict
/// each other.
pub(super) fn apply(
    target: &mut Target,
    file: &File,
    options: &Options,
    folder: &Path,
) -> Result<(), ConfigError> {
    let keys = &file.canary;
    let read = |name: &str, given: &Option<String>, path: &Option<PathBuf>| {
        if given.is_some() && path.is_some() {
            let message = "both it and its file are given: expected one of them";
            return Err(ConfigError::value(format!("canary.{name}"), message));
        }
        let path = path.as_ref().map(|path| folder.join(path));
        let variable = format!("MXDOCTOR_CANARY_{}", name.to_ascii_uppercase());
        secret::read(name, given.as_deref(), path.as_deref(), &variable)
    };
    target.canary = CanaryAccount {
        allowed: options.allow.contains(&Allow::Canary),
        user: keys.user.clone(),
        password: read("password", &keys.password, &keys.password_file)?,
        token: read("token", &keys.token, &keys.token_file)?,
        room: keys.room.clone(),
        homeserver: keys.homeserver.clone(),
        shared_secret: read("shared_secret", &keys.shared_secret, &keys.shared_secret_file)?,
        admin_token: read("admin_token", &keys.admin_token, &keys.admin_token_file)?,
        throw_away: keys.throw_away,
    };
    sense(keys, &target.canary)
}

fn sense(keys: &CanaryKeys, canary: &CanaryAccount) -> Result<(), ConfigError> {
    let password = keys.password.is_some() || keys.password_file.is_some();
    let token = keys.token.is_some() || keys.token_file.is_some();
    if password && token {
        let message = "both a password and a token are given: expected one of them";
        return Err(ConfigError::value("canary", message));
    }
    if password && keys.user.is_none() {
        return Err(ConfigError::value("canary.password", "there is a password and no user"));
    }
    let name = canary.room.as_deref().filter(|room| !room.starts_with('!'));
    if let Some(room) = name {
        let message = format!("`{room}` is not a room id: expected `!…`, no alias");
        return Err(ConfigError::value("canary.room", message));
    }
    if keys.throw_away && canary.room.is_some() {
        let message = "a throw-away account has a room of its own: expected no `canary.room`";
        return Err(ConfigError::value("canary.room", message));
    }
    Ok(())
}
