//! The broker's users: who they are, what they may do, and how the listener's gate asks about both.
//!
//! As long as there is no user, the listener's own rules hold (open on loopback, tokens beyond). With the first one,
//! nothing of the broker is open any more but what the settings name (`allow_public_read`, badges, the heartbeat).

pub(crate) mod asker;
pub(crate) mod gate;
pub(crate) mod rights;
pub(crate) mod secrets;
pub(crate) mod verified;

use std::collections::BTreeMap;

use tracepact_base::Secret;

/// One name and password from the settings: for clients that know only basic authentication.
#[derive(Debug, Clone)]
pub struct BasicPair {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Settings of who may do what in the broker, besides the users in its database.
#[derive(Debug, Clone, Default)]
pub struct AuthConfig {
    /// May do what a Pact Broker's user may do: everything Pact clients call.
    pub writer: Option<BasicPair>,
    /// May read.
    pub reader: Option<BasicPair>,
    /// Reading needs no credentials although there are users.
    pub allow_public_read: bool,
    /// Which team owns a provider, by pacticipant name: only its members accept proposals to it.
    pub teams: BTreeMap<String, String>,
}
