//! The client of `compare.sh`: pushes a layer as docker does, pulls one, waits for a server. Prints the seconds it took.
//!
//! Must cost little beside the server that it measures: everything that can be made ready is, before the clock starts.
//! A token, if the server wants one, is in the variable `TOKEN`.

use anyhow::{Context, bail, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "blob ready HOST:PORT | push HOST:PORT NAME FILE DIGEST | pull HOST:PORT NAME DIGEST STREAMS TIMES";

/// What the docker daemon writes at once, and so the size of a chunk.
const CHUNK: usize = 32 * 1024;
const RECEIVE_BUFFER: usize = 256 * 1024;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let took = match *words.as_slice() {
        ["ready", server] => ready(server)?,
        ["push", server, name, file, digest] => push(server, name, Path::new(file), digest)?,
        ["pull", server, name, digest, streams, times] => pull(server, name, digest, streams.parse()?, times.parse()?)?,
        _ => bail!(USAGE),
    };
    writeln!(std::io::stdout(), "{:.6}", took.as_secs_f64())?;
    Ok(())
}

/// Asks until the server answers anything at all.
fn ready(server: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    loop {
        match Connection::open(server).and_then(|mut connection| connection.ask("GET", "/v2/", "", b"")) {
            Ok(_) => return Ok(started.elapsed()),
            Err(error) if started.elapsed() > Duration::from_secs(30) => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// POST, one PATCH in chunks whose length is not told before, PUT.
fn push(server: &str, name: &str, file: &Path, digest: &str) -> anyhow::Result<Duration> {
    let body = in_chunks(file).with_context(|| format!("cannot read {}", file.display()))?;
    let started = Instant::now();
    let mut connection = Connection::open(server)?;
    let begun = connection.ask("POST", &format!("/v2/{name}/blobs/uploads/"), "Content-Length: 0\r\n", b"")?;
    let upload = begun.expect(202)?.location()?;
    let sent = connection.ask("PATCH", &upload, "Transfer-Encoding: chunked\r\n", &body)?;
    let mut end = sent.expect(202)?.location()?;
    end.push(if end.contains('?') { '&' } else { '?' });
    end.push_str("digest=");
    end.push_str(digest);
    connection.ask("PUT", &end, "Content-Length: 0\r\n", b"")?.expect(201)?;
    Ok(started.elapsed())
}

/// The file as the body of a chunked request.
fn in_chunks(file: &Path) -> std::io::Result<Vec<u8>> {
    let content = std::fs::read(file)?;
    let mut body = Vec::with_capacity(content.len() + content.len() / 1024 + 64);
    for chunk in content.chunks(CHUNK) {
        write!(body, "{:x}\r\n", chunk.len())?;
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    Ok(body)
}

/// As many streams at once, each so many times, everything received thrown away.
fn pull(server: &str, name: &str, digest: &str, streams: usize, times: usize) -> anyhow::Result<Duration> {
    let target = format!("/v2/{name}/blobs/{digest}");
    let one_stream = || -> anyhow::Result<()> {
        let mut connection = Connection::open(server)?;
        for _ in 0..times {
            connection.ask("GET", &target, "", b"")?.expect(200)?;
        }
        Ok(())
    };
    let started = Instant::now();
    thread::scope(|scope| {
        let running: Vec<_> = (0..streams).map(|_| scope.spawn(one_stream)).collect();
        running.into_iter().try_for_each(|stream| stream.join().map_err(|_| anyhow::anyhow!("a stream panicked"))?)
    })?;
    Ok(started.elapsed())
}

/// One connection, kept alive.
struct Connection {
    stream: BufReader<TcpStream>,
    /// The headers of every request.
    common: String,
}

impl Connection {
    fn open(server: &str) -> anyhow::Result<Self> {
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
    fn ask(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) -> anyhow::Result<Answer> {
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
struct Answer {
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

    fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(self.status == status, "answered {}, not {status}", self.status);
        Ok(self)
    }

    /// Where to go on: the path and the query, wherever the server believes itself to be.
    fn location(self) -> anyhow::Result<String> {
        let location = self.location.context("no Location")?;
        let path = location
            .split_once("://")
            .map_or(location.as_str(), |(_, rest)| rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"));
        Ok(path.to_owned())
    }
}
