//! Bodies, media types, methods and paths that are not as they should be.

use std::io::Write;

use crate::server::{Server, loopback};

const JSON: &str = "POST /api/v2/spans HTTP/1.1\nContent-Type: application/json";

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_encoding_is_read() {
    let server = Server::start(loopback()).await;
    let spans = b"[{\"id\":\"1\"},{\"id\":\"2\"}]";
    for (encoding, body) in [
        ("gzip", gzip(spans)),
        ("x-gzip", gzip(spans)),
        ("deflate", zlib(spans)),
        ("deflate", raw_deflate(spans)),
        ("zstd", zstd::encode_all(&spans[..], 3).unwrap()),
        ("identity", spans.to_vec()),
        ("GZIP", gzip(spans)),
    ] {
        let answer = server.send(&format!("{JSON}\nContent-Encoding: {encoding}"), &body).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, "23"), "{encoding}");
    }
}

#[tokio::test]
async fn what_expands_beyond_its_limit_is_refused_while_it_expands() {
    let server = Server::start(loopback()).await;
    let bomb = vec![b' '; 600_000];
    for (encoding, body) in
        [("gzip", gzip(&bomb)), ("deflate", zlib(&bomb)), ("zstd", zstd::encode_all(&bomb[..], 3).unwrap())]
    {
        assert!(body.len() < 1024, "the bomb has to pass the limit of what is sent");
        let answer = server.send(&format!("{JSON}\nContent-Encoding: {encoding}"), &body).await;
        assert_eq!(answer.problem(), "TP-TOO-LARGE", "{encoding}");
    }
}

#[tokio::test]
async fn broken_and_unknown_encodings_are_refused() {
    let server = Server::start(loopback()).await;
    for encoding in ["gzip", "deflate", "zstd"] {
        let broken = server.send(&format!("{JSON}\nContent-Encoding: {encoding}"), b"not compressed").await;
        assert_eq!((broken.status, broken.problem().as_str()), (400, "TP-INVALID"), "{encoding}");
    }
    let mut cut = gzip(&[7; 300]);
    cut.truncate(cut.len() - 4);
    assert_eq!(server.send(&format!("{JSON}\nContent-Encoding: gzip"), &cut).await.status, 400);
    for unknown in ["br", "gzip, gzip", "gzip, zstd"] {
        let answer = server.send(&format!("{JSON}\nContent-Encoding: {unknown}"), b"x").await;
        assert_eq!(answer.status, 415, "{unknown}");
    }
}

#[tokio::test]
async fn over_long_bodies_are_refused_announced_or_not() {
    let server = Server::start(loopback()).await;
    assert_eq!(server.send(JSON, &[b' '; 1025]).await.problem(), "TP-TOO-LARGE");
    let chunked = format!("401\r\n{}\r\n0\r\n\r\n", " ".repeat(1025));
    let mut stream = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    let head = format!("{JSON}\nHost: localhost\nTransfer-Encoding: chunked\nConnection: close\n\n")
        .replace('\n', "\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, (head + &chunked).as_bytes()).await.unwrap();
    assert_eq!(crate::server::Answer::read(&mut stream).await.problem(), "TP-TOO-LARGE");
    assert_eq!(server.send(JSON, &[b' '; 1024]).await.status, 202);
}

#[tokio::test]
async fn media_types_are_the_routes_own() {
    let server = Server::start(loopback()).await;
    let post = async |content_type: &str| {
        server.send(&format!("POST /api/v2/spans HTTP/1.1{content_type}"), b"[]").await
    };
    for taken in
        ["", "\nContent-Type: application/json; charset=utf-8", "\nContent-Type: Application/X-Protobuf"]
    {
        assert_eq!(post(taken).await.status, 202, "{taken}");
    }
    for refused in
        ["\nContent-Type: text/plain", "\nContent-Type: application/jsonx", "\nContent-Type: application/xml"]
    {
        let answer = post(refused).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "TP-INVALID"), "{refused}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_say_so() {
    let server = Server::start(loopback()).await;
    let unknown = server.send("GET /api/v3/spans HTTP/1.1", b"").await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "TP-NOT-FOUND"));
    assert!(unknown.body.contains("/api/v3/spans"));
    let wrong = server.send("PATCH /pacts/1 HTTP/1.1", b"").await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (405, "TP-INVALID"));
    let mut allowed: Vec<_> = wrong.header("allow").unwrap().split(", ").collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["delete", "post", "put"]);
    for path in ["/pacts/1", "/nowhere", "/api/v2/spans"] {
        assert_eq!(server.send(&format!("TRACE {path} HTTP/1.1"), b"").await.problem(), "TP-INVALID");
        assert_eq!(server.send(&format!("TRACE {path} HTTP/1.1"), b"").await.status, 405, "{path}");
    }
    assert_eq!(server.send("HEAD /health HTTP/1.1", b"").await.status, 200);
}
