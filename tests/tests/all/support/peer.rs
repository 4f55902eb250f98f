//! Debian's `docker-registry` on a folder of ours: the peer whose layout this registry keeps.

use super::host::Host;
use super::image::{Image, image};
use super::repository::Repository;
use shared::media_type::OCI_MANIFEST;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// No start takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client of today accepts; without it the peer answers that it has no such manifest.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json, \
                      application/vnd.docker.distribution.manifest.v2+json";

/// A running `docker-registry`; stopped when dropped.
pub struct Peer {
    pub host: Host,
    child: Child,
}

impl Peer {
    /// Starts it on the folder `root`.
    pub async fn start(root: &Path) -> Self {
        Self::start_with(root, &[]).await
    }

    /// The same with these settings too.
    pub async fn start_with(root: &Path, settings: &[(&str, &str)]) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = command("serve", root)
            .env("REGISTRY_HTTP_ADDR", address.to_string())
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry, of Debian's package of the same name");
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "the peer is not ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { host: Host::new(address), child }
    }

    /// A repository, as a client without credentials sees it.
    pub fn repository(&self, name: &str) -> Repository {
        Repository::new(&self.host, name, String::new())
    }

    /// Collects the garbage of the folder `root`, which nobody serves meanwhile.
    pub fn collect_garbage(root: &Path, flags: &[&str]) -> String {
        let mut collect = command("garbage-collect", root);
        let output = collect.args(flags).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a manifest below the storage folder `root` as a peer does: its bytes and its link, and no word to anybody.
pub fn write_as_a_peer(root: &Path, name: &str, manifest: &[u8]) {
    let digest = super::sha256(manifest);
    let link = format!("repositories/{name}/_manifests/revisions/{}/link", digest.replace(':', "/"));
    for (path, content) in [(super::data(&digest), manifest), (link, digest.as_bytes())] {
        let path = super::stored(root, &path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// The peer's program with its settings in a file beside the storage, where it does not look.
fn command(verb: &str, root: &Path) -> Command {
    let settings = root.join("peer.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
         http: {{addr: '127.0.0.1:0', relativeurls: true}}\n",
        root.display()
    );
    fs::write(&settings, text).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg(verb).arg(settings);
    command
}

/// What both registries take and answer in the same way.
impl Repository {
    /// Pushes a blob in three requests; returns its digest.
    pub async fn upload(&self, content: &[u8]) -> String {
        let digest = super::sha256(content);
        let location = self.begin().await;
        let sent = self.patch(&location).header("content-type", "application/octet-stream").body(content.to_vec());
        let location = sent.send().await.is(202).header("location").to_owned();
        let joint = if location.contains('?') { '&' } else { '?' };
        self.put(&format!("{location}{joint}digest={digest}")).send().await.is(201);
        digest
    }

    /// Pushes a manifest with its media type.
    pub async fn put_typed(&self, reference: &str, media_type: &str, manifest: &[u8]) {
        let request = self.put(&format!("manifests/{reference}")).header("content-type", media_type);
        request.body(manifest.to_vec()).send().await.is(201);
    }

    /// Pushes a whole image of one layer, whose content tells it from others, under `reference`.
    pub async fn push_typed(&self, reference: &str, layer: &str) -> Image {
        let pushed = image(&[layer.as_bytes()]);
        for blob in &pushed.blobs {
            self.upload(blob).await;
        }
        self.put_typed(reference, OCI_MANIFEST, &pushed.manifest).await;
        pushed
    }

    /// Holds that the reference means exactly these bytes, with this media type.
    pub async fn serves(&self, reference: &str, media_type: &str, manifest: &[u8]) {
        let read = self.get(&format!("manifests/{reference}")).header("accept", ACCEPT).send().await.is(200);
        assert_eq!(read.body, manifest, "{reference}");
        assert_eq!(read.header("content-type"), media_type, "{reference}");
        assert_eq!(read.header("docker-content-digest"), super::sha256(manifest), "{reference}");
    }

    /// Holds that the blob has exactly these bytes.
    pub async fn serves_blob(&self, content: &[u8]) {
        let read = self.get(&format!("blobs/{}", super::sha256(content))).send().await.is(200);
        assert_eq!(read.body, content);
    }

    /// The tags, in order.
    pub async fn tags(&self) -> Vec<String> {
        let listed = self.get("tags/list").send().await.is(200).json();
        let mut tags: Vec<String> = serde_json::from_value(listed["tags"].clone()).unwrap();
        tags.sort_unstable();
        tags
    }
}
