//! The last lines of a container, without what looks like a secret.

use super::{Api, ApiError};

/// Lines that are read.
const LINES: usize = 80;
/// Bytes that are read.
const BYTES: usize = 64 * 1024;

/// Why there are no lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogError {
    /// We may not.
    Forbidden,
    /// There are none, such as those of a container that never ran.
    None,
    /// Something else came between.
    Failed(ApiError),
}

impl Api {
    /// The last lines of a container, of the one before it where `previous`.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn log(
        &self,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Result<Vec<String>, LogError> {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{pod}/log?container={container}&tailLines={LINES}\
             &limitBytes={BYTES}&previous={previous}",
            self.namespace
        );
        let answer = self.get(&path, "*/*", BYTES * 2).await.map_err(LogError::Failed)?;
        match answer.0.as_u16() {
            200 => {
                let text = String::from_utf8_lossy(&answer.1).into_owned();
                Ok(text.lines().map(redact).collect())
            }
            403 => Err(LogError::Forbidden),
            400 | 404 => Err(LogError::None),
            _ => Err(LogError::Failed(super::api::refusal(answer.0, &answer.1))),
        }
    }
}

/// Names after which a value is a secret.
const NAMES: &[&str] =
    &["password", "passwd", "secret", "token", "authorization", "bearer", "passphrase", "pwd"];
/// Matrix access tokens by their beginnings.
const TOKENS: &[&str] = &["syt_", "syl_", "syr_", "mct_", "mat_"];

/// A line without values that follow the name of a secret, without access tokens, and without
/// passwords in addresses.
pub fn redact(line: &str) -> String {
    let mut words = Vec::new();
    let mut hide = false;
    for word in line.split(' ').take(200) {
        let lower = word.to_ascii_lowercase();
        let bare = lower.trim_matches(|c: char| !c.is_alphanumeric() && c != '=' && c != ':');
        if hide && !bare.is_empty() && !NAMES.contains(&bare) {
            hide = false;
            words.push("***".to_owned());
            continue;
        }
        let named = NAMES.iter().find_map(|name| {
            let rest = &lower[lower.find(name)? + name.len()..];
            let at = lower.len() - rest.len();
            // `password=x`, `"password": "x"`, `access_token=x&…`
            let mark = rest.find(['=', ':'])?;
            rest[..mark].chars().all(|c| !c.is_whitespace()).then_some(at + mark + 1)
        });
        match named {
            Some(at) if at < word.len() => words.push(format!("{}***", &word[..at])),
            Some(_) => {
                hide = true;
                words.push(word.to_owned());
            }
            None if TOKENS.iter().any(|token| lower.contains(token)) => words.push("***".into()),
            None if lower.contains("://") && lower.contains('@') => {
                words.push(without_user(word));
            }
            None => {
                hide = bare == "bearer" || bare == "basic";
                words.push(word.to_owned());
            }
        }
    }
    words.join(" ").chars().take(500).collect()
}

fn without_user(word: &str) -> String {
    match (word.find("://"), word.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => {
            format!("{}***{}", &word[..scheme + 3], &word[at..])
        }
        _ => word.to_owned(),
    }
}
