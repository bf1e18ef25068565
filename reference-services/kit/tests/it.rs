//! The kit from outside: real HTTP, real collectors' answers, a real Kafka protocol.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test, with its line")]

mod it {
    mod collector;
    mod export;
    mod fuzz;
    mod http;
    mod hystrix;
    mod kafka;
    mod layers;
    mod metrics;
    mod support;
}
