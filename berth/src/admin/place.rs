//! Where commands go: to a server, or to the index on this machine, which answers on a socket of its own as long as the
//! command runs, beside whoever serves it.
//!
//! Must not know a command.

use actix_web::dev::ServerHandle;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use anyhow::Context;
use index_service::{Index, Mover, Settings, command_routes};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// The API, and who asks it.
pub struct Place {
    client: Client,
    base: Url,
    user: Option<String>,
    secret: Option<String>,
    own: Option<Own>,
}

/// What ends with the command.
struct Own {
    index: Index,
    server: ServerHandle,
    _folder: TempDir,
}

impl Place {
    /// A server, which is asked with a password of `user`, or with an access token.
    pub fn server(url: &str, user: Option<String>, secret: String) -> anyhow::Result<Self> {
        let base = Url::parse(url).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let base = base.with_context(|| format!("--server {url}: it begins with http:// or https://"))?;
        let client = Client::builder().redirect(Policy::none()).build()?;
        Ok(Self { client, base, user, secret: Some(secret), own: None })
    }

    /// The index of these settings, as its administrator `acting`.
    pub async fn here(settings: &Settings, acting: Option<&str>) -> anyhow::Result<Self> {
        let index = Index::open_existing(settings).await?;
        let acting = acting.unwrap_or(&settings.admin_user);
        let admin = index.instance_admin(acting).await.with_context(|| format!("--as {acting}"))?;
        // Only this process can reach it: everybody who does is the administrator.
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir()?;
        let socket = folder.path().join("api");
        let mover = Mover::new(index.clone(), None);
        let routes = move |config: &mut ServiceConfig| command_routes(config, &mover, &admin);
        let server = HttpServer::new(move || App::new().configure(routes.clone())).workers(1).disable_signals();
        let server = server.bind_uds(&socket)?.run();
        let own = Own { index, server: server.handle(), _folder: folder };
        tokio::spawn(server);
        let client = Client::builder().no_proxy().unix_socket(socket).build()?;
        Ok(Self { client, base: Url::parse("http://index/")?, user: None, secret: None, own: Some(own) })
    }

    /// A request below `/api/v1`.
    pub fn request(
        &self,
        method: Method,
        path: &[String],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> anyhow::Result<RequestBuilder> {
        let mut url = self.base.clone();
        let segments = url.path_segments_mut().map_err(|()| anyhow::anyhow!("{} has no paths", self.base));
        segments?.pop_if_empty().extend(["api", "v1"]).extend(path);
        let mut request = self.client.request(method, url).query(query);
        request = match (&self.user, &self.secret) {
            (Some(user), secret) => request.basic_auth(user, secret.as_ref()),
            (None, Some(token)) => request.bearer_auth(token),
            (None, None) => request,
        };
        Ok(if let Some(body) = body { request.json(body) } else { request })
    }

    /// Ends what was begun for this command. Every request was answered by now.
    pub async fn leave(self) {
        if let Some(own) = self.own {
            own.server.stop(false).await;
            own.index.close().await;
        }
    }
}
