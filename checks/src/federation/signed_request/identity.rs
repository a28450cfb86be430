//! Our own identity, served where the homeserver finds it.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use mxdoctor_probes::http::Request;
use mxdoctor_probes::matrix::{
    Certificate, Host, Identity, IdentityListener, IdentityServer, ServerName,
};

use crate::Cx;
use crate::facts::{FederationRoute, unreachable_from_outside};

/// A served identity.
pub(super) struct Served {
    pub(super) identity: Arc<Identity>,
    pub(super) server: IdentityServer,
    pub(super) self_signed: bool,
    /// Its name is an address that servers elsewhere refuse to ask.
    pub(super) private: bool,
}

/// Takes the port and serves a new identity on it.
///
/// # Errors
/// What kept us from it, in words.
pub(super) async fn serve(cx: &Cx, listen: SocketAddr) -> Result<Served, String> {
    let probe = &cx.target().federation;
    let listener = IdentityListener::bind(listen)
        .await
        .map_err(|error| format!("--federation-listen {listen} cannot be taken: {error}"))?;
    let name = match &probe.name {
        Some(name) => name.clone(),
        None => own_name(cx, listener.address()).await?,
    };
    let private = match &name.host {
        Host::Ip(address) => unreachable_from_outside(cx.target(), *address),
        Host::Dns(_) => false,
    };
    let identity = Arc::new(Identity::generate(name)?);
    let certificate = match &probe.certificate {
        Some(certificate) => certificate.clone(),
        None => Certificate::self_signed(&identity.name().host_text())?,
    };
    let self_signed = certificate.is_self_signed();
    let server = listener.serve(Arc::clone(&identity), certificate);
    Ok(Served { identity, server, self_signed, private })
}

/// Our address towards the homeserver, with the port.
async fn own_name(cx: &Cx, listening: SocketAddr) -> Result<ServerName, String> {
    let address = if listening.ip().is_unspecified() {
        towards(cx).await.ok_or(
            "our address towards the homeserver is not known: set \
                                 `federation.name`",
        )?
    } else {
        listening.ip()
    };
    let text = SocketAddr::new(address, listening.port()).to_string();
    text.parse().map_err(|error| format!("{text} is not a server name: {error}"))
}

/// The address that this machine would send from; nothing is sent.
async fn towards(cx: &Cx) -> Option<IpAddr> {
    let route = cx.fact(FederationRoute).await.ok()?;
    let to = route.attempts.iter().find(|attempt| attempt.accepted())?.address;
    let to = cx.net().config().overrides.address(to);
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Whether we find our own identity by its name, in words.
pub(super) async fn look(cx: &Cx, served: &Served) -> String {
    let name = served.identity.name();
    let port = name.port.unwrap_or(8448);
    let url = format!("https://{}:{port}/_matrix/key/v2/server", name.url_host());
    let Ok(url) = url.parse() else { return format!("there is no URL for {name}") };
    let mut request = Request::get(url);
    request.accept_any_certificate = true;
    match cx.net().http(request).await {
        Ok(exchange) if exchange.last().text().contains(served.identity.key_id()) => {
            format!("from here {name} leads to our identity")
        }
        Ok(exchange) => format!("from here {name} leads elsewhere: {}", exchange.last().line()),
        Err(error) => format!("from here {name} is not reached either: {error}"),
    }
}
