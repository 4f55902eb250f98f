//! A repository as a client with a token sees it, with the verbs of a push.

use super::eventually::eventually;
use super::host::Host;
use super::image::{Image, image, sha256};
use super::request::{Answer, Request, listed};
use reqwest::Method;
use std::time::Duration;

/// Until a request that was sent has begun.
const PATIENCE: Duration = Duration::from_secs(20);

/// A repository, and the token that is sent with each request.
#[derive(Clone)]
pub struct Repository {
    pub host: Host,
    pub name: String,
    pub token: String,
}

impl Repository {
    pub fn new(host: &Host, name: &str, token: String) -> Self {
        Self { host: host.clone(), name: name.to_owned(), token }
    }

    /// The same repository and token, asked of another replica.
    pub fn on(&self, host: &Host) -> Self {
        Self { host: host.clone(), ..self.clone() }
    }

    /// A request for `path` below the repository; one with a leading slash is taken as it is.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/v2/{}/{path}", self.name) };
        self.host.request(method, &path).token(&self.token)
    }

    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub fn head(&self, path: &str) -> Request {
        self.request(Method::HEAD, path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    /// Begins an upload; returns where it goes on.
    pub async fn begin(&self) -> String {
        self.post("blobs/uploads/").send().await.is(202).header("location").to_owned()
    }

    /// Waits until somebody writes the upload at `location`. An empty body changes nothing.
    pub async fn until_written(&self, location: &str) {
        let is_taken = async || self.patch(location).send().await.status == 416;
        eventually("somebody writes the upload", PATIENCE, is_taken).await;
    }

    /// Pushes a blob in one request; returns its digest.
    pub async fn push_blob(&self, content: &[u8]) -> String {
        let digest = sha256(content);
        self.post(&format!("blobs/uploads/?digest={digest}")).body(content.to_vec()).send().await.is(201);
        digest
    }

    /// Sends a manifest with no word about its type.
    pub async fn put_manifest(&self, reference: &str, manifest: &[u8]) -> Answer {
        self.put(&format!("manifests/{reference}")).body(manifest.to_vec()).send().await
    }

    /// Pushes a manifest by its digest; returns that.
    pub async fn push_manifest(&self, manifest: &[u8]) -> String {
        let digest = sha256(manifest);
        self.put_manifest(&digest, manifest).await.is(201);
        digest
    }

    /// The digests of a subject's referrers.
    pub async fn referrers(&self, subject: &str) -> Vec<String> {
        let answer = self.get(&format!("referrers/{subject}")).send().await.is(200);
        listed(&answer).iter().map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect()
    }

    /// Pushes a whole image of one layer, whose content tells it from others, under `reference`.
    pub async fn push_image(&self, reference: &str, layer: &str) -> Image {
        let pushed = image(&[layer.as_bytes()]);
        for blob in &pushed.blobs {
            self.push_blob(blob).await;
        }
        self.put_manifest(reference, &pushed.manifest).await.is(201);
        pushed
    }
}
