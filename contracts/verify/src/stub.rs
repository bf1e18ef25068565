//! A stub of a provider for its consumer's tests: answers what contracts say, from the moment a file or a proposal
//! exists, so that both sides develop at the same time.
//!
//! A stub built from a wish can lie. So every answer says how far the contract is
//! (`Tracepact-Contract-State: draft | proposed | accepted | verified`), and [`Contracts::require_verified`] refuses to
//! start one that the provider has not shown to be true.

mod contracts;
mod faults;
mod matching;
mod messages;
mod serve;

pub use contracts::{ContractState, Contracts, StubContract};
pub use faults::Faults;
pub use messages::{Published, publish};
pub use serve::{Stub, StubOptions};

/// Header of every answer: the state of the contract behind it.
pub const STATE_HEADER: &str = "tracepact-contract-state";
/// Header of a request: the provider state it is meant in; may stand several times.
pub const PROVIDER_STATE_HEADER: &str = "tracepact-provider-state";
