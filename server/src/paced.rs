//! A client's connection, read no faster than what comes is wanted.
//!
//! The web server reads ahead, for each connection until it has 128 KiB that nobody has asked for, in a buffer that grows to
//! twice as much: of all memory that two hundred pushes at once take, that is a quarter. What is not read stays with the
//! system, and TCP slows the client down.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// Bytes that are read before what they mean is looked at. So many of a body the web server hands on in one turn: of more it
/// would keep some each time.
pub const TURN: u64 = 32 * 1024;

/// What a connection runs over.
pub type Transport = Either<TcpStream, TlsStream<TcpStream>>;

/// A connection with a gate.
pub struct Paced {
    /// Up to what is left of this turn.
    transport: Take<Transport>,
    gate: Gate,
}

/// Shut while nobody wants more of a request's body. Only for connections that carry one request at a time.
#[derive(Clone, Default)]
pub struct Gate(Rc<State>);

#[derive(Default)]
struct State {
    is_shut: Cell<bool>,
    /// Who wants to read.
    waiting: RefCell<Option<Waker>>,
}

impl Gate {
    /// Nothing is read until it is opened.
    pub fn shut(&self) {
        self.0.is_shut.set(true);
    }

    /// What comes is read.
    pub fn open(&self) {
        self.0.is_shut.set(false);
        if let Some(waiting) = self.0.waiting.take() {
            waiting.wake();
        }
    }

    /// Ready when it is open.
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if !self.0.is_shut.get() {
            return Poll::Ready(());
        }
        self.0.waiting.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Paced {
    /// `transport` with a gate that is open.
    pub fn new(transport: Transport) -> Self {
        Self { transport: transport.take(TURN), gate: Gate::default() }
    }

    /// Its gate.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.gate.poll(context).is_pending() {
            return Poll::Pending;
        }
        let is_over = self.transport.limit() == 0;
        if is_over {
            context.waker().wake_by_ref();
        }
        let result = if is_over { Poll::Pending } else { Pin::new(&mut self.transport).poll_read(context, buffer) };
        if result.is_pending() {
            self.transport.set_limit(TURN);
        }
        result
    }
}

impl AsyncWrite for Paced {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.transport.get_mut()).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.transport.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.transport.get_mut()).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.transport.get_mut()).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.get_ref().is_write_vectored()
    }
}
