//! Makes a volume of many small blobs for `collect.sh`, half of them needed by nobody: each repository has images of nine
//! layers, and of every second image the manifest is deleted. All of it is two days old, so no grace keeps it.

use anyhow::Context;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

const IMAGES: usize = 100;
const LAYERS: usize = 9;
const AGE: Duration = Duration::from_hours(48);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().context("volume ROOT BLOBS")?;
    let blobs: usize = arguments.next().context("volume ROOT BLOBS")?.parse()?;
    let base = Path::new(&root).join("docker/registry/v2");
    for repository in 0..blobs.div_ceil(IMAGES * (LAYERS + 1)) {
        let name = base.join(format!("repositories/team-{}/app-{repository}", repository % 10));
        for image in 0..IMAGES {
            write_image(&base, &name, repository, image)?;
        }
    }
    Ok(())
}

fn write_image(base: &Path, repository: &Path, number: usize, image: usize) -> anyhow::Result<()> {
    let mut layers = Vec::new();
    for layer in 0..LAYERS {
        let digest = digest(&[number, image, layer]);
        write(&blob(base, &digest), "layer")?;
        write(&repository.join(format!("_layers/sha256/{digest}/link")), &format!("sha256:{digest}"))?;
        layers.push(format!(r#"{{"mediaType":"l","digest":"sha256:{digest}","size":5}}"#));
    }
    let (config, rest) = layers.split_first().context("no layers")?;
    let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, rest.join(","));
    let digest = digest(&[number, image, LAYERS]);
    write(&blob(base, &digest), &manifest)?;
    let is_there = image.is_multiple_of(2);
    if is_there {
        let link = format!("sha256:{digest}");
        write(&repository.join(format!("_manifests/revisions/sha256/{digest}/link")), &link)?;
        write(&repository.join(format!("_manifests/tags/v{image}/current/link")), &link)?;
    }
    Ok(())
}

fn blob(base: &Path, digest: &str) -> std::path::PathBuf {
    base.join(format!("blobs/sha256/{}/{digest}/data", digest.get(..2).unwrap_or_default()))
}

fn write(path: &Path, content: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut file = File::create(path)?;
    file.write_all(content.as_bytes())?;
    file.set_modified(SystemTime::now() - AGE)
}

/// Not that of any content: the collector does not look.
fn digest(numbers: &[usize]) -> String {
    let mut state = numbers.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |state, number| mix(state ^ *number as u64));
    let mut next = || {
        state = mix(state);
        state
    };
    format!("{:016x}{:016x}{:016x}{:016x}", next(), next(), next(), next())
}

/// The finisher of splitmix64.
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
