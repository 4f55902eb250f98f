//! A request's body, held until the answer is sent, whoever has stopped reading it; its connection is read when more of it is
//! wanted.
//!
//! Of a body that is held and not read to its end the server knows that its connection cannot be used again: the answer
//! says `Connection: close`, what the client still sends is thrown away for a second so that it can read the answer, and
//! the connection is closed. Of one that was let go it throws away the rest of a chunked body however long that is; and
//! if its buffer was full at that moment, nothing ever wakes it again, and the connection stays open for ever.

use crate::paced::{Gate, TURN};
use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::Version;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A request's body with more than one owner.
#[derive(Clone)]
pub struct HeldBody(Rc<Held>);

struct Held {
    body: RefCell<Payload>,
    /// Of the connection, if it is to wait for whoever reads the body.
    gate: Option<Gate>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gate.iter().for_each(Gate::open);
    }
}

impl HeldBody {
    /// Holds the body of `request`, if it has one, beside whoever reads it.
    pub fn of(request: &mut ServiceRequest) -> Option<Self> {
        let (request, body) = request.parts_mut();
        if matches!(body, Payload::None) {
            return None;
        }
        let gate = gate(request);
        gate.iter().for_each(Gate::shut);
        let held = Self(Rc::new(Held { body: RefCell::new(body.take()), gate }));
        *body = Payload::Stream { payload: Box::pin(held.clone()) };
        Some(held)
    }
}

/// The gate of a connection where nothing else comes before the end of the body. One that a single turn reads needs none: a
/// connection whose body is read though nobody wanted it can be used again.
fn gate(request: &HttpRequest) -> Option<Gate> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let is_alone = request.version() <= Version::HTTP_11;
    let is_short = length.is_some_and(|length| length <= TURN);
    request.conn_data::<Gate>().filter(|_| is_alone && !is_short).cloned()
}

impl Stream for HeldBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Held { body, gate } = &*self.0;
        let next = Pin::new(&mut *body.borrow_mut()).poll_next(context);
        let is_something = matches!(next, Poll::Ready(Some(Ok(_))));
        gate.iter().for_each(if is_something { Gate::shut } else { Gate::open });
        next
    }
}

/// An answer's body, with that of the request it answers.
pub struct AnswerBody {
    answer: BoxBody,
    _request: Option<HeldBody>,
}

impl AnswerBody {
    /// `answer`, which holds the body of its request until it is sent.
    pub fn new(answer: BoxBody, request: Option<HeldBody>) -> Self {
        Self { answer, _request: request }
    }
}

impl MessageBody for AnswerBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}
