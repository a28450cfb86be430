//! The hops between a name and the Service that answers behind it.

use mxdoctor_model::{Finding, Outcome, Vantage};
use mxdoctor_probes::manifest::Object;

use super::hops::Way;
use super::url;
use crate::diagnosis::{CUT, UNROUTED};
use crate::facts::{Ask, Fetched, StackHost};
use crate::kubernetes::View;
use crate::lint::view::{Route, RouteKind};
use crate::{Cx, Unavailable};

/// Asks the name, behind which the Service answers; the verdict, and the object where the way ends.
pub(super) async fn look<'a>(
    cx: &Cx,
    view: &View<'a>,
    way: &Way<'a>,
    host: &StackHost,
    path: &str,
) -> Result<(Finding, &'a Object), Unavailable> {
    let (service, name) = (way.service.object, &host.host);
    let (cause, said) = match cx.fact(Fetched(Ask::get(url(host, path)))).await {
        Ok(exchange) => {
            let status = exchange.last().status.as_u16();
            if status < 400 {
                let text = format!("{}, {service} and {name} answer", way.pod_named());
                return Ok((Finding::pass(text), service));
            }
            (None, format!("{name} gives {status}"))
        }
        // What could not be measured is somebody else's to tell.
        Err(by) if by.finding.outcome != Outcome::Fail => return Err(by),
        Err(by) => (by.finding.cause, by.finding.summary),
    };
    let routes = &view.stack.routes;
    let route = routes.iter().find(|route| route.host == Some(name.as_str()));
    // Inside the cluster there is no route between the name and the Service.
    let inside = cx.vantage() == Vantage::Cluster;
    Ok(match route.filter(|_| !inside) {
        Some(route) => (on(view, route, service, cause, &said), route.object),
        None => {
            let unrouted = cause.is_none_or(|cause| UNROUTED.contains(&cause)) && !inside;
            let finding = if unrouted {
                let text = format!(
                    "no IngressRoute, Ingress, HTTPRoute or TunnelBinding here names {name}, while {service} \
                     answers: {said}"
                );
                Finding::fail("ingress-route-missing", text)
            } else {
                let text = format!("it ends before {service}, which answers: {said}");
                Finding::fail(cause.unwrap_or("ingress-route-missing"), text)
            };
            (finding, service)
        }
    })
}

/// The verdict on a route that names the host.
fn on(
    view: &View<'_>,
    route: &Route<'_>,
    service: &Object,
    cause: Option<&'static str>,
    said: &str,
) -> Finding {
    let object = route.object;
    if let (None, Some(named)) = (route.target(&view.stack), route.service) {
        let cause = match route.kind {
            RouteKind::TunnelBinding => "tunnel-service-missing",
            _ => "ingress-route-missing",
        };
        let named = named.as_str().unwrap_or_default();
        let text = format!("it ends at {object}, which leads to Service {named}: it is not here");
        return Finding::fail(cause, text);
    }
    match cause {
        // The gateway has the Service and does not get through, and the API server does.
        Some(cause) if CUT.contains(&cause) => {
            let text = format!(
                "it ends between {object} and {service}, which answers the API server: {said}"
            );
            Finding::fail("network-policy-blocks", text).likely()
        }
        Some(cause) if UNROUTED.contains(&cause) => Finding::fail(
            cause,
            format!("it ends at {object}, behind which {service} answers: {said}"),
        ),
        None => {
            let text = format!("it ends at {object}, behind which {service} answers: {said}");
            Finding::fail("ingress-route-missing", text).likely()
        }
        Some(cause) => Finding::fail(
            cause,
            format!("it ends before {object}, behind which {service} answers: {said}"),
        ),
    }
}
