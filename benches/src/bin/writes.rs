//! The client of `collect.sh` that goes on writing: pushes an image of one new layer, mounts the layer elsewhere, deletes
//! the image, again and again, until a file is there. Prints for each kind of request how long the median, the slowest
//! hundredth and the slowest one took, in milliseconds. An answer that refuses ends it with an error.

use anyhow::Context;
use benches::{Connection, sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const USAGE: &str = "writes HOST:PORT NAME FILE";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().context(USAGE)?;
    let name = arguments.next().context(USAGE)?;
    let end = PathBuf::from(arguments.next().context(USAGE)?);
    let mut writer = Writer { connection: Connection::open(&server)?, took: BTreeMap::new() };
    let mut round = 0;
    loop {
        writer.round(&name, round)?;
        round += 1;
        if end.exists() {
            break;
        }
    }
    for (kind, mut took) in writer.took {
        took.sort_unstable();
        let at = |share: usize| took.get((took.len() - 1) * share / 100).copied().unwrap_or_default();
        let [middle, slow, slowest] = [50, 99, 100].map(at).map(|time| time.as_secs_f64() * 1000.0);
        writeln!(std::io::stdout(), "{kind} {} {middle:.1} {slow:.1} {slowest:.1}", took.len())?;
    }
    Ok(())
}

struct Writer {
    connection: Connection,
    took: BTreeMap<&'static str, Vec<Duration>>,
}

impl Writer {
    fn round(&mut self, name: &str, round: u64) -> anyhow::Result<()> {
        let layer = format!("layer {round} of {}", std::process::id());
        let digest = sha256(&layer);
        let upload = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        self.ask("blob", "POST", &upload, &layer, 201)?;
        let mount = format!("/v2/{name}-mounted/blobs/uploads/?mount={digest}&from={name}");
        self.ask("mount", "POST", &mount, "", 201)?;
        let descriptor = format!(r#"{{"mediaType":"l","digest":"{digest}","size":{}}}"#, layer.len());
        let manifest = format!(r#"{{"schemaVersion":2,"config":{descriptor},"layers":[]}}"#);
        self.ask("manifest", "PUT", &format!("/v2/{name}/manifests/v{}", round % 10), &manifest, 201)?;
        self.ask("delete", "DELETE", &format!("/v2/{name}/manifests/{}", sha256(&manifest)), "", 202)
    }

    fn ask(&mut self, kind: &'static str, method: &str, target: &str, body: &str, status: u16) -> anyhow::Result<()> {
        let started = Instant::now();
        let headers = format!("Content-Length: {}\r\n", body.len());
        let answer = self.connection.ask(method, target, &headers, body.as_bytes())?;
        answer.expect(status).with_context(|| format!("{method} {target}"))?;
        self.took.entry(kind).or_default().push(started.elapsed());
        Ok(())
    }
}
