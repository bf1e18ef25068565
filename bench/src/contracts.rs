//! The broker over a long history: what its questions cost, and whether the cost grows with the history.

mod fill;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use base64::Engine;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tracepact_tests::{Api, Processes};

use crate::latency::Latency;
use crate::process;
use fill::Size;

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct ContractOptions {
    /// Services that have contracts with each other.
    #[arg(long, default_value_t = 500)]
    pacticipants: u32,
    /// Versions of each; several lengths of history, one run each.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 20, 200])]
    versions: Vec<u32>,
    /// Requests of each kind.
    #[arg(long, default_value_t = 1_000)]
    questions: usize,
    /// Publications in the last step, at 200 a second.
    #[arg(long, default_value_t = 3_000)]
    publications: usize,
    /// Where the databases are made.
    #[arg(long)]
    contracts_dir: Option<PathBuf>,
}

/// Publications a second in the last step.
const PUBLISH_RATE: f64 = 200.0;

pub(crate) async fn run(tracepact: &Path, options: &ContractOptions) -> anyhow::Result<()> {
    for versions in &options.versions {
        let size = Size { pacticipants: options.pacticipants, versions: *versions };
        let last = Some(versions) == options.versions.last();
        one(tracepact, options, size, last).await?;
    }
    Ok(())
}

