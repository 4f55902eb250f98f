//! The client of `compare.sh`: pushes layers as docker does, pulls one, walks through a list, waits for a server, or copies
//! a file without one. Prints the seconds it took, or those of the slow pages.
//!
//! Must cost little beside the server that it measures: everything that can be made ready is, before the clock starts.

use anyhow::{Context, bail};
use benches::{Connection, sha256};
use sha2::Digest;
use std::io::{Read, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "blob ready HOST:PORT | push HOST:PORT NAME FILE DIGEST | push-many HOST:PORT NAME BYTES STREAMS | \
                     pull HOST:PORT NAME DIGEST STREAMS TIMES | pull-path HOST:PORT PATH STREAMS | pages HOST:PORT TARGET | tags FOLDER COUNT DIGEST | copy FROM TO";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let took = match *words.as_slice() {
        ["ready", server] => ready(server)?,
        ["push", server, name, file, digest] => push(server, name, Path::new(file), digest)?,
        ["pull", server, name, digest, streams, times] => pull(server, name, digest, streams.parse()?, times.parse()?)?,
        ["pull-path", server, path, streams] => pull_path(server, path, streams.parse()?, 1)?,
        ["push-many", server, name, bytes, streams] => push_many(server, name, bytes.parse()?, streams.parse()?)?,
        ["pages", server, target] => pages(server, target)?,
        ["tags", folder, count, digest] => tags(Path::new(folder), count.parse()?, digest)?,
        ["copy", from, to] => copy(Path::new(from), Path::new(to))?,
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
    let content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let started = Instant::now();
    push_content(server, name, &content, digest)?;
    Ok(started.elapsed())
}

fn push_content(server: &str, name: &str, content: &[u8], digest: &str) -> anyhow::Result<()> {
    let mut connection = Connection::open(server)?;
    let begun = connection.ask("POST", &format!("/v2/{name}/blobs/uploads/"), "Content-Length: 0\r\n", b"")?;
    let upload = begun.expect(202)?.location()?;
    let sent = connection.send_in_chunks("PATCH", &upload, content)?;
    let mut end = sent.expect(202)?.location()?;
    end.push(if end.contains('?') { '&' } else { '?' });
    end.push_str("digest=");
    end.push_str(digest);
    connection.ask("PUT", &end, "Content-Length: 0\r\n", b"")?.expect(201)?;
    Ok(())
}

/// As many pushes at once, each of its own content.
fn push_many(server: &str, name: &str, bytes: usize, streams: u64) -> anyhow::Result<Duration> {
    let random = std::fs::File::open("/dev/urandom")?;
    let mut content = Vec::with_capacity(bytes);
    random.take(bytes as u64).read_to_end(&mut content)?;
    let one_stream = |number: u64| -> anyhow::Result<()> {
        let mut own = content.clone();
        own.extend_from_slice(&number.to_le_bytes());
        push_content(server, name, &own, &sha256(&own))
    };
    let started = Instant::now();
    at_once(streams, one_stream)?;
    Ok(started.elapsed())
}

/// From page to page to the end: what 95 of 100 pages took at most.
fn pages(server: &str, target: &str) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(server)?;
    let mut took = Vec::new();
    let mut next = Some(target.to_owned());
    while let Some(target) = next {
        let started = Instant::now();
        let answer = connection.ask("GET", &target, "", b"")?.expect(200)?;
        took.push(started.elapsed());
        next = answer.next;
    }
    took.sort_unstable();
    took.get((took.len() * 95).div_ceil(100) - 1).copied().context("no page")
}

/// Tags as they lie on disk, all of one manifest; not one by one through a server.
fn tags(folder: &Path, count: u32, digest: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    for number in 0..count {
        let current = folder.join(format!("v{number:06}/current"));
        std::fs::create_dir_all(&current)?;
        std::fs::write(current.join("link"), digest)?;
    }
    Ok(started.elapsed())
}

/// The least that a push can cost: bytes are read, hashed as the server does it, written and synced.
fn copy(from: &Path, to: &Path) -> anyhow::Result<Duration> {
    let (mut from, mut to) = (std::fs::File::open(from)?, std::fs::File::create(to)?);
    let (mut hasher, mut buffer) = (sha2::Sha256::new(), vec![0; 256 * 1024]);
    let started = Instant::now();
    loop {
        let length = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        to.write_all(bytes)?;
    }
    std::hint::black_box(hasher.finalize());
    to.sync_all()?;
    Ok(started.elapsed())
}

/// Runs `one` for each number, in a thread of its own.
fn at_once(streams: u64, one: impl Fn(u64) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    let one = &one;
    thread::scope(|scope| {
        let running: Vec<_> = (0..streams).map(|number| scope.spawn(move || one(number))).collect();
        running.into_iter().try_for_each(|stream| stream.join().map_err(|_| anyhow::anyhow!("a stream panicked"))?)
    })
}

/// As many streams at once, each so many times, everything received thrown away.
fn pull(server: &str, name: &str, digest: &str, streams: u64, times: u32) -> anyhow::Result<Duration> {
    pull_path(server, &format!("/v2/{name}/blobs/{digest}"), streams, times)
}

fn pull_path(server: &str, target: &str, streams: u64, times: u32) -> anyhow::Result<Duration> {
    let one_stream = |_| -> anyhow::Result<()> {
        let mut connection = Connection::open(server)?;
        for _ in 0..times {
            connection.ask("GET", target, "", b"")?.expect(200)?;
        }
        Ok(())
    };
    let started = Instant::now();
    at_once(streams, one_stream)?;
    Ok(started.elapsed())
}
