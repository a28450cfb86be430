//! Secrets: written down, in a file of their own, or in the environment.

use std::path::Path;

use super::error::ConfigError;

/// The one that is given, of `given`, the file and the environment variable, in this order.
///
/// # Errors
/// Both `given` and a file, or a file that cannot be read.
pub(super) fn read(
    name: &str,
    given: Option<&str>,
    file: Option<&Path>,
    variable: &str,
) -> Result<Option<String>, ConfigError> {
    match (given, file) {
        (Some(given), None) => Ok(Some(given.to_owned())),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.display().to_string(),
                source,
            })?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        (None, None) => Ok(std::env::var(variable).ok().filter(|value| !value.is_empty())),
        (Some(_), Some(_)) => {
            let message = "both `password` and `password_file` are given: expected one of them";
            Err(ConfigError::value(name, message))
        }
    }
}
