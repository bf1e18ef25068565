//! What a pipeline makes known: versions, environments, and what was deployed where.

use serde_json::{Value, json};

use super::{BrokerClient, encode};
use crate::Error;

impl BrokerClient {
    /// Records that `version` of `pacticipant` now runs in `environment`; it replaces what was recorded there.
    pub async fn record_deployment(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
    ) -> Result<(), Error> {
        let path = format!(
            "/pacticipants/{}/versions/{}/deployed-versions/environment/{}",
            encode(pacticipant),
            encode(version),
            self.environment_uuid(environment).await?
        );
        self.send(self.http.post(self.at(&path)).json(&json!({})), "the record of the deployment").await?;
        Ok(())
    }

    /// Makes sure a pacticipant and this version of it exist.
    pub async fn ensure_version(&self, pacticipant: &str, version: &str) -> Result<(), Error> {
        let path = format!("/pacticipants/{}/versions/{}", encode(pacticipant), encode(version));
        self.send(self.http.put(self.at(&path)).json(&json!({})), "the new version").await?;
        Ok(())
    }

    /// Makes sure an environment exists.
    pub async fn ensure_environment(&self, name: &str, production: bool) -> Result<(), Error> {
        if self.environment_uuid(name).await.is_ok() {
            return Ok(());
        }
        let body = json!({ "name": name, "displayName": name, "production": production });
        self.send(self.http.post(self.at("/environments")).json(&body), "the new environment").await?;
        Ok(())
    }

    async fn environment_uuid(&self, name: &str) -> Result<String, Error> {
        let answer = self.send(self.http.get(self.at("/environments")), "the list of environments").await?;
        let list =
            answer.pointer("/_embedded/environments").and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter()
            .find(|e| e.get("name").and_then(Value::as_str) == Some(name))
            .and_then(|e| e.get("uuid").and_then(Value::as_str))
            .map(str::to_owned)
            .ok_or_else(|| {
                let known: Vec<&str> =
                    list.iter().filter_map(|e| e.get("name").and_then(Value::as_str)).collect();
                Error::Usage(format!(
                    "there is no environment {name:?}; the broker knows {}",
                    known.join(", ")
                ))
            })
    }
}
