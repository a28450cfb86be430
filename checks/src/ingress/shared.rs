//! Which paths of a host the `ingress` family asks.

use url::Url;

use crate::facts::{Hosts, Role, StackHost};
use crate::{Cx, Unavailable};

/// The path that shows whether a part is there, below its base URL.
pub(crate) fn paths(role: Role) -> &'static [&'static str] {
    match role {
        Role::ServerName => &["/.well-known/matrix/client"],
        Role::Homeserver => &["/_matrix/client/versions"],
        Role::Element | Role::Jitsi => &["/"],
    }
}

/// The URL of a path of a host. Well-known documents are at the root, everything else below the
/// base.
pub(crate) fn url(host: &StackHost, path: &str) -> Url {
    let mut url = host.base.clone();
    url.set_query(None);
    url.set_fragment(None);
    if path.starts_with("/.well-known/") {
        url.set_path(path);
    } else {
        url.set_path(&format!("{}{path}", host.base.path().trim_end_matches('/')));
    }
    url
}

/// The parts of the stack that people's programs talk to over TLS: all hosts but one that just
/// bears the server name, whose pages may be anybody's.
///
/// # Errors
/// Those of [`Hosts`].
pub(crate) async fn services(cx: &Cx) -> Result<Vec<StackHost>, Unavailable> {
    let hosts = cx.fact(Hosts).await?;
    let serves =
        |host: &&StackHost| host.https && host.roles.iter().any(|r| *r != Role::ServerName);
    Ok(hosts.iter().filter(serves).cloned().collect())
}
