//! `/wss`: a hub behind a proxy that speaks TLS, with certificates of an issuer that only its people know.

mod support;

use std::{fs, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use support::{Ended, Hub, Tincan, tincan};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer},
};

/// An issuer of certificates.
struct Authority(Issuer<'static, KeyPair>, String);

impl Authority {
    fn new() -> Self {
        let (key, mut params) = (KeyPair::generate().expect("a key"), CertificateParams::default());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self(Issuer::new(params, key), pem)
    }

    /// A proxy with a certificate for this name, in front of a hub; its port.
    async fn proxy(&self, hub: u16, name: &str, until: i32) -> u16 {
        let (key, mut params) =
            (KeyPair::generate().expect("a key"), CertificateParams::new([name.into()]).expect("a name"));
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        let config = ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .expect("a server");
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.expect("a port"));
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not trust the certificate hangs up.
                    let Ok(mut near) = acceptor.accept(near).await else { return };
                    let mut far = TcpStream::connect(("127.0.0.1", hub)).await.expect("the hub listens");
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        port
    }
}

fn ping(port: u16, way: &str) -> Tincan {
    let tincan = tincan(&format!("ping -c 1 --ephemeral /dns4/localhost/tcp/{port}/{way}"));
    tincan.env("SSL_CERT_FILE", "").env("SSL_CERT_DIR", "")
}

async fn run(tincan: Tincan) -> Ended {
    tokio::task::spawn_blocking(move || tincan.run(b"")).await.expect("it runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_the_system_knows_is_trusted_and_others_are_named_as_the_reason() {
    let hub = Hub::start();
    let port = hub.address("ws").split('/').nth(4).and_then(|port| port.parse().ok()).expect("a port");
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let (file, folder) = (dir.path().join("ca.pem"), dir.path().join("certs"));
    fs::write(&file, &authority.1).unwrap();
    fs::create_dir(&folder).unwrap();
    // As `openssl rehash` names them.
    fs::write(folder.join("0123abcd.0"), &authority.1).unwrap();
    let trusting = |port: u16, way: &str, file: &Path| ping(port, way).env("SSL_CERT_FILE", file);

    let good = authority.proxy(port, "localhost", 4000).await;
    for way in ["wss", "tls/ws"] {
        run(trusting(good, way, &file)).await.assert_status(0);
    }
    run(ping(good, "wss").env("SSL_CERT_DIR", &folder)).await.assert_status(0);
    let stranger = run(ping(good, "wss")).await;
    assert!(stranger.error(1).contains("its certificate is from an issuer that this machine does not trust; "));
    assert!(stranger.error(1).contains("SSL_CERT_FILE"), "{stranger:?}");

    let other = authority.proxy(port, "elsewhere.test", 4000).await;
    let ended = run(trusting(other, "wss", &file)).await;
    assert!(ended.error(1).contains("its certificate is for another name than the one dialled; "), "{ended:?}");
    let old = authority.proxy(port, "localhost", 2021).await;
    let ended = run(trusting(old, "wss", &file)).await;
    assert!(ended.error(1).contains("its certificate has expired; "), "{ended:?}");
    let ended = run(trusting(port, "wss", &file)).await;
    assert!(ended.error(1).contains("no TLS is spoken there; write /ws"), "{ended:?}");

    let missing = run(ping(good, "wss").env("SSL_CERT_FILE", dir.path().join("none.pem"))).await;
    assert!(missing.err.iter().any(|line| line.contains("none.pem")), "{missing:?}");
    assert!(missing.error(1).contains("does not trust; "), "{missing:?}");
}
