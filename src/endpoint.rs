//! Live TLS services, asked for the certificates they present. Any certificate
//! is accepted for reading; that the service holds its private key is checked,
//! as the handshake is signed with it. What the chain is worth is not judged
//! here. TLS from the first octet on; nobody speaks a dialogue before it yet.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::name::Name;

/// Why a service did not present a certificate.
#[derive(Debug)]
pub struct EndpointError {
    /// Who was asked.
    pub address: SocketAddr,
    /// What went wrong.
    pub problem: Problem,
}

/// What went wrong with a handshake.
#[derive(Debug)]
pub enum Problem {
    /// The name cannot be sent as a server name (RFC 6066 section 3).
    Name(String),
    /// No connection, or one that ended too early.
    Connection(io::Error),
    /// The handshake failed.
    Handshake(TlsError),
    /// No end of it within the time allowed.
    Silent(Duration),
    /// A handshake without any certificate.
    NoCertificate,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        match &self.problem {
            Problem::Name(name) => write!(f, "{name} cannot be asked for in a TLS handshake"),
            Problem::Connection(error) => write!(f, "the connection to {address} failed: {error}"),
            Problem::Handshake(error) => {
                write!(f, "the TLS handshake with {address} failed: {error}")
            }
            Problem::Silent(time) => write!(
                f,
                "no TLS handshake with {address} within {} s",
                time.as_secs_f32()
            ),
            Problem::NoCertificate => write!(f, "{address} presents no certificate"),
        }
    }
}

impl std::error::Error for EndpointError {}

/// The DER of the certificates that a service presents for this name, its own
/// first. `patience` is for connection and handshake together.
///
/// Brings its own runtime, so it is not to be called from within one.
///
/// # Errors
///
/// Why there are none.
pub fn presented(
    address: SocketAddr,
    name: &Name,
    patience: Duration,
) -> Result<Vec<Vec<u8>>, EndpointError> {
    let failed = |problem| EndpointError { address, problem };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| failed(Problem::Connection(error)))?;
    let asked =
        runtime.block_on(async { tokio::time::timeout(patience, handshake(address, name)).await });
    let chain = asked
        .unwrap_or(Err(Problem::Silent(patience)))
        .map_err(failed)?;
    if chain.is_empty() {
        Err(failed(Problem::NoCertificate))
    } else {
        Ok(chain)
    }
}

async fn handshake(address: SocketAddr, name: &Name) -> Result<Vec<Vec<u8>>, Problem> {
    let text = name.to_string().trim_end_matches('.').to_owned();
    let server = ServerName::try_from(text.clone()).map_err(|_| Problem::Name(text))?;
    let connector = TlsConnector::from(Arc::new(reading_config().map_err(Problem::Handshake)?));
    let stream = TcpStream::connect(address)
        .await
        .map_err(Problem::Connection)?;
    let stream = connector.connect(server, stream).await.map_err(problem)?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    Ok(chain
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect())
}

/// rustls hides its own errors in those of the stream.
fn problem(error: io::Error) -> Problem {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>())
    {
        Some(tls) => Problem::Handshake(tls.clone()),
        None => Problem::Connection(error),
    }
}

fn reading_config() -> Result<ClientConfig, TlsError> {
    let provider = ring::default_provider();
    let verifier = AnyCertificate(provider.signature_verification_algorithms);
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Takes every certificate, and no handshake that its key did not sign.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_service_that_does_not_speak_tls_is_an_error_and_not_an_empty_chain() {
        let host = Name::from_user("mail.example").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let smtp = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            io::Write::write_all(&mut stream, b"220 mail.example ESMTP\r\n").unwrap();
            stream
        });
        let error = presented(address, &host, Duration::from_secs(10)).unwrap_err();
        assert!(matches!(error.problem, Problem::Handshake(_)), "{error}");
        smtp.join().unwrap();
        let error = presented(address, &host, Duration::from_secs(10)).unwrap_err();
        assert!(matches!(error.problem, Problem::Connection(_)), "{error}");
    }
}
