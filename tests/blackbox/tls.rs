//! TLS to providers: a certificate is believed only where the system's roots lead to it, for its name, in its time.

use crate::client::{Ask, End};
use crate::gateway::{Gateway, config};
use crate::provider::Provider;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

/// An authority of our own, and the file in which a system would keep its certificate.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    root: PathBuf,
    _directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
        let directory = TempDir::new().expect("a directory");
        let root = directory.path().join("root.pem");
        std::fs::write(&root, issuer.pem()).expect("a file");
        Self { issuer, root, _directory: directory }
    }

    /// Puts TLS before a provider, with a certificate for `name` that ends with `year`. Its address, by that of the host.
    async fn before(&self, provider: &Provider, name: &str, year: i32) -> String {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = key.serialize_der().try_into().expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let behind = provider.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
        tokio::spawn(relay(listener, TlsAcceptor::from(Arc::new(config)), behind));
        format!("https://localhost:{port}/v1")
    }
}

/// Takes TLS off and passes on what is within.
async fn relay(listener: TcpListener, acceptor: TlsAcceptor, behind: String) {
    while let Ok((outside, _)) = listener.accept().await {
        let (acceptor, behind) = (acceptor.clone(), behind.clone());
        tokio::spawn(async move {
            let Ok(mut outside) = acceptor.accept(outside).await else { return };
            let Ok(mut inside) = TcpStream::connect(behind).await else { return };
            let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
        });
    }
}

#[tokio::test]
async fn only_a_certificate_that_holds_gets_the_request() {
    let (authority, provider) = (Authority::new(), Provider::behaving(r#"{"tokens":3}"#).await);
    let root = authority.root.to_str().expect("a path").to_owned();
    for (name, year, roots, believed) in [
        ("localhost", 2999, &*root, true),
        ("localhost", 2999, "/nowhere/at/all.pem", false),
        ("elsewhere.example", 2999, &root, false),
        ("localhost", 2020, &root, false),
    ] {
        let asked = provider.calls();
        let yaml = config(&[("tls", &authority.before(&provider, name, year).await)], "direct: true");
        let gateway = Gateway::with(&yaml, &[("SSL_CERT_FILE", roots)]).await;
        for ask in [Ask::whole("tls/m"), Ask::stream("tls/m")] {
            let answer = gateway.ask(ask).await;
            let record = gateway.record(&answer.id).await;
            let (status, cause) = (answer.status, record["tried"][0]["cause"].as_str());
            let expected = if believed { (200, None) } else { (503, Some("tls")) };
            assert_eq!((status, cause), expected, "{name} {year} {roots}: {record}");
            assert!(!believed || answer.end == End::Complete, "{name} {year}");
        }
        assert_eq!(provider.calls() > asked, believed, "{name} {year} {roots}");
    }
}
