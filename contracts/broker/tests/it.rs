//! The broker over HTTP: the forms real Pact clients send (recorded), the rules behind them, bad input, parallel
//! writers, delivery of events, and the Pact project's own verifier in process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed unwrap in a test is a failed test, with its line"
)]

mod it {
    mod bad_input;
    mod clients;
    mod conventions;
    mod databases;
    mod exceptions;
    mod fuzz;
    mod gate;
    mod leases;
    mod outbox;
    mod parallel;
    mod postgres;
    mod proposal_flow;
    mod proposal_states;
    mod proposals;
    mod publish;
    mod resources;
    mod roles;
    mod support;
    mod traffic;
    mod traffic_wanted;
    mod upkeep;
    mod users;
    mod verification;
    mod verification_requests;
    mod webhooks;
}
