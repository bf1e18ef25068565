//! TLS: both protocols, the right certificate, no answer in the clear.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracepact_listener::{Access, Routes, Scope, ServeLimits, Tls, TlsError, serve_with};

struct Files {
    dir: tempfile::TempDir,
    certificate: String,
}

fn files() -> Files {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    Files { dir, certificate: made.cert.pem() }
}

impl Files {
    fn tls(&self) -> Result<Tls, TlsError> {
        Tls::from_pem_files(&self.dir.path().join("cert.pem"), &self.dir.path().join("key.pem"))
    }
}

async fn start(tls: Tls) -> (std::net::SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let drain = CancellationToken::new();
    let routes: Routes =
        Routes::new("test").get("/health", Scope::Public, async |request: axum::extract::Request| {
            format!("{:?}", request.version())
        });
    let router = routes.into_router(Arc::new(Access::for_listen(addr.ip())));
    let limits = ServeLimits { head_timeout: Duration::from_millis(300), ..ServeLimits::default() };
    tokio::spawn(serve_with(listener, Some(tls), router, limits, drain.clone()));
    (addr, drain)
}

#[tokio::test]
async fn both_protocols_are_spoken_behind_tls_and_nothing_without() {
    let files = files();
    let (addr, drain) = start(files.tls().unwrap()).await;
    let trusted = || {
        let root = reqwest::Certificate::from_pem(files.certificate.as_bytes()).unwrap();
        reqwest::Client::builder().add_root_certificate(root).resolve("localhost", addr)
    };
    let url = format!("https://localhost:{}/health", addr.port());
    for (client, version) in [(trusted(), "HTTP/2.0"), (trusted().http1_only(), "HTTP/1.1")] {
        let answer = client.build().unwrap().get(&url).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), version);
    }
    let mut clear = TcpStream::connect(addr).await.unwrap();
    clear.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = clear.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    drain.cancel();
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_cut_off() {
    let (addr, _drain) = start(files().tls().unwrap()).await;
    let mut silent = TcpStream::connect(addr).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut [0; 1])).await;
    assert!(ended.is_ok(), "the connection stayed open");
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let files = files();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let path = |name: &str| files.dir.path().join(name);
    std::fs::write(path("key.pem"), other.signing_key.serialize_pem()).unwrap();
    assert!(matches!(files.tls(), Err(TlsError::Pair(_))));
    std::fs::write(path("key.pem"), "nothing").unwrap();
    assert!(files.tls().unwrap_err().to_string().contains("key.pem"));
    std::fs::write(path("cert.pem"), "").unwrap();
    assert!(files.tls().unwrap_err().to_string().contains("cert.pem"));
}
