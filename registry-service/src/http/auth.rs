//! What a handler needs, as its parameters: the right is in the signature, so a missing check shows there. All are
//! decided from the head of the request, before any of its body is read.

use super::error::Json;
use super::front::client;
use super::places::Place;
use crate::domain::Registry;
use crate::domain::admission::{Credentials, Permit};
use crate::domain::refusal::Refusal;
use crate::model::upload::UploadId;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{FutureExt, LocalBoxFuture};
use jiff::Timestamp;
use shared::moves::MoveRequest;
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
/// May see how far an upload of the repository of the path, which exists, has come.
pub struct Status(pub Permit);
/// May delete in the repository of the path.
pub struct Delete(pub Permit);
/// Is let in at all.
pub struct Anyone;
/// Comes from the index, which wishes this.
pub struct Wish(pub MoveRequest);
/// May list repositories, as this subject sees them.
pub struct Catalog(pub String);

/// What the request says about its sender, if it says so exactly once.
fn credentials(request: &HttpRequest) -> Credentials<'_> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else { return Credentials::None };
    match std::str::from_utf8(value.as_bytes()).ok().and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Credentials::Token { text: token.trim(), from: client(request) }
        }
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => basic(pair.trim()).unwrap_or_default(),
        _ => Credentials::None,
    }
}

/// RFC 7617, section 2.
fn basic(pair: &str) -> Option<Credentials<'static>> {
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() })
}

fn name(request: &HttpRequest) -> Result<RepositoryName, Refusal> {
    Place::of(request).name()
}

/// The upload of the path, if it can be one.
fn upload(request: &HttpRequest) -> Option<UploadId> {
    UploadId::parse(Place::of(request).last)
}

fn registry(request: &HttpRequest) -> Result<Registry, Refusal> {
    let registry = request.app_data::<Data<Registry>>().ok_or_else(|| io::Error::other("no registry behind the door"));
    Ok(registry?.get_ref().clone())
}

/// Makes a parameter of an async check that is given the registry, the credentials and the time.
macro_rules! admitted {
    ($parameter:ty, |$request:ident, $registry:ident, $from:ident, $now:ident| $check:expr) => {
        impl FromRequest for $parameter {
            type Error = Json<Refusal>;
            type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let $request = request.clone();
                async move {
                    let ($registry, credentials) = (registry(&$request)?, credentials(&$request));
                    let ($from, $now) = (&credentials, Timestamp::now());
                    Ok($check)
                }
                .boxed_local()
            }
        }
    };
}

admitted!(Pull, |request, registry, from, now| Pull(
    registry.admit(from, &name(&request)?, &[Action::Pull], now).await?
));
admitted!(MayPull, |request, registry, from, now| {
    match registry.admit(from, &name(&request)?, &[Action::Pull], now).await {
        Err(Refusal::RepositoryUnknown(_)) => MayPull(None),
        permit => MayPull(Some(permit?)),
    }
});
admitted!(Push, |request, registry, from, now| Push(registry.admit_writer(from, &name(&request)?, now).await?));
admitted!(Resume, |request, registry, from, now| Resume(
    registry.admit_resumer(from, &name(&request)?, upload(&request), now).await?
));
admitted!(Status, |request, registry, from, now| Status(
    registry.admit_to_upload(from, &name(&request)?, upload(&request), now).await?
));
admitted!(Delete, |request, registry, from, now| Delete(registry.admit_deleter(from, &name(&request)?, now).await?));
admitted!(Anyone, |_request, registry, from, now| {
    registry.admit_anyone(from, now).await?;
    Anyone
});
admitted!(Wish, |_request, registry, from, _now| Wish(registry.admit_wish(from).await?));
admitted!(Catalog, |_request, registry, from, now| Catalog(registry.admit_to_catalog(from, now).await?));
