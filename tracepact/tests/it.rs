//! The built binary: start, refuse, serve, drain, die and come back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap in a test is a failed test")]

#[path = "it/access.rs"]
mod access;
#[path = "it/bad_input.rs"]
mod bad_input;
#[path = "it/configuration.rs"]
mod configuration;
#[path = "it/hostile_senders.rs"]
mod hostile_senders;
#[path = "it/lifecycle.rs"]
mod lifecycle;
#[path = "it/one_vocabulary.rs"]
mod one_vocabulary;
#[path = "it/operator.rs"]
mod operator;
#[path = "it/server.rs"]
mod server;
#[path = "it/spans.rs"]
mod spans;
#[path = "it/zipkin_settings.rs"]
mod zipkin_settings;
