//! End to end: the built binaries, unmodified third-party clients, a real Kafka.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]
mod e2e {
    mod broker_cli;
    mod full_disk;
    mod generated_java;
    mod kill9;
    mod otel_clients;
    mod own_cli;
    mod pact_broker_names;
    mod pact_cli;
    mod pact_clients;
    mod pact_stub;
    mod pipelines;
    mod proposal_cli;
    mod proposal_states;
    mod provider;
    mod real_servers;
    mod server;
    mod stories;
    mod users_cli;
    mod zipkin_clients;
    mod zipkin_lens;
}
