//! A registry without an index, in a folder that goes away with it.

use super::host::Host;
use super::repository::Repository;
use super::stack::{free_port, serve};
use registry_service::config::Settings;
use registry_service::{http, start};
use server::Environment;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A running registry with these settings and no others but a folder.
pub struct Standalone {
    pub host: Host,
    folder: TempDir,
}

impl Standalone {
    pub fn start(settings: &[(&str, &str)]) -> Self {
        Self::on(tempfile::tempdir().unwrap(), settings)
    }

    /// The same on a folder where something may lie already, as [`Standalone::stored`] sees it.
    pub fn on(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        Self { host: serve_folder(folder.path(), settings), folder }
    }

    /// One more registry on the same folder, with other settings.
    pub fn beside(&self, settings: &[(&str, &str)]) -> Host {
        serve_folder(self.folder.path(), settings)
    }

    /// The folder with everything.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// `path` in Distribution's layout.
    pub fn stored(&self, path: &str) -> PathBuf {
        stored(self.folder.path(), path)
    }

    /// A repository as a client without credentials sees it.
    pub fn repository(&self, name: &str) -> Repository {
        Repository::new(&self.host, name, String::new())
    }
}

fn serve_folder(folder: &Path, settings: &[(&str, &str)]) -> Host {
    let mut environment = environment(settings);
    environment.set("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", folder.to_str().unwrap());
    let settings = Settings::from_environment(&environment).unwrap();
    let registry = start::start(&settings, None).unwrap();
    let (listener, address) = free_port();
    let front = settings.front();
    serve(listener, move |config| http::routes(config, &registry, &front));
    Host::new(address)
}

/// `path` in Distribution's layout below `folder`.
pub fn stored(folder: &Path, path: &str) -> PathBuf {
    folder.join("docker/registry/v2").join(path)
}

/// An environment of these variables alone.
pub fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
