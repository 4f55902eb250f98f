//! The client of `compare.sh`: pushes a layer as docker does, pulls one, waits for a server. Prints the seconds it took.
//!
//! Must cost little beside the server that it measures: everything that can be made ready is, before the clock starts.

use anyhow::{Context, bail};
use benches::Connection;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "blob ready HOST:PORT | push HOST:PORT NAME FILE DIGEST | pull HOST:PORT NAME DIGEST STREAMS TIMES";

/// What the docker daemon writes at once, and so the size of a chunk.
const CHUNK: usize = 32 * 1024;

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
