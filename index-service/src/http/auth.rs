//! Who asks, as parameters of handlers: a handler that forgets to ask has no caller to act for.

use super::address::client_address;
use super::clock::now;
use super::cookie;
use super::error::Failure;
use crate::domain::{Credentials, Index, Refusal, SignedIn};
use crate::model::access_token::Secret;
use crate::model::account::Owner;
use crate::model::session::{Session, SessionSecret};
use crate::model::{Account, Subject};
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{LocalBoxFuture, Ready, ready};
use subtle::ConstantTimeEq;

/// What belongs to whoever signed in lies below.
const OWN_ACCOUNT: &str = "/api/v1/user/";

/// An account that signed in.
pub struct Caller(pub Account);

/// Whoever it is: an account that signed in, or the anonymous client.
pub struct AnyCaller(pub Subject);

/// An account that signed in with its password, and the session in which it did, if it is in one: for what no access token
/// opens.
pub struct Person(pub Account, pub Option<Session>);

/// An account in its session, whose cookie has this secret.
pub struct InSession {
    /// The account.
    pub account: Account,
    /// The session.
    pub session: Session,
    /// What the cookie holds.
    pub secret: SessionSecret,
}

/// An administrator of the instance who signed in.
pub struct InstanceAdmin(pub Account);

/// An administrator or an auditor of the instance who signed in.
pub struct InstanceReader;

/// An administrator of the instance who signed in with the password.
pub struct AdminPerson;

/// A registry that knows the internal secret.
pub struct Registry;

/// Who asks where only a command on the machine itself can.
#[derive(Clone)]
pub struct AdminOfCommand(pub Account);

/// The secret that registries share with the index. It does not print itself.
#[derive(Clone)]
pub struct InternalSecret(String);

impl InternalSecret {
    /// The secret as it is sent.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let signed_in = signed_in(request);
        let checked = only_looks(request);
        Box::pin(async move { Ok(Self(checked(signed_in.await?.unlimited()?)?)) })
    }
}

impl FromRequest for Person {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let signed_in = signed_in(request);
        let checked = only_looks(request);
        Box::pin(async move {
            let (account, session) = signed_in.await?.person()?;
            Ok(Self(checked(account)?, session))
        })
    }
}

impl FromRequest for InSession {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (secret, signed_in) = (cookie::session(request), signed_in(request));
        Box::pin(async move {
            let secret = secret?.ok_or(Failure::Refused(Refusal::SessionOver))?;
            let SignedIn { owner: Owner::Person(account), session: Some(session), .. } = signed_in.await? else {
                return Err(Failure::Refused(Refusal::SessionOver));
            };
            Ok(Self { account, session, secret })
        })
    }
}

impl FromRequest for AnyCaller {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (index, credentials, from) = (index(request), all_credentials(request), client_address(request));
        Box::pin(async move { Ok(Self(index?.sign_in_subject(credentials?, from, now()).await?)) })
    }
}

impl FromRequest for InstanceAdmin {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        Box::pin(async move {
            let Caller(account) = caller.await?;
            if account.is_admin { Ok(Self(account)) } else { Err(Failure::Refused(Refusal::AdminNeeded)) }
        })
    }
}

impl FromRequest for InstanceReader {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        Box::pin(async move {
            let Caller(account) = caller.await?;
            let may_read = account.is_admin || account.is_auditor;
            if may_read { Ok(Self) } else { Err(Failure::Refused(Refusal::AdminNeeded)) }
        })
    }
}

impl FromRequest for AdminPerson {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let person = Person::from_request(request, payload);
        Box::pin(async move {
            let Person(account, _) = person.await?;
            if account.is_admin { Ok(Self) } else { Err(Failure::Refused(Refusal::AdminNeeded)) }
        })
    }
}

impl FromRequest for Registry {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let secret = request.app_data::<Data<InternalSecret>>();
        let given = bearer(request.headers());
        let is_right =
            secret.zip(given).is_some_and(|(secret, given)| bool::from(secret.0.as_bytes().ct_eq(given.as_bytes())));
        ready(if is_right { Ok(Self) } else { Err(Failure::NotARegistry) })
    }
}

/// Refuses an auditor where the request may change anything but its own account: here, so that no route can forget it.
fn only_looks(request: &HttpRequest) -> impl FnOnce(Account) -> Result<Account, Failure> + 'static {
    let is_harmless = request.method().is_safe() || request.path().starts_with(OWN_ACCOUNT);
    move |account| {
        if account.is_auditor && !is_harmless { Err(Failure::Refused(Refusal::AuditorOnlySees)) } else { Ok(account) }
    }
}

/// Whoever signed in, which somebody must.
pub fn signed_in(request: &HttpRequest) -> impl Future<Output = Result<SignedIn, Failure>> + 'static {
    let request = request.clone();
    async move {
        let (credentials, from) = (all_credentials(&request)?, client_address(&request));
        // Kept with the request: who asks before the handler does costs no second check of a password.
        let known = request.extensions().get::<SignedIn>().cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let signed_in = index(&request)?.sign_in(credentials, from, now()).await?;
        let signed_in = signed_in.ok_or(Failure::Refused(Refusal::SignInNeeded))?;
        request.extensions_mut().insert(signed_in.clone());
        Ok(signed_in)
    }
}

/// The index that the routes were made with.
pub fn index(request: &HttpRequest) -> Result<Data<Index>, Failure> {
    let index = request.app_data::<Data<Index>>().cloned();
    index.ok_or_else(|| Failure::Refused(Refusal::Fault("the routes were made without an index".to_owned())))
}

/// The credentials of a request where a browser may ask too: those of its header or, without such a header, its session.
fn all_credentials(request: &HttpRequest) -> Result<Credentials, Failure> {
    if let Some(admin) = request.app_data::<Data<AdminOfCommand>>() {
        return Ok(Credentials::OfCommand(admin.0.clone()));
    }
    match cookie::session(request)? {
        Some(secret) => Ok(Credentials::Session(secret)),
        None => credentials(request.headers()),
    }
}

/// The credentials in the headers of a request: Basic, or an access token's secret as Bearer. Whatever is there and cannot be read is wrong,
/// never nothing; only an empty name with an empty password is nothing, as docker and the conformance program send it.
pub fn credentials(headers: &HeaderMap) -> Result<Credentials, Failure> {
    let mut values = headers.get_all(AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(Credentials::Anonymous) };
    if values.next().is_some() {
        return Err(Failure::Malformed("there are two Authorization headers".to_owned()));
    }
    let wrong = || Failure::Refused(Refusal::BadCredentials);
    if let Some(secret) = bearer(headers).and_then(Secret::parse) {
        return Ok(Credentials::Token(secret));
    }
    let encoded = value.to_str().ok().and_then(|value| after_scheme(value, "basic")).ok_or_else(wrong)?;
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let (user, password) = decoded.split_once(':').ok_or_else(wrong)?;
    if user.is_empty() && password.is_empty() {
        return Ok(Credentials::Anonymous);
    }
    Ok(Credentials::Password { user: user.to_owned(), password: password.to_owned() })
}

/// The bearer token of a request with exactly one.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() { None } else { after_scheme(value, "bearer") }
}

/// What follows the scheme, whose case does not matter.
fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = value.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
