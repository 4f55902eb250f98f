//! What a handler needs, as its parameters: the right is in the signature, so a missing check shows there. All are
//! decided from the head of the request, before any of its body is read.

use super::error::Json;
use super::places::Place;
use crate::domain::Registry;
use crate::domain::admission::Permit;
use crate::domain::refusal::Refusal;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{FutureExt, LocalBoxFuture};
use jiff::Timestamp;
use shared::{Action, RepositoryName};
use std::io;

/// May read the repository of the path.
pub struct Pull(pub Permit);
/// May read the repository of the path, should it ever exist; there is no permit as long as it does not.
pub struct MayPull(pub Option<Permit>);
/// May write to the repository of the path, which is allocated if it did not exist.
pub struct Push(pub Permit);
/// May write to the repository of the path, which exists.
pub struct Resume(pub Permit);
/// May delete in the repository of the path.
pub struct Delete(pub Permit);
/// Holds any good token.
pub struct Anyone;
/// May list repositories, as this subject sees them.
pub struct Catalog(pub String);

/// A token, if the request carries exactly one.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn name(request: &HttpRequest) -> Result<RepositoryName, Refusal> {
    Place::of(request).name()
}

fn registry(request: &HttpRequest) -> Result<Registry, Refusal> {
    let registry = request.app_data::<Data<Registry>>().ok_or_else(|| io::Error::other("no registry behind the door"));
    Ok(registry?.get_ref().clone())
}

/// Makes a parameter of an async check that is given the registry, the token and the time.
macro_rules! admitted {
    ($parameter:ty, |$request:ident, $registry:ident, $token:ident, $now:ident| $check:expr) => {
        impl FromRequest for $parameter {
            type Error = Json<Refusal>;
            type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let $request = request.clone();
                async move {
                    let ($registry, $token, $now) = (registry(&$request)?, bearer(&$request), Timestamp::now());
                    Ok($check)
                }
                .boxed_local()
            }
        }
    };
}

admitted!(Pull, |request, registry, token, now| Pull(
    registry.admit(token, &name(&request)?, &[Action::Pull], now).await?
));
admitted!(MayPull, |request, registry, token, now| {
    match registry.admit(token, &name(&request)?, &[Action::Pull], now).await {
        Err(Refusal::RepositoryUnknown(_)) => MayPull(None),
        permit => MayPull(Some(permit?)),
    }
});
admitted!(Push, |request, registry, token, now| Push(registry.admit_writer(token, &name(&request)?, now).await?));
admitted!(Resume, |request, registry, token, now| Resume(
    registry.admit(token, &name(&request)?, &[Action::Pull, Action::Push], now).await?
));
admitted!(Delete, |request, registry, token, now| Delete(
    registry.admit(token, &name(&request)?, &[Action::Delete], now).await?
));
admitted!(Anyone, |_request, registry, token, now| {
    registry.admit_anyone(token, now).await?;
    Anyone
});
admitted!(Catalog, |_request, registry, token, now| Catalog(registry.admit_to_catalog(token, now).await?));
