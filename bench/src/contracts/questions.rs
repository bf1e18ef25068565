//! What clients ask, one question after the other, of services drawn at random; every answer is checked.

use std::cell::RefCell;
use std::time::Instant;

use anyhow::{Context, ensure};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tracepact_tests::Api;

use super::Measured;
use super::history::{BEGINNING_NS, Pair, Size, VERSION_EVERY_NS};
use super::publish::publish;
use crate::latency::Latency;

/// One question in so many is about a version drawn at random, the others about the newest.
const ANY_VERSION: u32 = 4;
/// Versions whose contents are new to a build that asks for work in progress.
const NEW_VERSIONS: u32 = 20;
/// First requests, which open the connection and fill the caches that a running server has.
const WARM_UP: usize = 20;

/// Asks what pipelines and pages ask all day, `count` times the common ones.
pub(crate) async fn ask(api: &Api, size: Size, count: usize, all: &mut Measured) -> anyhow::Result<()> {
    let pairs = size.pairs();
    let asker = Asker { api, size, pairs: &pairs, random: RefCell::new(SmallRng::seed_from_u64(11)) };
    let some = (count / 5).max(5);
    measure(all, "can-i-deploy as the Pact CLI asks", count, async || {
        let (service, index) = asker.version();
        asker.deploy(service, index).await
    })
    .await?;
    measure(all, "can-i-deploy of the hub", some, async || asker.deploy(1, size.versions - 1).await).await?;
    measure(all, "can-i-deploy, native", count, async || {
        let (service, index) = asker.version();
        asker.deploy_native(service, index).await
    })
    .await?;
    measure(all, "for-verification", count, async || asker.to_verify(asker.service()).await).await?;
    measure(all, "for-verification of the hub", some, async || asker.to_verify(1).await).await?;
    measure(all, "for-verification with work in progress", some, async || {
        asker.work_in_progress(asker.service()).await
    })
    .await?;
    measure(all, "matrix page", some, async || asker.matrix(asker.service()).await).await?;
    let mut number = 0;
    measure(all, "publish", count, async || {
        number += 1;
        publish(api, asker.service(), "service-1", &format!("b{number}"), number).await
    })
    .await
}

/// Asks for what is a list of everything there is now, which no history may slow down either.
pub(crate) async fn ask_for_all(
    api: &Api,
    size: Size,
    count: usize,
    all: &mut Measured,
) -> anyhow::Result<()> {
    let pairs = size.pairs();
    let asker = Asker { api, size, pairs: &pairs, random: RefCell::new(SmallRng::seed_from_u64(11)) };
    let few = (count / 20).max(5);
    measure(all, "contracts page (overview)", few, async || asker.overview().await).await?;
    measure(all, "network (relationships)", few, async || asker.network().await).await?;
    measure(all, "dashboard data, a page of 100", few, async || {
        asker.list("/dashboard?pageNumber=1&pageSize=100", "/items", 100).await
    })
    .await?;
    measure(all, "newest pacts of all pairs", few, async || {
        asker.list("/pacts/latest", "/_links/pb:pacts", pairs.len()).await
    })
    .await
}

async fn measure(
    all: &mut Measured,
    what: &str,
    count: usize,
    mut ask: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut latency = Latency::default();
    for i in 0..count + WARM_UP {
        let began = Instant::now();
        ask().await.with_context(|| what.to_owned())?;
        if i >= WARM_UP {
            latency.add(began.elapsed());
        }
    }
    println!(
        "  {what}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms ({count} requests)",
        latency.quantile_ms(0.5),
        latency.quantile_ms(0.99),
        latency.quantile_ms(1.0),
    );
    all.push((what.to_owned(), latency));
    Ok(())
}

/// Asks, and knows the right answers.
struct Asker<'a> {
    api: &'a Api,
    size: Size,
    pairs: &'a [Pair],
    random: RefCell<SmallRng>,
}

