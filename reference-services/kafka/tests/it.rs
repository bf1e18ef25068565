//! The broker as clients meet it: over TCP.

#![allow(clippy::unwrap_used, reason = "a failed unwrap in a helper is a failed test, with its line")]

#[path = "it/clients.rs"]
mod clients;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/fuzz.rs"]
mod fuzz;
#[path = "it/groups.rs"]
mod groups;
#[path = "it/limits.rs"]
mod limits;
#[path = "it/requests.rs"]
mod requests;
#[path = "it/versions.rs"]
mod versions;
#[path = "it/wire.rs"]
mod wire;
