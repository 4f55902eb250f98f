//! The nginx of the compose stack, with its very file, before a server of a test.

use super::eventually::eventually;
use super::host::Host;
use super::stack::free_port;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;
use tempfile::TempDir;

/// Its start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running nginx; it ends with the value.
pub struct Nginx {
    pub host: Host,
    process: Child,
    folder: TempDir,
}

impl Nginx {
    /// Before the server `host`, which is a registry, an index or both, with the blobs of this folder.
    pub async fn before(host: &Host, blobs: &Path) -> Self {
        Self::with(host, blobs, |config| config).await
    }

    /// The same, behind a proxy at this address, named as the file says.
    pub async fn behind(proxy: Ipv4Addr, host: &Host, blobs: &Path) -> Self {
        let name_it = |config: String| {
            let named = config.replace("# set_real_ip_from 172.18.0.1;", &format!("set_real_ip_from {proxy};"));
            named.replace("# real_ip_", "real_ip_")
        };
        Self::with(host, blobs, name_it).await
    }

    async fn with(host: &Host, blobs: &Path, change: impl Fn(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let (listener, address) = free_port();
        drop(listener);
        let mut config = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/nginx.conf")).unwrap();
        for (in_compose, in_test) in [
            ("listen 80;", format!("listen {address};")),
            ("registry:5000", host.address().to_string()),
            ("index:5001", host.address().to_string()),
            ("resolver 127.0.0.11 valid=5s ipv6=off;", String::new()),
            ("/var/lib/registry/docker/registry/v2/blobs/", format!("{}/", blobs.display())),
            ("/dev/stdout", format!("{here}/access.log")),
            ("/dev/stderr", format!("{here}/error.log")),
        ] {
            assert!(config.contains(in_compose), "deploy/nginx.conf has no {in_compose:?}");
            config = config.replace(in_compose, &in_test);
        }
        let config = change(config);
        let path = folder.path().join("nginx.conf");
        // The folders of a test belong to who runs it alone, and so must the workers.
        let own = format!("daemon off; master_process off; pid {here}/pid;\n");
        fs::write(&path, own + &config).unwrap();
        let mut command = Command::new("nginx");
        let found = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let process = command.env("PATH", found).arg("-p").arg(folder.path()).arg("-c").arg(&path).spawn();
        let nginx = Self { host: Host::new(address), process: process.expect("nginx runs"), folder };
        eventually("nginx listens", PATIENCE, async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
        nginx
    }

    /// What it noted: of requests, and of what went wrong.
    pub fn log(&self) -> String {
        let noted = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap();
        noted("access.log") + &noted("error.log")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It has ended already, or it is ended now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