impl Asker<'_> {
    /// One of the services that are not the hub.
    fn service(&self) -> u32 {
        self.random.borrow_mut().random_range(2..=self.size.pacticipants)
    }

    /// A service and the index of one of its versions.
    fn version(&self) -> (u32, u32) {
        let service = self.service();
        let mut random = self.random.borrow_mut();
        let any = random.random_ratio(1, ANY_VERSION);
        (service, if any { random.random_range(0..self.size.versions) } else { self.size.versions - 1 })
    }

    async fn deploy(&self, service: u32, index: u32) -> anyhow::Result<()> {
        let path = format!(
            "/matrix?q%5B%5D%5Bpacticipant%5D=service-{service}&q%5B%5D%5Bversion%5D=v{}&latestby=cvpv&environment=production",
            index + 1
        );
        let answer = self.api.get(&path).await?;
        let wanted = self.size.deploy(self.pairs, service, index);
        let summary = &answer["summary"];
        let counts = json!([wanted.success, wanted.failed, wanted.unknown]);
        ensure!(
            summary["deployable"] == json!(wanted.deployable())
                && json!([summary["success"], summary["failed"], summary["unknown"]]) == counts
                && rows(&answer["matrix"]) == wanted.success + wanted.failed + wanted.unknown,
            "service-{service} v{}: wanted {wanted:?}, got {summary}",
            index + 1
        );
        Ok(())
    }

    async fn deploy_native(&self, service: u32, index: u32) -> anyhow::Result<()> {
        let path = format!(
            "/tracepact/v1/contracts/can-i-deploy?pacticipant=service-{service}&version=v{}&environment=production",
            index + 1
        );
        let answer = self.api.get(&path).await?;
        let wanted = self.size.deploy(self.pairs, service, index);
        let holds = |wanted: &Value| {
            answer["rows"].as_array().into_iter().flatten().filter(|r| r["success"] == *wanted).count()
        };
        ensure!(
            answer["deployable"] == json!(wanted.deployable())
                && holds(&true.into()) == wanted.success
                && holds(&false.into()) == wanted.failed
                && holds(&Value::Null) == wanted.unknown,
            "service-{service} v{}: wanted {wanted:?}, got {}",
            index + 1,
            answer["reason"]
        );
        Ok(())
    }

    /// What the verifier of a provider's main branch asks. The head of that branch verified all of it.
    async fn to_verify(&self, service: u32) -> anyhow::Result<()> {
        self.verification(service, &Value::Null).await
    }

    /// The same with work in progress of the last versions; nothing is in progress that is not on the main branch.
    async fn work_in_progress(&self, service: u32) -> anyhow::Result<()> {
        let since =
            i64::from(self.size.versions.saturating_sub(NEW_VERSIONS)) * VERSION_EVERY_NS + BEGINNING_NS;
        let since = tracepact_base::time_format::to_rfc3339(u64::try_from(since)?);
        self.verification(service, &json!(since)).await
    }

    async fn verification(&self, service: u32, wip_since: &Value) -> anyhow::Result<()> {
        let mut question = json!({
            "consumerVersionSelectors": [{ "mainBranch": true }, { "deployedOrReleased": true }],
            "includePendingStatus": true,
            "providerVersionBranch": "main",
        });
        if !wip_since.is_null() {
            question["includeWipPactsSince"] = wip_since.clone();
        }
        let path = format!("/pacts/provider/service-{service}/for-verification");
        let answer = self.api.change("POST", &path, &question).await?;
        let pacts = &answer["_embedded"]["pacts"];
        let pending = pacts.as_array().into_iter().flatten();
        let pending = pending.filter(|p| p["verificationProperties"]["pending"] != false).count();
        let wanted = self.size.to_verify(self.pairs, service);
        ensure!(
            rows(pacts) == wanted && pending == 0,
            "service-{service}: wanted {wanted} pacts, got {} of which {pending} are pending",
            rows(pacts)
        );
        Ok(())
    }

    async fn matrix(&self, service: u32) -> anyhow::Result<()> {
        let path = format!("/tracepact/v1/contracts/matrix?pacticipant=service-{service}");
        let answer = self.api.get(&path).await?;
        let wanted = self.size.matrix(self.pairs, service);
        ensure!(
            rows(&answer["rows"]) == wanted,
            "service-{service}: wanted {wanted} rows, got {}",
            rows(&answer["rows"])
        );
        Ok(())
    }

    async fn overview(&self) -> anyhow::Result<()> {
        let answer = self.api.get("/tracepact/v1/contracts/overview").await?;
        let services = rows(&answer["pacticipants"]);
        let verified = answer["pacts"].as_array().into_iter().flatten();
        let verified = verified.filter(|p| p["verification"] == "ok").count();
        ensure!(
            services == self.size.pacticipants as usize && verified == rows(&answer["pacts"]) && verified > 0,
            "{services} services, {verified} of {} contracts are verified",
            rows(&answer["pacts"])
        );
        Ok(())
    }

    async fn network(&self) -> anyhow::Result<()> {
        let text = self.api.text("/relationships").await?;
        let lines = text.lines().count();
        // One line for each service, and maybe a heading.
        let services = self.size.pacticipants as usize;
        ensure!((services..=services + 1).contains(&lines), "{lines} lines for {services} services");
        Ok(())
    }

    async fn list(&self, path: &str, at: &str, wanted: usize) -> anyhow::Result<()> {
        let answer = self.api.get(path).await?;
        let found = answer.pointer(at).map_or(0, rows);
        ensure!(found == wanted, "{path}: wanted {wanted} entries, got {found}");
        Ok(())
    }
}

fn rows(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}
