//! What the clients of the benches share: a connection that costs little beside the server that it measures.
//!
//! A token, if the server wants one, is in the variable `TOKEN`.

use anyhow::{Context, bail, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const RECEIVE_BUFFER: usize = 256 * 1024;

/// One connection, kept alive.
pub struct Connection {
    stream: BufReader<TcpStream>,
    /// The headers of every request.
    common: String,
}

impl Connection {
    /// Connects to HOST:PORT.
    pub fn open(server: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        let authorization = std::env::var("TOKEN")
            .ok()
            .filter(|token| !token.is_empty())
            .map(|token| format!("Authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let common = format!("Host: {server}\r\n{authorization}");
        Ok(Self { stream: BufReader::with_capacity(RECEIVE_BUFFER, stream), common })
    }

    /// Sends a request and reads its whole answer.
    pub fn ask(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) -> anyhow::Result<Answer> {
        let head = format!("{method} {target} HTTP/1.1\r\n{}{headers}\r\n", self.common);
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.stream.get_mut().write_all(body)?;
        let answer = Answer::read(&mut self.stream)?;
        self.discard(answer.length)?;
        Ok(answer)
    }

    fn discard(&mut self, length: u64) -> anyhow::Result<()> {
        let mut left = length;
        while left > 0 {
            let received = self.stream.fill_buf()?.len();
            ensure!(received > 0, "the answer ended {left} bytes early");
            let taken = usize::try_from(left).map_or(received, |left| left.min(received));
            self.stream.consume(taken);
            left -= taken as u64;
        }
        Ok(())
    }
}

/// The head of an answer.
pub struct Answer {
    status: u16,
    length: u64,
    location: Option<String>,
}

impl Answer {
    fn read(stream: &mut impl BufRead) -> anyhow::Result<Self> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).with_context(|| format!("no status line: {line:?}"))?.parse()?;
        let mut answer = Self { status, length: 0, location: None };
        loop {
            line.clear();
            ensure!(stream.read_line(&mut line)? > 0, "the answer ended inside its head");
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => answer.length = value.parse()?,
                "location" => answer.location = Some(value.to_owned()),
                "transfer-encoding" => bail!("an answer whose length is not told cannot be read"),
                _ => {}
            }
        }
        Ok(answer)
    }

    /// Holds that the status is this one.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(self.status == status, "answered {}, not {status}", self.status);
        Ok(self)
    }

    /// Where to go on: the path and the query, wherever the server believes itself to be.
    pub fn location(self) -> anyhow::Result<String> {
        let location = self.location.context("no Location")?;
        let path = location
            .split_once("://")
            .map_or(location.as_str(), |(_, rest)| rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"));
        Ok(path.to_owned())
    }
}
