//! Integration tests of the engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests: a failed unwrap is a failed test"
)]

#[path = "../../model/tests/it/arbitrary.rs"]
mod arbitrary;
#[path = "it/arrangements.rs"]
mod arrangements;
#[path = "it/blocks.rs"]
mod blocks;
#[path = "it/conform.rs"]
mod conform;
#[path = "it/damage.rs"]
mod damage;
#[path = "it/deletes.rs"]
mod deletes;
#[path = "it/format_docs.rs"]
mod format_docs;
#[path = "it/golden.rs"]
mod golden;
#[path = "it/helpers.rs"]
mod helpers;
#[path = "it/links.rs"]
mod links;
#[path = "it/power.rs"]
mod power;
#[path = "it/power_loss.rs"]
mod power_loss;
#[path = "it/red.rs"]
mod red;
#[path = "it/restart.rs"]
mod restart;
#[path = "it/snapshots.rs"]
mod snapshots;
