//! What the clients of the benches share: a connection that costs little beside the server that it measures.
//!
//! A token, if the server wants one, is in the variable `TOKEN`.

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::TcpStream;

/// What the docker daemon writes at once, and so the size of a chunk.
const CHUNK: usize = 32 * 1024;

/// Many chunks go out at once, as from a fast network.
const SEND_BUFFER: usize = 256 * 1024;
const RECEIVE_BUFFER: usize = 256 * 1024;

/// The digest of some content, as `sha256:…`.
pub fn sha256(content: impl AsRef<[u8]>) -> String {
    Sha256::digest(content).iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

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
        self.answer()
    }

    /// The same with a body in chunks, of which no copy is made: half a gigabyte more would take memory from the server.
    pub fn send_in_chunks(&mut self, method: &str, target: &str, content: &[u8]) -> anyhow::Result<Answer> {
        let head = format!("{method} {target} HTTP/1.1\r\n{}Transfer-Encoding: chunked\r\n\r\n", self.common);
        let mut stream = BufWriter::with_capacity(SEND_BUFFER, self.stream.get_mut());
        stream.write_all(head.as_bytes())?;
        for chunk in content.chunks(CHUNK) {
            write!(stream, "{:x}\r\n", chunk.len())?;
            stream.write_all(chunk)?;
            stream.write_all(b"\r\n")?;
        }
        stream.write_all(b"0\r\n\r\n")?;
        stream.flush()?;
        drop(stream);
        self.answer()
    }

    fn answer(&mut self) -> anyhow::Result<Answer> {
        let answer = Answer::read(&mut self.stream)?;
        match answer.length {
            Some(length) => self.discard(length)?,
            None => self.discard_chunks()?,
        }
        Ok(answer)
    }

    /// RFC 9112, section 7.1, without trailers.
    fn discard_chunks(&mut self) -> anyhow::Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let length = u64::from_str_radix(line.trim_end(), 16).with_context(|| format!("no chunk: {line:?}"))?;
            self.discard(length + 2)?;
            if length == 0 {
                return Ok(());
            }
        }
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
    /// `None`: in chunks.
    length: Option<u64>,
    location: Option<String>,
    /// The page that follows.
    pub next: Option<String>,
}

impl Answer {
    fn read(stream: &mut impl BufRead) -> anyhow::Result<Self> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).with_context(|| format!("no status line: {line:?}"))?.parse()?;
        let mut answer = Self { status, length: Some(0), location: None, next: None };
        loop {
            line.clear();
            ensure!(stream.read_line(&mut line)? > 0, "the answer ended inside its head");
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => answer.length = Some(value.parse()?),
                "link" => answer.next = value.split(['<', '>']).nth(1).map(str::to_owned),
                "location" => answer.location = Some(value.to_owned()),
                "transfer-encoding" => answer.length = None,
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
