//! What a deploying pipeline asks of the broker: the gate, the verifications it waits for, and the lease on an environment.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{BrokerClient, REQUEST_TIMEOUT, encode, parse};
use crate::lease::{Lease, LeaseWish};
use crate::{Error, Verdict};

/// What to ask the gate besides the deploy itself.
#[derive(Debug, Clone, Default)]
pub struct AskOptions {
    /// Pacticipants that must not count, each `NAME` or `NAME:VERSION`.
    pub ignore: Vec<String>,
    /// Let the broker answer only once the answer is known, or after this time. The broker holds the request; this client
    /// asks again for waits longer than one request may take.
    pub wait: Duration,
}

/// Longest wait that one request asks the broker for.
const WAIT_OF_ONE_REQUEST: Duration = Duration::from_secs(50);

/// A verification that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VerificationAsked {
    /// Whose contract it is.
    pub consumer: String,
    /// Who has to verify it.
    pub provider: String,
    /// Which version has to.
    pub provider_version: String,
    /// How many webhooks tell it; with none, nobody knows.
    pub webhooks: usize,
}

impl BrokerClient {
    /// Asks the gate whether `version` of `pacticipant` may go to `environment`.
    pub async fn can_i_deploy(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
        options: &AskOptions,
    ) -> Result<Verdict, Error> {
        let mut path = format!(
            "/tracepact/v1/contracts/can-i-deploy?pacticipant={}&version={}&environment={}",
            encode(pacticipant),
            encode(version),
            encode(environment)
        );
        for ignored in &options.ignore {
            path.push_str(&format!("&ignore[]={}", encode(ignored)));
        }
        let mut left = options.wait;
        loop {
            let wait = left.min(WAIT_OF_ONE_REQUEST);
            let request = self
                .http
                .get(self.at(&format!("{path}&wait_s={}", wait.as_secs())))
                .timeout(REQUEST_TIMEOUT + wait);
            let answer = self.send(request, "the question whether it can be deployed").await?;
            let verdict: Verdict = parse(answer, "can-i-deploy")?;
            left -= wait;
            if verdict.deployable.is_some() || left < Duration::from_secs(1) {
                return Ok(verdict);
            }
        }
    }

    /// Takes the lease on an environment. `None` when somebody else holds it and `wish.wait` is over; the text says who.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses for another reason.
    pub async fn lease(&self, environment: &str, wish: &LeaseWish) -> Result<Result<Lease, String>, Error> {
        let path = format!("/tracepact/v1/environments/{}/lease", encode(environment));
        let mut left = wish.wait;
        loop {
            let wait = left.min(WAIT_OF_ONE_REQUEST);
            let request =
                self.http.post(self.at(&path)).timeout(REQUEST_TIMEOUT + wait).json(&wish.body(wait));
            match self.send(request, "the lease on the environment").await {
                Ok(lease) => return Ok(Ok(parse(lease, "the lease on the environment")?)),
                Err(Error::Refused { status: 409, detail, .. }) => {
                    left -= wait;
                    if left < Duration::from_secs(1) {
                        return Ok(Err(detail));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Extends a lease.
    ///
    /// # Errors
    /// 409 in [`Error::Refused`] when it is lost.
    pub async fn renew_lease(&self, id: &str, life: Duration) -> Result<(), Error> {
        let request = self.http.put(self.at(&format!("/tracepact/v1/leases/{}", encode(id))));
        self.send(request.json(&json!({ "life_s": life.as_secs() })), "the renewal of the lease").await?;
        Ok(())
    }

    /// Ends a lease and records nothing.
    pub async fn release_lease(&self, id: &str) -> Result<(), Error> {
        let request = self.http.delete(self.at(&format!("/tracepact/v1/leases/{}", encode(id))));
        self.send(request, "the end of the lease").await?;
        Ok(())
    }

    /// Records, under a lease, that what it was taken for is deployed.
    ///
    /// # Errors
    /// 409 in [`Error::Refused`] when the lease is lost: then nothing is recorded.
    pub async fn record_under_lease(&self, id: &str, instance: Option<&str>) -> Result<(), Error> {
        let request = self.http.post(self.at(&format!("/tracepact/v1/leases/{}/deployment", encode(id))));
        let body = json!({ "application_instance": instance });
        self.send(request.json(&body), "the record of the deployment").await?;
        Ok(())
    }

    /// Has the broker fire the webhooks for every pair without a result that a deploy waits for.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses, for example because the token may not deploy there.
    pub async fn ask_for_verifications(
        &self,
        pacticipant: &str,
        version: &str,
        environment: &str,
    ) -> Result<Vec<VerificationAsked>, Error> {
        let what = "the request for verifications";
        let body = json!({ "pacticipant": pacticipant, "version": version, "environment": environment });
        let mut answer = self.post("/tracepact/v1/contracts/verification-requests", &body, what).await?;
        parse(answer.get_mut("requests").map(Value::take).unwrap_or_default(), what)
    }
}
