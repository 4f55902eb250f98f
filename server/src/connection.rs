//! Opening a client's connection: what it runs over.

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

/// What is spoken here, as TLS agrees on it (RFC 7301, section 6). Not HTTP/2, which a proxy in front may speak: one of its
/// connections carries any number of requests, so the turns in which a connection is read would bound nothing.
const HTTP_1: &[u8] = b"http/1.1";

/// What ends the TLS of clients, with the protocol that is spoken here.
pub fn acceptor(mut tls: rustls::ServerConfig) -> TlsAcceptor {
    tls.alpn_protocols = vec![HTTP_1.to_vec()];
    TlsAcceptor::from(Arc::new(tls))
}

/// The connection over `stream`, after the TLS handshake if there is one, with the address of the client.
///
/// Fails if the handshake fails or takes longer than [`HANDSHAKE_PATIENCE`].
pub async fn open(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
) -> Result<(Paced, Protocol, Option<SocketAddr>), DispatchError> {
    let client = stream.peer_addr().ok();
    let transport = match tls {
        None => Transport::Left(stream),
        Some(tls) => Transport::Right(timeout(HANDSHAKE_PATIENCE, tls.accept(stream)).await.map_err(io::Error::from)??),
    };
    Ok((Paced::new(transport), Protocol::Http1, client))
}
