//! Binding a port and serving on it until the process is told to stop.
//!
//! Must not know which routes it serves.

use crate::body::{AnswerBody, HeldBody};
use crate::connection;
use crate::paced::Paced;
use crate::span::{self, RequestSpan};
use actix_http::HttpService;
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::ServiceConfig;
use actix_web::{App, Error};
use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing_actix_web::TracingLogger;

/// Idle connections live longer than those of clients (docker 30 s, crane 90 s) and of nginx (60 s): who closes first
/// must not be us, or an upload that cannot be repeated dies on a closing connection.
const KEEP_ALIVE: Duration = Duration::from_mins(2);

/// How long a client may take to send a request's head. A machine that is short of time may read it late, and a client
/// that was answered 408 then has done nothing wrong.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// How long running requests may take to end after the signal to stop.
const DRAIN_SECONDS: u64 = 8;

/// How long a connection is kept that is to be closed, for what the client still sends, or for its own end.
const GOODBYE: Duration = Duration::from_secs(1);

/// An answer takes its next chunk when less than this is left to be sent. Enough for every head, which goes out with what
/// follows it: alone, it would wait for the client's next acknowledgement. And little beside a chunk, because a
/// connection keeps the room of all that it once held.
const WRITE_BUFFER: usize = 2 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A health check that takes longer is a failed one.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(5);

/// Binds `address`, with an error that says what to do when it cannot.
pub fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("{address} is in use by another process; stop that one or listen elsewhere")
        }
        io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("not allowed to listen on {address}; ports below 1024 need root")
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow::anyhow!("{address} is not an address of this machine")
        }
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address}")),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves `routes` on `listener`, over TLS if it is given, until SIGINT or SIGTERM, then lets running requests end for some seconds.
pub async fn run<R>(listener: TcpListener, tls: Option<rustls::ServerConfig>, routes: R) -> anyhow::Result<()>
where
    R: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    raise_file_limit();
    let address = listener.local_addr().context("the bound port has no address")?;
    let tls = tls.map(connection::acceptor);
    let builder = Server::build().shutdown_timeout(DRAIN_SECONDS).disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let service = move || {
        let (tls, routes, stopping) = (tls.clone(), routes.clone(), stopping.clone());
        let app = App::new().wrap(from_fn(around)).wrap(TracingLogger::<RequestSpan>::new()).configure(routes);
        let app = app.into_factory().map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_PATIENCE)
            .client_disconnect_timeout(GOODBYE)
            .h1_write_buffer_size(WRITE_BUFFER)
            .local_addr(address)
            .on_connect_ext(|connection: &Paced, data| drop(data.insert(connection.gate())))
            // Nothing asks it for scheme and host: those are settings.
            .finish(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream| connection::open(stream, tls.clone())).and_then(http)
    };
    let server = builder.listen("http", listener, service).context("cannot serve on the bound port")?.run();
    let handle = server.handle();
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("stopping: running requests have {DRAIN_SECONDS} s to end");
        handle.stop(true).await;
    });
    server.await.context("the server failed")
}

/// Around every request: its id is on its answer, and its body is held until that is sent.
async fn around(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<AnswerBody>, Error> {
    let id = span::request_id(&request);
    let body = HeldBody::of(&mut request);
    let mut response = next.call(request).await?;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response.map_body(|_, answer| AnswerBody::new(answer, body)))
}

/// Where a program on the same machine reaches what listens on `address`.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address }
}

/// Asks the program that listens on `address` whether it is ready: for container health checks, whose images have no
/// other client.
pub async fn check_health(address: SocketAddr) -> anyhow::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let target = reachable(address);
    let ask = async {
        let mut stream = TcpStream::connect(target).await?;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(HEALTH_DEADLINE, ask).await.context("no answer in time")??;
    let status = answer.lines().next().unwrap_or_default();
    anyhow::ensure!(status.contains(" 200 "), "not ready: {status}");
    Ok(())
}

/// A connection is a file, and a transfer two more: the usual soft limit of 1024 stops accepting at some hundred clients.
fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Ends when the process is asked to stop.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tracing::error!("cannot listen for SIGTERM; stop with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
