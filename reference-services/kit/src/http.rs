//! HTTP: a tower layer for what comes in, a client for what goes out, and `traceresponse`.

pub mod client;
pub mod server;
pub mod traceresponse;

pub use client::{Client, RequestBuilder};
pub use server::{ServerLayer, ServerService, server_layer};
pub use traceresponse::traceresponse;

/// The method as the conventions want it: a known one, or `_OTHER` for anything else (it comes from strangers).
fn known_method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "CONNECT" => "CONNECT",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "PATCH" => "PATCH",
        "QUERY" => "QUERY",
        _ => "_OTHER",
    }
}
