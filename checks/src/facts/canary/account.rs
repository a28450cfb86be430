//! Becoming somebody.

use std::time::Instant;

use mxdoctor_probes::matrix::client::{CallError, Client, SignedIn, new_password};

use super::journal::Journal;
use super::observed::Times;
use super::session::Session;
use super::{Account, Canary, DEVICE, NAME};
use crate::facts::ask::fresh_word;
use crate::facts::server_host;
use crate::{Cx, Fact as _, Unavailable, canary};
use mxdoctor_model::Finding;

/// Logs in, or takes the token; first makes the account where it is for this run alone.
pub(super) async fn sign_in(
    cx: &Cx,
    client: &Client,
    journal: &mut Journal,
) -> Result<(Session, Times), Unavailable> {
    let wanted = &cx.target().canary;
    let (account, times, signed) = if wanted.throw_away {
        let made = Instant::now();
        let (user, password) = register(cx, client, journal).await?;
        let register = Some(made.elapsed());
        let signed = log_in(cx, client, journal, &user, &password).await?;
        (Account::ThrowAway, Times { register, ..signed.1 }, signed.0)
    } else if let Some(token) = &wanted.token {
        (Account::Token, Times::default(), by_token(cx, client, journal, token).await?)
    } else {
        let user = wanted.user.as_deref().unwrap_or_default();
        let password = wanted.password.as_deref().unwrap_or_default();
        let signed = log_in(cx, client, journal, user, password).await?;
        (Account::Password, signed.1, signed.0)
    };
    let session = Session { account, room: wanted.room.clone(), ..signed };
    Ok((session, times))
}

async fn register(
    cx: &Cx,
    client: &Client,
    journal: &mut Journal,
) -> Result<(String, String), Unavailable> {
    const OWNER: &str = "canary.register";
    let by = |finding| Unavailable::by(OWNER, finding);
    let word = fresh_word();
    let seconds = jiff::Timestamp::now().as_second();
    let user = format!("{NAME}{seconds}-{}", &word[word.len() - 8..]);
    let password = new_password().map_err(|why| by(Finding::error(why)))?;
    journal.note(&user, &password).map_err(by)?;
    let wanted = &cx.target().canary;
    let at = match &wanted.homeserver {
        Some(base) => client.at(base.clone()),
        None => client.clone(),
    };
    let made = match (&wanted.shared_secret, &wanted.admin_token) {
        (Some(secret), _) => {
            at.register_by_secret(secret, &user, &password, false).await.map(|_| ())
        }
        (None, Some(token)) => {
            let id = format!("@{user}:{}", cx.target().server_name);
            at.with_token(token).register_as_admin(&id, &password).await
        }
        (None, None) => return Err(by(Finding::error("internal: nothing to register with"))),
    };
    match made {
        Ok(()) => Ok((user, password)),
        Err(error) => {
            note_limit(journal, &error);
            if error.status().is_some_and(|status| status < 500) {
                // Refused: there is nothing to undo.
                let _ = journal.forget(&user);
            }
            Err(by(canary::register::refused(cx, &error).evidences(lines(client))))
        }
    }
}

/// Logs in; the session is that of a fixed account by its password.
async fn log_in(
    cx: &Cx,
    client: &Client,
    journal: &mut Journal,
    user: &str,
    password: &str,
) -> Result<(Session, Times), Unavailable> {
    match client.login(user, password, DEVICE).await {
        Ok(signed) => {
            let times = Times { login: Some(signed.took), register: None };
            let session = session_of(cx, client, signed, password);
            Ok((session, times))
        }
        Err(error) => Err(refused(cx, client, journal, &error).await),
    }
}

/// The session of a fixed account that logged in by its password.
pub(super) fn session_of(cx: &Cx, client: &Client, signed: SignedIn, password: &str) -> Session {
    Session {
        client: client.with_token(signed.token),
        admin: admin(cx, client),
        account: Account::Password,
        user_id: signed.user_id,
        device: Some(signed.device),
        password: Some(password.to_owned()),
        room: None,
    }
}

async fn by_token(
    cx: &Cx,
    client: &Client,
    journal: &mut Journal,
    token: &str,
) -> Result<Session, Unavailable> {
    let client = client.with_token(token);
    match client.whoami().await {
        Ok(identity) => {
            let domain = identity.user_id.split_once(':').map(|(_, domain)| domain);
            let name = &cx.target().server_name;
            if domain != Some(name) {
                let reason = format!(
                    "the token is that of {}, which is not an account of {}",
                    identity.user_id,
                    server_host(name)
                );
                return Err(Unavailable::by(Canary::OWNER, Finding::error(reason)));
            }
            Ok(Session {
                admin: admin(cx, &client),
                client,
                account: Account::Token,
                user_id: identity.user_id,
                device: identity.device,
                password: None,
                room: None,
            })
        }
        Err(error) => Err(refused(cx, &client, journal, &error).await),
    }
}

fn admin(cx: &Cx, client: &Client) -> Option<Client> {
    let wanted = &cx.target().canary;
    let token = wanted.admin_token.as_ref()?;
    let at = match &wanted.homeserver {
        Some(base) => client.at(base.clone()),
        None => client.clone(),
    };
    Some(at.with_token(token))
}

async fn refused(
    cx: &Cx,
    client: &Client,
    journal: &mut Journal,
    error: &CallError,
) -> Unavailable {
    note_limit(journal, error);
    if let Some(by) = canary::login::deeper(cx, error).await {
        return by;
    }
    let finding = canary::login::refused(cx, error).evidences(lines(client));
    Unavailable::by(Canary::OWNER, finding)
}

fn note_limit(journal: &mut Journal, error: &CallError) {
    if let CallError::Limited { retry_after: Some(after), .. } = error {
        journal.limit(*after);
    }
}

fn lines(client: &Client) -> impl Iterator<Item = mxdoctor_model::Evidence> {
    use mxdoctor_model::{Evidence, EvidenceKind};
    client.lines().into_iter().map(|line| Evidence::new(EvidenceKind::Request, line))
}
