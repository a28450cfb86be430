//! `mxdoctor init`.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use mxdoctor_checks::Target;
use mxdoctor_model::{ExitCode, Vantage};
use mxdoctor_probes::Net;
use mxdoctor_probes::matrix::client::{CallError, Client, new_password};

use super::check::with_runtime;
use super::{print, usage};
use crate::config::{ConfigError, Options, Settings, Setup};

/// What to make.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Make the account of the synthetic user, by `canary.shared_secret_file` or
    /// `canary.admin_token_file`; to be run where the homeserver's admin API is reached
    #[arg(long, required = true)]
    pub(super) canary: bool,
    /// Localpart of the account
    #[arg(long, value_name = "NAME", default_value = "mxdoctor-canary")]
    pub(super) user: String,
    /// Log in at once and keep the token in place of the password: for runs that are less than six
    /// minutes apart
    #[arg(long)]
    pub(super) token: bool,
    /// Where to write the secret; beside the stack.toml unless given
    #[arg(long, value_name = "FILE")]
    pub(super) secret_file: Option<PathBuf>,
    /// The Matrix server name
    #[arg(env = "MXDOCTOR_SERVER_NAME")]
    pub(super) server_name: Option<String>,
    /// A stack.toml with `[canary]`
    #[arg(short, long, value_name = "FILE", env = "MXDOCTOR_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

/// Makes the account and says what to write into stack.toml.
pub(super) fn run(init: &Init) -> ExitCode {
    let config = init.config.as_deref();
    let settings = match Settings::load(init.server_name.as_deref(), config, &Options::default()) {
        Ok(settings) => settings,
        Err(error) => return usage(error),
    };
    let (setup, client) = match place(&settings) {
        Ok(place) => place,
        Err(error) => return usage(error),
    };
    let path = secret_file(init);
    match make(init, &setup.target, &client, &path) {
        Ok(text) => print::text(&text),
        Err(message) => {
            print::complain(&client.scrub(&message));
            ExitCode::Unmeasured
        }
    }
}

/// The vantage from which the admin API is reached, the cluster's first.
fn place(settings: &Settings) -> Result<(&Setup, Client), ConfigError> {
    let base = |setup: &Setup| {
        let target = &setup.target;
        target.canary.homeserver.clone().or_else(|| target.homeserver.clone())
    };
    let inside = settings.setups.iter().find(|setup| setup.vantage == Vantage::Cluster);
    let all = inside.into_iter().chain(&settings.setups);
    let found = all.filter_map(|setup| Some((setup, base(setup)?))).next();
    let (setup, base) = found.ok_or_else(|| {
        let message = "no address of the homeserver: expected `canary.homeserver`, in the cluster \
                       \"http://synapse.app-matrix.svc:8008\"";
        ConfigError::value("canary.homeserver", message)
    })?;
    let canary = &setup.target.canary;
    if canary.shared_secret.is_none() && canary.admin_token.is_none() {
        let message = "nothing to make an account with: expected `canary.shared_secret_file` or \
                       `canary.admin_token_file`";
        return Err(ConfigError::value("canary", message));
    }
    Ok((setup, Client::new(Net::new(setup.net.clone()), base)))
}

fn secret_file(init: &Init) -> PathBuf {
    let folder = init.config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let kind = if init.token { "token" } else { "password" };
    init.secret_file.clone().unwrap_or_else(|| folder.join(format!("{}.{kind}", init.user)))
}

/// Makes the account. The secret is on disk before the account is there.
fn make(init: &Init, target: &Target, client: &Client, path: &Path) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._=/".contains(c);
    if init.user.is_empty() || init.user.len() > 64 || !init.user.chars().all(plain) {
        let message = "is not a localpart: expected lower-case letters, digits and -._=/";
        return Err(format!("`{}` {message}", init.user));
    }
    let password = new_password()?;
    write_new(path, &password)?;
    let made = with_runtime(register(init, target, client, &password));
    let secret = made.inspect_err(|_| {
        // Nobody has that password.
        let _ = std::fs::remove_file(path);
    })?;
    if let Some(token) = secret {
        std::fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
        write_new(path, &token)?;
    }
    Ok(lines(init, target, path))
}

/// Makes the account, and logs in where its token is wanted.
async fn register(
    init: &Init,
    target: &Target,
    client: &Client,
    password: &str,
) -> Result<Option<String>, String> {
    let canary = &target.canary;
    let said = |error: CallError| format!("the account was not made: {error}");
    match (&canary.shared_secret, &canary.admin_token) {
        (Some(secret), _) => {
            client.register_by_secret(secret, &init.user, password, false).await.map_err(said)?;
        }
        (None, Some(token)) => {
            let id = format!("@{}:{}", init.user, target.server_name);
            let admin = client.with_token(token);
            if admin.has_account(&id).await.map_err(said)? {
                return Err(format!("the account was not made: there is one of the name {id}"));
            }
            admin.register_as_admin(&id, password).await.map_err(said)?;
        }
        (None, None) => return Err("nothing to make an account with".into()),
    }
    if !init.token {
        return Ok(None);
    }
    let signed = client.login(&init.user, password, "MXDOCTOR_CANARY").await;
    let signed = signed.map_err(|error| format!("the account is there, and no token: {error}"))?;
    Ok(Some(signed.token))
}

/// Writes a file that was not there before, for nobody else to read.
fn write_new(path: &Path, secret: &str) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{} cannot be written: {error}", path.display());
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(said)?;
    writeln!(file, "{secret}").and_then(|()| file.sync_all()).map_err(said)
}

fn lines(init: &Init, target: &Target, path: &Path) -> String {
    let kind = if init.token { "token" } else { "password" };
    let beside = init.config.as_deref().and_then(Path::parent) == path.parent();
    let name = path.file_name().filter(|_| beside && init.secret_file.is_none());
    let shown = name.map_or_else(|| path.to_owned(), PathBuf::from);
    format!(
        "# @{}:{} is there. Put this into stack.toml, and take the secret that made it out:\n\
         [canary]\nuser = \"{}\"\n{kind}_file = {:?}\n",
        init.user,
        target.server_name,
        init.user,
        shown.display().to_string()
    )
}
