//! TLS in the server itself: which files it takes, and that new ones take effect while it serves.

use crate::support::{Standalone, environment, eventually, free_port, serve_tls};
use registry_service::config::Settings;
use registry_service::{http, start};
use reqwest::tls::Version;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use server::TlsFiles;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// New files take effect within a second; a busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate that signs itself, and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

fn pair() -> Pair {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    Pair { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

impl Pair {
    fn write(&self, folder: &Path) {
        fs::write(folder.join("key.pem"), &self.key).unwrap();
        fs::write(folder.join("certificate.pem"), &self.certificate).unwrap();
    }

    /// A client that trusts this certificate and no other.
    fn client(&self, least: Version, most: Version) -> reqwest::Client {
        let trusted = reqwest::Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy();
        builder.tls_version_min(least).tls_version_max(most).pool_max_idle_per_host(0).build().unwrap()
    }

    /// Whether a client that trusts this certificate alone is answered.
    async fn is_served_by(&self, address: SocketAddr) -> bool {
        let client = self.client(Version::TLS_1_2, Version::TLS_1_3);
        client.get(url(address)).send().await.is_ok_and(|answer| answer.status() == 200)
    }
}

fn url(address: SocketAddr) -> String {
    format!("https://localhost:{}/v2/", address.port())
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

/// A registry with the files in the folder.
fn serve(folder: &TempDir) -> SocketAddr {
    let text = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let settings = Settings::from_environment(&environment(&[
        ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", &text("storage")),
        ("REGISTRY_HTTP_TLS_CERTIFICATE", &text("certificate.pem")),
        ("REGISTRY_HTTP_TLS_KEY", &text("key.pem")),
    ]))
    .unwrap();
    let tls = settings.tls.as_ref().unwrap().load().unwrap();
    let registry = start::start(&settings, None).unwrap();
    let (listener, address) = free_port();
    let front = settings.front();
    serve_tls(listener, Some(tls), move |config| http::routes(config, &registry, &front));
    address
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_nothing_plain() {
    let (folder, pair) = (tempfile::tempdir().unwrap(), pair());
    pair.write(folder.path());
    let address = serve(&folder);
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let answer = pair.client(version, version).get(url(address)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{version:?}");
    }
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    plain.get(format!("http://{address}/v2/")).send().await.unwrap_err();
}

// HTTP/2 has no limit here of what requests on one connection hold, so it is not agreed on.
#[tokio::test]
async fn a_client_that_would_speak_http_2_speaks_http_1() {
    let (folder, pair) = (tempfile::tempdir().unwrap(), pair());
    pair.write(folder.path());
    let address = serve(&folder);
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = versions.with_root_certificates(trusted).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let agreed = tokio::task::spawn_blocking(move || {
        let mut connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).unwrap();
        }
        connection.alpn_protocol().map(<[u8]>::to_vec)
    });
    assert_eq!(agreed.await.unwrap().as_deref(), Some(b"http/1.1".as_slice()));
}

#[tokio::test]
async fn new_files_take_effect_while_it_serves_and_broken_ones_do_not() {
    let (folder, old, new) = (tempfile::tempdir().unwrap(), pair(), pair());
    old.write(folder.path());
    let address = serve(&folder);
    assert!(old.is_served_by(address).await && !new.is_served_by(address).await);

    for broken in ["", "no certificate", &new.certificate] {
        fs::write(folder.path().join("certificate.pem"), broken).unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(old.is_served_by(address).await, "the old one stays beside {broken:?}");
    }
    fs::remove_file(folder.path().join("key.pem")).unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(old.is_served_by(address).await, "the old one stays without a key");

    new.write(folder.path());
    eventually("the new certificate is served", PATIENCE, async || new.is_served_by(address).await).await;
    assert!(!old.is_served_by(address).await);
}

#[tokio::test]
async fn files_that_do_not_go_together_stop_the_start() {
    let (one, other) = (pair(), pair());
    for (certificate, key, refusal) in [
        ("", one.key.as_str(), "there is no certificate in the file for it"),
        (&one.certificate, "", "there is no private key in PEM in the file for it"),
        (&one.certificate, &one.certificate, "there is no private key in PEM in the file for it"),
        (&one.certificate, &other.key, "the certificate and the key do not go together"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("certificate.pem"), certificate).unwrap();
        fs::write(folder.path().join("key.pem"), key).unwrap();
        let error = format!("{:#}", files(folder.path()).load().unwrap_err());
        assert!(error.contains(refusal) && error.contains("certificate.pem"), "{error}");
    }
    let error = format!("{:#}", files(Path::new("/nowhere")).load().unwrap_err());
    assert!(error.contains("/nowhere/certificate.pem cannot be read"), "{error}");
    // Settings that name only one of the two are refused before.
    let half = environment(&[("REGISTRY_HTTP_TLS_KEY", "/key.pem")]);
    let error = Settings::from_environment(&half).unwrap_err();
    assert!(error.to_string().contains("TLS needs both"), "{error}");
}

#[tokio::test]
async fn without_files_it_is_plain() {
    Standalone::start(&[]).host.get("/v2/").send().await.is(200);
}
