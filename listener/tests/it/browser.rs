//! What a web page of another origin could do to this server through its visitor's browser. The requests are the ones
//! that browsers send: "simple" ones go out unasked with `Origin` and `Sec-Fetch-*`, all others ask first by OPTIONS.

use tracepact_listener::CorsOrigins;

use crate::server::{ADMIN, Server, loopback};

const EVIL: &str = "\nOrigin: https://evil.example\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors";
/// What `fetch` can send elsewhere without asking, and a body without any type (a Blob or an ArrayBuffer).
const SIMPLE: [&str; 5] = [
    "\nContent-Type: text/plain",
    "\nContent-Type: text/plain;charset=UTF-8",
    "\nContent-Type: application/x-www-form-urlencoded",
    "\nContent-Type: multipart/form-data; boundary=x",
    "",
];

#[tokio::test]
async fn no_simple_request_of_a_foreign_page_changes_anything() {
    let server = Server::start(loopback()).await;
    for content_type in SIMPLE {
        let spans = server.send(&format!("POST /api/v2/spans HTTP/1.1{content_type}{EVIL}"), b"[]").await;
        assert_eq!(spans.status, 415, "{content_type}");
        let pact = server.send(&format!("POST /pacts/1 HTTP/1.1{content_type}{EVIL}"), b"{}").await;
        assert_eq!(pact.problem(), "TP-FORBIDDEN", "{content_type}");
        // An old browser without these marks, or a privacy tool that takes them out.
        let unmarked = server.send(&format!("POST /pacts/1 HTTP/1.1{content_type}"), b"{}").await;
        assert_eq!(unmarked.status, 415, "{content_type}");
    }
}

#[tokio::test]
async fn a_form_that_remembers_basic_credentials_changes_nothing() {
    let server = Server::start(loopback()).await;
    use base64::Engine;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("me:{ADMIN}"));
    let head = format!("POST /pacts/1 HTTP/1.1\nContent-Type: text/plain\nAuthorization: Basic {basic}");
    assert_eq!(server.send(&head, b"{}").await.status, 415);
}

#[tokio::test]
async fn a_bearer_token_stands_in_for_the_media_type() {
    let server = Server::start(loopback()).await;
    let head = format!("POST /pacts/1 HTTP/1.1\nContent-Type: text/plain\nAuthorization: Bearer {ADMIN}");
    assert_eq!(server.send(&head, b"{}").await.status, 201);
    // An unknown one stands for nothing.
    let head = "POST /pacts/1 HTTP/1.1\nContent-Type: text/plain\nAuthorization: Bearer made-up";
    assert_eq!(server.send(head, b"{}").await.status, 415);
}

#[tokio::test]
async fn preflights_are_granted_for_span_ingest_only() {
    let server = Server::start(loopback()).await;
    let ask = async |path: &str, method: &str| {
        let head = format!(
            "OPTIONS {path} HTTP/1.1\nAccess-Control-Request-Method: {method}\nAccess-Control-Request-Headers: content-type{EVIL}"
        );
        server.send(&head, b"").await
    };
    let spans = ask("/api/v2/spans", "POST").await;
    assert_eq!((spans.status, spans.header("access-control-allow-origin")), (204, Some("*")));
    assert!(spans.header("access-control-allow-headers").unwrap().contains("content-type"));
    assert_eq!(spans.header("access-control-allow-credentials"), None);
    for (path, method) in
        [("/pacts/1", "PUT"), ("/pacts/1", "DELETE"), ("/pacts/1", "POST"), ("/tracepact/v1/overview", "GET")]
    {
        let refused = ask(path, method).await;
        assert_eq!((refused.status, refused.header("access-control-allow-origin")), (405, None), "{path}");
    }
}

