//! A request's body, held until the answer is sent, whoever has stopped reading it.
//!
//! Of a body that is held and not read to its end the server knows that its connection cannot be used again: the answer
//! says `Connection: close`, what the client still sends is thrown away for a second so that it can read the answer, and
//! the connection is closed. Of one that was let go it throws away the rest of a chunked body however long that is; and
//! if its buffer was full at that moment, nothing ever wakes it again, and the connection stays open for ever.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A request's body with more than one owner.
#[derive(Clone)]
pub struct HeldBody(Rc<RefCell<Payload>>);

impl HeldBody {
    /// Holds the body of `request`, if it has one, beside whoever reads it.
    pub fn of(request: &mut ServiceRequest) -> Option<Self> {
        let (_, body) = request.parts_mut();
        if matches!(body, Payload::None) {
            return None;
        }
        let held = Self(Rc::new(RefCell::new(body.take())));
        *body = Payload::Stream { payload: Box::pin(held.clone()) };
        Some(held)
    }
}

impl Stream for HeldBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
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
