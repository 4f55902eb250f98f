//! Both services opened in one folder, ready to be mounted on one port.
//!
//! Must not listen, print or read the process's environment: `serve.rs` does.

use crate::in_process::{InProcessIndex, InProcessRegistry};
use actix_web::web::ServiceConfig;
use index_service::{FirstAdmin, Index, Mover, Settings as IndexSettings};
use registry_service::config::Settings as RegistrySettings;
use registry_service::domain::Registry;
use registry_service::http::{self, Front};
use registry_service::start;
use server::Environment;
use shared::Networks;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An index and the registry that asks it. Cheap to clone.
#[derive(Clone)]
pub struct Instance {
    /// The index.
    pub index: Index,
    /// The same, as it moves repositories of this registry.
    pub mover: Mover,
    pub(crate) registry: Registry,
    front: Front,
    trusted_proxies: Networks,
}

/// The registry's settings; what `environment` leaves unset follows from the index's, and storage is below `data`.
pub fn registry_settings(
    environment: &mut Environment,
    index: &IndexSettings,
    data: &Path,
) -> anyhow::Result<RegistrySettings> {
    environment.or_set("REGISTRY_AUTH_TOKEN_REALM", format!("{}/token", index.public_url));
    environment.or_set("REGISTRY_AUTH_TOKEN_SERVICE", index.service.clone());
    environment.or_set("REGISTRY_AUTH_TOKEN_ISSUER", index.issuer.clone());
    if !index.trusted_proxies.is_empty() {
        environment.or_set("REGISTRY_HTTP_TRUSTED_PROXIES", index.trusted_proxies.to_string());
    }
    environment.or_set(STORAGE_FOLDER, storage_folder(environment, data).to_string_lossy());
    RegistrySettings::from_environment(environment)
}

const STORAGE_FOLDER: &str = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY";

/// The folder with everything stored: below `data`, unless `environment` names another.
pub fn storage_folder(environment: &Environment, data: &Path) -> PathBuf {
    environment.get(STORAGE_FOLDER).map_or_else(|| data.join("registry"), PathBuf::from)
}

impl Instance {
    /// Opens both; tells of the first administrator if this start made it.
    pub async fn open(
        settings: &IndexSettings,
        registry: &RegistrySettings,
    ) -> anyhow::Result<(Self, Option<FirstAdmin>)> {
        let index = Index::open(settings).await?;
        let front = registry.front();
        let registry = start::start(registry, Some(Arc::new(InProcessIndex::new(index.clone()))))?;
        let mover = Mover::new(index.clone(), Some(Arc::new(InProcessRegistry::new(registry.clone()))));
        let first_admin = index.first_admin(settings).await?;
        let trusted_proxies = settings.trusted_proxies.clone();
        Ok((Self { index, mover, registry, front, trusted_proxies }, first_admin))
    }

    /// The routes of both.
    pub fn routes(&self, config: &mut ServiceConfig) {
        http::routes(config, &self.registry, &self.front);
        index_service::public_routes(config, &self.mover, &self.trusted_proxies);
        index_service::health_routes(config, &self.index);
    }
}
