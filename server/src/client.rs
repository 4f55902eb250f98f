//! The address that a request's client has, behind proxies.
//!
//! Must not decide what is open to whom from there.

use actix_web::HttpRequest;
use shared::Networks;
use std::net::IpAddr;

/// The true address of the client of `request`, behind `trusted` proxies alone: what anybody else says of it is ignored.
/// `None` if it is not known.
pub fn client_address(request: &HttpRequest, trusted: &Networks) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    // Where nobody is trusted nothing need be read.
    if trusted.is_empty() {
        return trusted.client_behind(peer, &[]);
    }
    let forwarded = request.headers().get_all("x-forwarded-for").map(|value| value.to_str().unwrap_or_default());
    trusted.client_behind(peer, &forwarded.collect::<Vec<_>>())
}
