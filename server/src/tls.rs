//! TLS in the server itself: 1.2 and 1.3, with a certificate that is taken anew when its files change.

use crate::follow;
use anyhow::Context;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// Where certificate and key lie, in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate, followed by those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The certificate of now.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl TlsFiles {
    /// What a listener needs. From now on the files are followed; new ones that cannot be used leave the old certificate
    /// in place. Must be called in a Tokio runtime that lives as long as the listener.
    pub fn load(&self) -> anyhow::Result<rustls::ServerConfig> {
        let paths = vec![self.certificate.clone(), self.key.clone()];
        let contents = follow::read_all(&paths).context("TLS")?;
        let first = certified(&contents)
            .with_context(|| format!("TLS with {} and {}", self.certificate.display(), self.key.display()))?;
        let current = Arc::new(Current(RwLock::new(Arc::new(first))));
        tokio::spawn(follow::follow(paths, contents, {
            let current = Arc::clone(&current);
            move |changed| match changed.map_err(anyhow::Error::new).and_then(|contents| certified(&contents)) {
                Ok(new) => {
                    *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                    tracing::info!("the TLS certificate was read again");
                }
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the new TLS files cannot be used; the old ones stay"
                    );
                }
            }
        }));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13, &TLS12])?;
        Ok(config.with_no_client_auth().with_cert_resolver(current))
    }
}

/// The certificate with its key, which belong together.
fn certified(contents: &[Vec<u8>]) -> anyhow::Result<CertifiedKey> {
    let [certificate, key] = contents else { anyhow::bail!("a certificate and a key are needed") };
    let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>();
    let chain = chain.context("the certificate is not in PEM")?;
    anyhow::ensure!(!chain.is_empty(), "there is no certificate in the file for it");
    let key = PrivateKeyDer::from_pem_slice(key).context("there is no private key in PEM in the file for it")?;
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
    certified.context("the certificate and the key do not go together")
}
