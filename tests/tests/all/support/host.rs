//! One listening server, asked by path.

use super::request::Request;
use reqwest::Method;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer of a server that is alone on its machine takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that listens.
#[derive(Clone)]
pub struct Host {
    address: SocketAddr,
    client: reqwest::Client,
}

impl Host {
    pub fn new(address: SocketAddr) -> Self {
        Self::asked_from(address, None)
    }

    /// The same as a client sees it whose own address is this one.
    pub fn from(&self, client: impl Into<IpAddr>) -> Self {
        Self::asked_from(self.address, Some(client.into()))
    }

    /// The same as a client sees it that waits so long.
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self::asked_by(self.address, None, patience)
    }

    fn asked_from(address: SocketAddr, client: Option<IpAddr>) -> Self {
        Self::asked_by(address, client, PATIENCE)
    }

    fn asked_by(address: SocketAddr, client: Option<IpAddr>, patience: Duration) -> Self {
        let client = reqwest::Client::builder()
            .local_address(client)
            .no_proxy()
            .timeout(patience)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { address, client }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn request(&self, method: Method, path: &str) -> Request {
        Request::new(self.client.request(method, format!("http://{}{path}", self.address)))
    }

    /// The same, which says that whatever is there is replaced where a whole document is: who says nothing is refused.
    pub fn replacing(&self, method: Method, path: &str) -> Request {
        let is_document = ["/default-grants", "/networks"].iter().any(|document| path.ends_with(document));
        let is_replaced = method == Method::PUT && is_document;
        let request = self.request(method, path);
        if is_replaced { request.header("If-Match", "*") } else { request }
    }

    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// A connection on which nothing was said yet.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends exactly `said`, and nothing after it. What comes back until the server closes, which it must in time.
    pub async fn say(&self, said: String) -> String {
        let (mut incoming, mut outgoing) = self.connect().await.into_split();
        let what: String = said.chars().take(200).collect();
        let sending = tokio::spawn(async move {
            // Who is refused early reads no more.
            let _ = outgoing.write_all(said.as_bytes()).await;
            let _ = outgoing.shutdown().await;
        });
        let mut answer = Vec::new();
        // What had not been read when the server closed ends the connection with an error, after the answer.
        let ended = tokio::time::timeout(PATIENCE, incoming.read_to_end(&mut answer)).await;
        sending.abort();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(ended.is_ok(), "the connection stays open: {what}: {answer}");
        answer
    }

    /// Sends exactly these lines of a request's head and these bytes, and returns exactly what comes back until the
    /// server closes: head and body, or nothing of either if it closes before the head was whole.
    pub async fn raw(&self, head: &str, body: &[u8]) -> (String, Vec<u8>) {
        let head = format!("{head}\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        let mut answer = Vec::new();
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body).await?;
            stream.read_to_end(&mut answer).await
        };
        tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time").unwrap();
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Default::default() };
        (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
    }
}
