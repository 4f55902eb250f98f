//! Opening a client's connection: what it runs over, and which protocol it speaks.

use crate::paced::{Paced, Transport};
use actix_http::Protocol;
use actix_http::error::DispatchError;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How long a client may take to end a TLS handshake.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(3);

/// The names under which TLS agrees on a protocol (RFC 9113, section 3.2; RFC 7301, section 6).
const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// What ends the TLS of clients, with the protocols that are spoken here.
pub fn acceptor(mut tls: rustls::ServerConfig) -> TlsAcceptor {
    tls.alpn_protocols = [HTTP_2, HTTP_1].map(<[u8]>::to_vec).into();
    TlsAcceptor::from(Arc::new(tls))
}

/// The connection over `stream`, after the TLS handshake if there is one, with its protocol and the address of the client.
///
/// Fails if the handshake fails or takes longer than [`HANDSHAKE_PATIENCE`].
pub async fn open(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
) -> Result<(Paced, Protocol, Option<SocketAddr>), DispatchError> {
    let client = stream.peer_addr().ok();
    let Some(tls) = tls else { return Ok((Paced::new(Transport::Left(stream)), Protocol::Http1, client)) };
    let stream = timeout(HANDSHAKE_PATIENCE, tls.accept(stream)).await.map_err(io::Error::from)??;
    let (_, agreed) = stream.get_ref();
    let protocol = if agreed.alpn_protocol() == Some(HTTP_2) { Protocol::Http2 } else { Protocol::Http1 };
    Ok((Paced::new(Transport::Right(stream)), protocol, client))
}