async fn one(tracepact: &Path, options: &ContractOptions, size: Size, last: bool) -> anyhow::Result<()> {
    let folder = match &options.contracts_dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let data = folder.path().join("data");
    let mut processes = Processes::new(folder.path())?;
    let mut flags = crate::serve_flags(&data);
    flags.extend(["--only".to_owned(), "broker".to_owned()]);
    // The broker makes its tables; the history is written while it is down.
    processes.start("tracepact", tracepact, &flags).await?;
    processes.stop("tracepact").await?;
    let began = Instant::now();
    let filled = fill::sqlite(&data.join("contracts.db"), size).await?;
    println!(
        "history: {} services x {} versions, {} pacts, {} contents, {} verification results, {:.0} MB, written in {:.0} s",
        size.pacticipants,
        size.versions,
        filled.pacts,
        filled.contents,
        filled.verifications,
        process::folder_bytes(&data)? as f64 / 1e6,
        began.elapsed().as_secs_f64(),
    );
    let began = Instant::now();
    let server = processes.start("tracepact", tracepact, &flags).await?;
    println!("  started in {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let pid = server.pid().context("the server has no process id")?;
    println!("  RSS after the start: {:.1} MB", process::rss_mb(pid)?);
    let api = Api::new(&server.address("broker")?)?;
    questions(&api, options, size).await?;
    println!(
        "  RSS after the questions: {:.1} MB (peak {:.1})",
        process::rss_mb(pid)?,
        process::peak_rss_mb(pid)?
    );
    if last {
        publish_steadily(&api, options).await?;
        println!(
            "  RSS at the end: {:.1} MB (peak {:.1})",
            process::rss_mb(pid)?,
            process::peak_rss_mb(pid)?
        );
    }
    processes.stop_all(&[]).await;
    Ok(())
}

/// Asks each kind of question, one after the other, of services drawn at random.
async fn questions(api: &Api, options: &ContractOptions, size: Size) -> anyhow::Result<()> {
    let mut random = SmallRng::seed_from_u64(11);
    let mut service = move || format!("service-{}", random.random_range(2..=size.pacticipants));
    let newest = format!("v{}", size.versions);
    let count = options.questions;
    let gate = |name: &str| {
        format!(
            "/matrix?q%5B%5D%5Bpacticipant%5D={name}&q%5B%5D%5Bversion%5D={newest}&latestby=cvpv&environment=production"
        )
    };
    let decided = |answer: &Value| {
        let rows = answer["matrix"].as_array().map_or(0, Vec::len);
        ensure!(rows > 0 && answer["summary"]["unknown"] == 0, "an answer without its rows: {answer}");
        Ok(())
    };
    measure("can-i-deploy as the Pact CLI asks", count, async || decided(&api.get(&gate(&service())).await?))
        .await?;
    measure("can-i-deploy of the hub (100 consumers)", count / 5, async || {
        decided(&api.get(&gate("service-1")).await?)
    })
    .await?;
    measure("can-i-deploy, native", count, async || {
        let path = format!(
            "/tracepact/v1/contracts/can-i-deploy?pacticipant={}&version={newest}&environment=production",
            service()
        );
        let answer = api.get(&path).await?;
        ensure!(answer["deployable"].is_boolean(), "no answer: {answer}");
        Ok(())
    })
    .await?;
    let wanted = json!({
        "consumerVersionSelectors": [{ "mainBranch": true }, { "deployedOrReleased": true }],
        "includePendingStatus": true,
        "providerVersionBranch": "main",
    });
    let selected = async |name: &str| {
        let path = format!("/pacts/provider/{name}/for-verification");
        let answer = api.change("POST", &path, &wanted).await?;
        ensure!(answer["_embedded"]["pacts"].as_array().is_some_and(|p| !p.is_empty()), "{answer}");
        Ok(())
    };
    measure("for-verification", count, async || selected(&service()).await).await?;
    measure("for-verification of the hub", count / 10, async || selected("service-1").await).await?;
    measure("matrix page of one service", count / 5, async || {
        let answer = api.get(&format!("/tracepact/v1/contracts/matrix?pacticipant={}", service())).await?;
        ensure!(answer["rows"].as_array().is_some_and(|r| !r.is_empty()), "{answer}");
        Ok(())
    })
    .await?;
    measure("contracts page (overview)", (count / 50).max(5), async || {
        let answer = api.get("/tracepact/v1/contracts/overview").await?;
        ensure!(answer["pacticipants"].as_array().is_some_and(|p| !p.is_empty()), "{answer}");
        Ok(())
    })
    .await?;
    let mut number = 0;
    measure("publish", count, async || {
        number += 1;
        publish(api, &service(), "service-1", &format!("b{number}"), number).await
    })
    .await
}

async fn measure(
    what: &str,
    count: usize,
    mut ask: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut latency = Latency::default();
    for i in 0..count + 5 {
        let began = Instant::now();
        ask().await.with_context(|| what.to_owned())?;
        // The first few open the connection and fill the caches that a running server has.
        if i >= 5 {
            latency.add(began.elapsed());
        }
    }
    println!(
        "  {what}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms ({count} requests)",
        latency.quantile_ms(0.5),
        latency.quantile_ms(0.99),
        latency.quantile_ms(1.0),
    );
    Ok(())
}

async fn publish(api: &Api, consumer: &str, provider: &str, version: &str, n: usize) -> anyhow::Result<()> {
    let pact = json!({
        "consumer": { "name": consumer }, "provider": { "name": provider },
        "interactions": [{ "description": format!("item {n}"), "request": { "method": "GET", "path": format!("/new/{n}") },
                           "response": { "status": 200, "body": { "n": n } } }],
        "metadata": { "pactSpecification": { "version": "2.0.0" } },
    });
    let body = json!({
        "pacticipantName": consumer, "pacticipantVersionNumber": version, "branch": "main",
        "contracts": [{ "consumerName": consumer, "providerName": provider, "specification": "pact",
                        "contentType": "application/json",
                        "content": base64::engine::general_purpose::STANDARD.encode(pact.to_string()) }],
    });
    let answer = api.send("POST", "/contracts/publish", Some(&body)).await?;
    ensure!(answer.status == 200, "publish answered {}: {}", answer.status, answer.text);
    Ok(())
}

/// Publishes at a fixed rate, whatever the answers take, and reads everything back.
async fn publish_steadily(api: &Api, options: &ContractOptions) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for n in 0..options.publications {
        let due = began + Duration::from_secs_f64(n as f64 / PUBLISH_RATE);
        tokio::time::sleep_until(due.into()).await;
        let api = api.clone();
        running.spawn(async move {
            let consumer = format!("service-{}", n % 400 + 2);
            publish(&api, &consumer, "service-1", &format!("steady-{n}"), n).await?;
            anyhow::Ok(due.elapsed())
        });
    }
    let mut latency = Latency::default();
    let mut failed = 0;
    while let Some(done) = running.join_next().await {
        match done? {
            Ok(took) => latency.add(took),
            Err(error) => {
                failed += 1;
                eprintln!("{error:#}");
            }
        }
    }
    let took = began.elapsed().as_secs_f64();
    let mut lost = 0;
    for n in 0..options.publications {
        let path = format!("/pacts/provider/service-1/consumer/service-{}/version/steady-{n}", n % 400 + 2);
        if api.send("GET", &path, None).await?.status != 200 {
            lost += 1;
        }
    }
    println!(
        "  {} publications at {PUBLISH_RATE}/s in {took:.1} s: {failed} refused, {lost} lost; p50 {:.1} ms, p99 {:.1} ms after \
         each was due",
        options.publications,
        latency.quantile_ms(0.5),
        latency.quantile_ms(0.99),
    );
    ensure!(failed == 0 && lost == 0, "publications were refused or lost");
    Ok(())
}
