//! A request on its way, and its answer, which can be asked to be what a rule says.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use shared::media_type::OCI_INDEX;
use tokio::sync::oneshot;

/// A request that is not sent yet.
pub struct Request(reqwest::RequestBuilder);

impl Request {
    pub fn new(builder: reqwest::RequestBuilder) -> Self {
        Self(builder)
    }

    pub fn header(self, name: &str, value: impl Into<String>) -> Self {
        Self(self.0.header(name, value.into()))
    }

    pub fn token(self, token: &str) -> Self {
        Self(self.0.bearer_auth(token))
    }

    pub fn basic(self, user: &str, password: &str) -> Self {
        Self(self.0.basic_auth(user, Some(password)))
    }

    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    /// A body of unknown length: `Transfer-Encoding: chunked`.
    pub fn streamed(self, body: &[u8]) -> Self {
        let parts: Vec<_> = body.chunks(64 * 1024).map(|part| Ok::<_, std::io::Error>(part.to_vec())).collect();
        Self(self.0.body(reqwest::Body::wrap_stream(futures_util::stream::iter(parts))))
    }

    /// A body that begins so and never ends.
    pub fn stalled(self, beginning: impl Into<Bytes>) -> Self {
        let parts = futures_util::stream::iter([Ok::<_, std::io::Error>(beginning.into())]);
        let endless = futures_util::StreamExt::chain(parts, futures_util::stream::pending());
        Self(self.0.body(reqwest::Body::wrap_stream(endless)))
    }

    /// A body that begins so, and ends with what `rest` brings as soon as that is there.
    pub fn paused(self, beginning: impl Into<Bytes>, rest: oneshot::Receiver<&'static str>) -> Self {
        let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(beginning.into())]);
        let ended = futures_util::stream::once(async move { Ok(Bytes::from(rest.await.unwrap_or_default())) });
        Self(self.0.body(reqwest::Body::wrap_stream(futures_util::StreamExt::chain(begun, ended))))
    }

    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        Self(self.0.form(fields))
    }

    /// The answer, or `None` if the server has gone away without one.
    pub async fn attempt(self) -> Option<Answer> {
        let (client, request) = self.0.build_split();
        let request = request.unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let answer = client.execute(request).await.ok()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Some(Answer { what, status, headers, body: answer.bytes().await.ok()? })
    }

    /// The body of a good answer as it comes.
    pub async fn stream(self) -> impl futures_util::Stream<Item = reqwest::Result<Bytes>> + Unpin {
        Box::pin(self.0.send().await.unwrap().error_for_status().unwrap().bytes_stream())
    }

    /// The answer. Everything under `/v2` carries the version of the API, whatever else it says.
    pub async fn send(self) -> Answer {
        let (client, request) = self.0.build_split();
        let request = request.unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let is_registry = request.url().path().split('/').nth(1) == Some("v2");
        let answer = client.execute(request).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let answer = Answer { what, status, headers, body };
        if is_registry {
            assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0", "{answer:?}");
        }
        answer
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Method and address that it answers.
    pub what: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Holds that the status is this one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text());
        self
    }

    /// Holds that this is an error with this status and OCI code.
    #[track_caller]
    pub fn refuses(self, status: u16, code: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.code(), code, "{}: {}", answer.what, answer.text());
        answer
    }

    /// The header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The headers without what is unique to each request or of its connection.
    pub fn lasting_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        for own in ["date", "connection", "x-request-id", "content-length", "location", "docker-upload-uuid"] {
            headers.remove(own);
        }
        headers
    }

    /// The first OCI error code in the body; empty when there is none.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(2000).collect()
    }
}

/// The entries of a list of referrers, which is an index of exactly this type, whatever it holds.
#[track_caller]
pub fn listed(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.header("content-type"), OCI_INDEX, "{}", answer.what);
    let body = answer.json();
    assert_eq!((&body["schemaVersion"], &body["mediaType"]), (&json!(2), &json!(OCI_INDEX)), "{}", answer.what);
    body["manifests"].as_array().unwrap().clone()
}
