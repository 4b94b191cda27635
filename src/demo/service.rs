//! The demo's TLS service, in place of a mail server: it greets nobody and says
//! nothing, but its handshake is a real one, with the certificate and key that
//! it was told to load last.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::demo::DemoError;

/// The service. It stops when this is dropped.
pub struct Service {
    address: SocketAddr,
    provider: Arc<CryptoProvider>,
    loaded: Arc<Loaded>,
    runtime: Option<Runtime>,
}

/// What the next handshake presents.
#[derive(Debug)]
struct Loaded(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Loaded {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().ok().map(|key| Arc::clone(&key))
    }
}

impl Service {
    /// Starts the service on a free port, with this certificate and key.
    ///
    /// # Errors
    ///
    /// When a file cannot be used, or there is no port.
    pub fn start(certificate: &Path, key: &Path) -> Result<Self, DemoError> {
        let provider = Arc::new(ring::default_provider());
        let loaded = Arc::new(Loaded(RwLock::new(read(certificate, key, &provider)?)));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| DemoError::new("setting up TLS", error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&loaded) as Arc<dyn ResolvesServerCert>);
        let (runtime, address) = listen(Arc::new(config))
            .map_err(|error| DemoError::new("starting a TLS service on 127.0.0.1", error))?;
        Ok(Self {
            address,
            provider,
            loaded,
            runtime: Some(runtime),
        })
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Presents another certificate and key from now on.
    ///
    /// # Errors
    ///
    /// When a file cannot be used; the service goes on with what it had.
    pub fn load(&self, certificate: &Path, key: &Path) -> Result<(), DemoError> {
        let key = read(certificate, key, &self.provider)?;
        let mut loaded = self
            .loaded
            .0
            .write()
            .map_err(|error| DemoError::new("changing the key", error))?;
        *loaded = key;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(config: Arc<ServerConfig>) -> io::Result<(Runtime, SocketAddr)> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let acceptor = TlsAcceptor::from(config);
    runtime.spawn(async move {
        // A client that goes away is not the end of the service.
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let _ = stream.shutdown().await;
                    }
                });
            }
        }
    });
    Ok((runtime, address))
}

fn read(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, DemoError> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| {
        DemoError::new(format!("loading {}", path.display()), error)
    };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| failed(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key, &error))?;
    CertifiedKey::from_der(chain, private, provider)
        .map(Arc::new)
        .map_err(|error| failed(key, &error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::demo::folder::{Folder, HOST};
    use crate::endpoint;
    use crate::keys::KeyFile;
    use crate::name::Name;

    #[test]
    fn the_handshake_presents_what_was_loaded_last() {
        let folder = Folder::make(None).unwrap();
        folder.write_keys(chrono::Utc::now()).unwrap();
        let certificate = |name: &str| folder.file(&format!("{name}.pem"));
        let key = |name: &str| folder.file(&format!("{name}.key"));
        let service = Service::start(&certificate("old"), &key("old")).unwrap();
        let host = Name::from_user(HOST).unwrap();
        for name in ["old", "new"] {
            service.load(&certificate(name), &key(name)).unwrap();
            let presented =
                endpoint::presented(service.address(), &host, Duration::from_secs(10)).unwrap();
            let file =
                KeyFile::read(name, &std::fs::read(certificate(name)).unwrap(), None).unwrap();
            let served = KeyFile::read("presented", &presented[0], None).unwrap();
            assert_eq!(
                (presented.len(), &served.items[0].spki),
                (1, &file.items[0].spki)
            );
        }
        // A certificate and the key of another one do not go together.
        assert!(service.load(&certificate("old"), &key("new")).is_err());
    }

    #[test]
    fn a_service_without_the_private_key_of_its_certificate_is_not_believed() {
        let folder = Folder::make(None).unwrap();
        folder.write_keys(chrono::Utc::now()).unwrap();
        let [old, new] = ["old", "new"].map(|name| {
            let file = |ending: &str| folder.file(&format!("{name}.{ending}"));
            read(&file("pem"), &file("key"), &ring::default_provider()).unwrap()
        });
        let service = Service::start(&folder.file("old.pem"), &folder.file("old.key")).unwrap();
        *service.loaded.0.write().unwrap() =
            Arc::new(CertifiedKey::new(old.cert.clone(), Arc::clone(&new.key)));
        let host = Name::from_user(HOST).unwrap();
        let error =
            endpoint::presented(service.address(), &host, Duration::from_secs(10)).unwrap_err();
        assert!(
            matches!(error.problem, endpoint::Problem::Handshake(_)),
            "{error}"
        );
    }
}
