//! Setting up provider states: over HTTP (`POST {state, params, action}`) or by the provider's own commands.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use pact_models::provider_states::ProviderState;
use pact_verifier::callback_executors::{HttpRequestProviderStateExecutor, ProviderStateExecutor};
use serde_json::{Value, json};

use parking_lot::Mutex;

use crate::provider_config::ProviderConfig;
use crate::run_command::run;

/// How states are set up.
#[derive(Debug, Clone)]
pub(crate) enum States {
    /// Over HTTP, or not at all without an address.
    Http(Arc<HttpRequestProviderStateExecutor>),
    /// By commands; what failed is kept, since the verifier only says that something did.
    Commands(Arc<ProviderConfig>, Arc<Mutex<Vec<String>>>),
}

impl States {
    pub(crate) fn http(url: Option<String>) -> Self {
        Self::Http(Arc::new(HttpRequestProviderStateExecutor {
            state_change_url: url,
            retries: 1,
            ..HttpRequestProviderStateExecutor::default()
        }))
    }

    pub(crate) fn commands(config: Arc<ProviderConfig>) -> Self {
        Self::Commands(config, Arc::default())
    }

    /// Why states could not be set up, each reason once.
    pub(crate) fn failures(&self) -> Vec<String> {
        match self {
            Self::Http(_) => Vec::new(),
            Self::Commands(_, failures) => failures.lock().clone(),
        }
    }
}

#[async_trait]
impl ProviderStateExecutor for States {
    async fn call(
        self: Arc<Self>,
        interaction_id: Option<String>,
        provider_state: &ProviderState,
        setup: bool,
        client: Option<&reqwest::Client>,
    ) -> anyhow::Result<HashMap<String, Value>> {
        match &*self {
            Self::Http(executor) => {
                executor.clone().call(interaction_id, provider_state, setup, client).await
            }
            Self::Commands(config, failures) => {
                by_command(config, provider_state, setup).await.map_err(|reason| {
                    let mut failures = failures.lock();
                    if !failures.contains(&reason) {
                        failures.push(reason.clone());
                    }
                    anyhow::Error::msg(reason)
                })
            }
        }
    }

    fn teardown(&self) -> bool {
        matches!(self, Self::Commands(..))
    }
}

/// The values a state's command printed (a JSON object, or nothing) can be used by the contract's generators.
async fn by_command(
    config: &ProviderConfig,
    state: &ProviderState,
    setup: bool,
) -> Result<HashMap<String, Value>, String> {
    if state.name.is_empty() {
        return Ok(HashMap::new());
    }
    let Some(command) = config.states.get(&state.name) else {
        let known: Vec<&str> = config.states.keys().map(String::as_str).collect();
        return Err(format!(
            "the provider's configuration has no command for the state {:?}; it has {}",
            state.name,
            if known.is_empty() { "none".into() } else { known.join(", ") }
        ));
    };
    let action = if setup { "setup" } else { "teardown" };
    let input = json!({ "state": state.name, "params": state.params, "action": action });
    let out = run(&command.command, &config.folder, command.timeout_ms, &input)
        .await
        .map_err(|reason| format!("{action} of the state {:?}: {reason}", state.name))?;
    match out.trim() {
        "" => Ok(HashMap::new()),
        text => Ok(serde_json::from_str(text).unwrap_or_default()),
    }
}
