//! Where a request comes from, as a parameter of handlers.

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use shared::Networks;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;

/// Proxies whose word about a client's address counts.
pub struct TrustedProxies(pub Networks);

/// The client's true address; `None` if it is not known.
pub struct ClientAddress(pub Option<IpAddr>);

impl FromRequest for ClientAddress {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(client_address(request))))
    }
}

/// The true address of the client of `request`; `None` if it is not known.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let proxies = request.app_data::<Data<TrustedProxies>>()?;
    server::client_address(request, &proxies.0)
}
