//! Berth as its own program puts it together, on a free port and in a folder that goes away with it; and further
//! registries on the same storage.

use super::host::Host;
use super::registries::Registries;
use super::unsteady_index::UnsteadyIndex;
use super::user::{PASSWORD, User};
use actix_web::web::ServiceConfig;
use berth::reindex::{How, Line, Summary};
use berth::{Instance, registry_settings};
use index_service::{HttpDoor, InternalSecret, Mover, keep_keys};
use jiff::{SignedDuration, Timestamp};
use registry_service::store::faults::{Armed, Journal, arm, journal};
use reqwest::Method;
use serde_json::json;
use server::{Environment, listen};
use shared::Networks;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A running Berth with one account, the administrator `admin`.
pub struct Stack {
    pub host: Host,
    instance: Instance,
    registries: Registries,
    folder: TempDir,
}

impl Stack {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With further variables.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::on(tempfile::tempdir().unwrap(), variables).await
    }

    /// With its data folder in this one.
    pub async fn start_in(parent: &Path) -> Self {
        Self::on(tempfile::tempdir_in(parent).unwrap(), &[]).await
    }

    /// On a folder where something may lie already.
    async fn on(folder: TempDir, variables: &[(&str, &str)]) -> Self {
        let (listener, address) = free_port();
        let mut environment: Environment = [
            ("INDEX_DATA", folder.path().to_str().unwrap()),
            ("INDEX_HTTP_ADDR", &address.to_string()),
            ("INDEX_ADMIN_PASSWORD", PASSWORD),
        ]
        .iter()
        .chain(variables)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        let index = index_service::Settings::read(&environment).unwrap();
        let registry = registry_settings(&mut environment, &index, folder.path()).unwrap();
        let (instance, _) = Instance::open(&index, &registry).await.unwrap();
        let serving = instance.clone();
        serve(listener, move |config| serving.routes(config));
        tokio::spawn(keep_keys(instance.index.clone()));
        let registries = Registries::new(registry, instance.index.clone());
        Self { host: Host::new(address), instance, registries, folder }
    }

    /// A copy of the index as it is now, as a backup has it.
    pub fn index_backup(&self) -> TempDir {
        let backup = tempfile::tempdir().unwrap();
        // All that was committed stands in the database and its log.
        for entry in std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_name().to_str().unwrap().starts_with("index.sqlite") {
                std::fs::copy(entry.path(), backup.path().join(entry.file_name())).unwrap();
            }
        }
        backup
    }

    /// The same folder with the index of a backup.
    pub async fn with_index_of(self, backup: &TempDir) -> Self {
        self.instance.index.close().await;
        for entry in std::fs::read_dir(backup.path()).unwrap().map(|entry| entry.unwrap()) {
            std::fs::copy(entry.path(), self.folder.path().join(entry.file_name())).unwrap();
        }
        Self::on(self.folder, &[]).await
    }

    /// `berth reindex`, beside the server: what it says.
    pub async fn reindex(&self, how: &How) -> (Vec<Line>, Summary) {
        let mut lines = Vec::new();
        let mut say = |line: &Line| {
            lines.push(line.clone());
            Ok(())
        };
        let summary = self.instance.reindex(how, &mut say).await.unwrap();
        (lines, summary)
    }

    /// The data folder: `registry/` holds what is stored, `token-keys/` what signs tokens.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the data folder where it is, for whoever looks into a mistake.
    pub fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// The key that signs tokens, in PEM.
    pub fn signing_key(&self) -> Vec<u8> {
        let key = std::fs::read_dir(self.folder.path().join("token-keys")).unwrap().next().unwrap();
        std::fs::read(key.unwrap().path()).unwrap()
    }

    /// The storage folder.
    pub fn root(&self) -> &Path {
        self.registries.root()
    }

    /// `path` in Distribution's layout.
    pub fn stored(&self, path: &str) -> PathBuf {
        self.root().join("docker/registry/v2").join(path)
    }

    /// Settles what stopped writers left, as the next start of a registry does.
    pub async fn settle(&self) {
        self.registries.settle().await.unwrap();
    }

    /// What the index does by its timer, so many hours from now.
    pub async fn carry_out_wishes(&self, hours: i64) {
        self.instance.mover.carry_out_all(Timestamp::now() + SignedDuration::from_hours(hours)).await.unwrap();
    }

    /// The index as a program of its own, which calls the registry at `url`.
    pub fn index_calling(&self, url: &str) -> Host {
        let (listener, address) = free_port();
        let mover = Mover::new(self.instance.index.clone(), Some(Arc::new(HttpDoor::new(url).unwrap())));
        serve(listener, move |config| index_service::public_routes(config, &mover, &Networks::default()));
        Host::new(address)
    }

    /// The index as a program of its own that registries with this secret ask.
    pub fn index_for_registries(&self, secret: &str) -> Host {
        let (listener, address) = free_port();
        let (mover, secret) = (self.instance.mover.clone(), InternalSecret::new(secret.to_owned()));
        serve(listener, move |config| {
            index_service::public_routes(config, &mover, &Networks::default());
            index_service::internal_routes(config, mover.index(), &secret);
        });
        Host::new(address)
    }

    /// Begins to note what a power loss would take.
    pub fn journal(&self) -> Journal {
        journal(self.root()).unwrap()
    }

    /// A registry on another folder, with the same index.
    pub fn registry_on(&self, root: &Path) -> Host {
        self.registries.on(root).replica()
    }

    /// Puts a rule of fail points in force on this storage, for every registry on it, until it is dropped: `eio rename`,
    /// `stop pause looked`. The words are those of `store/faults/rule.rs`.
    pub fn arm(&self, rule: &str) -> Armed {
        arm(self.root(), rule).unwrap()
    }

    pub fn admin(&self) -> User {
        User::new(&self.host, "admin")
    }

    pub fn anonymous(&self) -> User {
        User::new(&self.host, "")
    }

    /// A new account.
    pub async fn user(&self, name: &str) -> User {
        let account = json!({ "name": name, "password": PASSWORD });
        self.admin().does(Method::POST, "/admin/users", &account).await;
        User::new(&self.host, name)
    }

    /// One more registry on the same storage and index.
    pub fn replica(&self) -> Host {
        self.registries.replica()
    }

    /// One more registry on the same storage, whose calls to the index can be made to fail.
    pub fn unsteady_replica(&self) -> (Host, Arc<UnsteadyIndex>) {
        self.registries.unsteady_replica(None)
    }

    /// Registries on the same storage and with the same index.
    pub fn registries(&self) -> &Registries {
        &self.registries
    }
}

pub fn free_port() -> (TcpListener, SocketAddr) {
    let listener = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Serves until the test's runtime ends.
pub fn serve(listener: TcpListener, routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) {
    serve_tls(listener, None, routes);
}

/// The same over TLS.
pub fn serve_tls(
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) {
    tokio::spawn(listen::run(listener, tls, routes));
}
