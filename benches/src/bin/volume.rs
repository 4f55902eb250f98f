//! Makes a volume of many small blobs for `collect.sh`, half of them needed by nobody: each repository has images of nine
//! layers, and of every second image the manifest is deleted. All of it is two days old, so no grace keeps it.

use anyhow::Context;
use benches::sha256;
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
        let content = format!("layer {number} {image} {layer}");
        let digest = sha256(&content);
        write(&blob(base, &digest), &content)?;
        write(&repository.join(format!("_layers/{}/link", folder_of(&digest))), &digest)?;
        layers.push(format!(r#"{{"mediaType":"l","digest":"{digest}","size":{}}}"#, content.len()));
    }
    let (config, rest) = layers.split_first().context("no layers")?;
    let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, rest.join(","));
    let digest = sha256(&manifest);
    write(&blob(base, &digest), &manifest)?;
    let is_there = image.is_multiple_of(2);
    if is_there {
        write(&repository.join(format!("_manifests/revisions/{}/link", folder_of(&digest))), &digest)?;
        write(&repository.join(format!("_manifests/tags/v{image}/current/link")), &digest)?;
    }
    Ok(())
}

fn blob(base: &Path, digest: &str) -> std::path::PathBuf {
    let hex = digest.trim_start_matches("sha256:");
    base.join(format!("blobs/sha256/{}/{hex}/data", hex.get(..2).unwrap_or_default()))
}

fn folder_of(digest: &str) -> String {
    digest.replace(':', "/")
}

fn write(path: &Path, content: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut file = File::create(path)?;
    file.write_all(content.as_bytes())?;
    file.set_modified(SystemTime::now() - AGE)
}