#[tokio::test]
async fn browser_reporters_send_spans_and_zipkin_answers_can_be_read_anywhere() {
    let server = Server::start(loopback()).await;
    let cors = "\nOrigin: https://shop.example\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: cors";
    let head = format!("POST /api/v2/spans HTTP/1.1\nContent-Type: application/json{cors}");
    let sent = server.send(&head, b"[]").await;
    assert_eq!((sent.status, sent.header("access-control-allow-origin")), (202, Some("*")));
    let read = server.send(&format!("GET /api/v2/services HTTP/1.1{cors}"), b"").await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, Some("*")));
}

#[tokio::test]
async fn a_foreign_page_reads_nothing_else() {
    let server = Server::start(loopback()).await;
    let port = server.addr.port();
    let get =
        async |marks: &str| server.send(&format!("GET /tracepact/v1/overview HTTP/1.1{marks}"), b"").await;
    let ours = get("").await;
    assert_eq!((ours.status, ours.header("access-control-allow-origin")), (200, None));
    assert_eq!(ours.header("cross-origin-resource-policy"), Some("same-origin"));
    assert_eq!(ours.header("x-content-type-options"), Some("nosniff"));
    for foreign in [
        "\nOrigin: https://evil.example",
        "\nOrigin: null",
        "\nOrigin: http://localhost:3000",
        "\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors",
        "\nSec-Fetch-Site: same-site\nSec-Fetch-Mode: cors",
    ] {
        assert_eq!(get(foreign).await.problem(), "TP-FORBIDDEN", "{foreign}");
    }
    for own in [
        format!("\nOrigin: http://127.0.0.1:{port}\nSec-Fetch-Site: same-origin"),
        "\nSec-Fetch-Site: none\nSec-Fetch-Mode: navigate".to_owned(),
        "\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate".to_owned(),
    ] {
        assert_eq!(get(&own).await.status, 200, "{own}");
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_even_use_a_media_type_that_asks_first() {
    let server = Server::start(loopback()).await;
    for marks in
        [EVIL, "\nOrigin: http://localhost:1", "\nSec-Fetch-Site: same-site\nSec-Fetch-Mode: navigate"]
    {
        let head = format!("POST /pacts/1 HTTP/1.1\nContent-Type: application/json{marks}");
        assert_eq!(server.send(&head, b"{}").await.problem(), "TP-FORBIDDEN", "{marks}");
    }
    let own = format!(
        "POST /pacts/1 HTTP/1.1\nContent-Type: application/json\nOrigin: http://{}\nSec-Fetch-Site: same-origin",
        server.addr
    );
    assert_eq!(server.send(&own, b"{}").await.status, 201);
}

#[tokio::test]
async fn with_a_list_of_origins_only_their_pages_are_served() {
    let only = CorsOrigins::new(["https://shop.example"]).unwrap();
    let server = Server::start(loopback().with_cors(only)).await;
    let marks = |origin: &str| {
        format!("\nOrigin: https://{origin}\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: cors")
    };
    let post = async |origin: &str| {
        let head = format!("POST /api/v2/spans HTTP/1.1\nContent-Type: application/json{}", marks(origin));
        server.send(&head, b"[]").await
    };
    let get = async |origin: &str| {
        server.send(&format!("GET /api/v2/services HTTP/1.1{}", marks(origin)), b"").await
    };
    let ask = async |origin: &str| {
        let method = "Access-Control-Request-Method: POST\nAccess-Control-Request-Headers: content-type";
        server.send(&format!("OPTIONS /api/v2/spans HTTP/1.1\n{method}{}", marks(origin)), b"").await
    };
    for answer in [post("shop.example").await, get("shop.example").await, ask("shop.example").await] {
        assert!(answer.status < 300, "{}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
        assert_eq!(answer.header("vary"), Some("origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    assert!(ask("shop.example").await.header("access-control-allow-methods").unwrap().contains("post"));
    for answer in [post("evil.example").await, get("evil.example").await, ask("evil.example").await] {
        assert!(answer.status >= 400, "{}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("access-control-allow-headers"), None);
    }
    // Programs that are no browsers send no origin.
    let program = server.send("GET /api/v2/services HTTP/1.1", b"").await;
    assert_eq!((program.status, program.header("access-control-allow-origin")), (200, None));
}
