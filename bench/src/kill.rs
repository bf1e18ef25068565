//! What a kill -9 in the middle of a load takes away of what was acknowledged.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::ensure;
use tracepact_base::TraceId;
use tracepact_model::{Codec, DecodeLimits, decode};
use tracepact_tests::Api;

use crate::figures::Figures;
use crate::send::{self, Format, Pace};
use crate::subject::Subject;
use tracepact_bench::generate;

/// Spans in a request.
const PER_REQUEST: usize = 100;
const CONNECTIONS: usize = 32;

/// Sends `rate` spans a second, kills the server after `after_s`, starts it again and counts what is missing.
pub(crate) async fn run(
    subject: &Subject,
    format: Format,
    rate: f64,
    after_s: u64,
    seed: u64,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut server = subject.start().await?;
    // A tenth more than is sent until then: the kill finds requests under way.
    let spans = (rate * after_s as f64 * 1.1) as usize;
    let work = generate::requests(spans, PER_REQUEST, seed);
    let bodies = format.bodies(&work)?;
    let address = server.ingest(format).to_owned();
    let pace = Pace { connections: CONNECTIONS, per_second: Some(rate / PER_REQUEST as f64) };
    let sending = tokio::spawn(async move { send::all(&address, format, bodies, pace).await });
    tokio::time::sleep(Duration::from_secs(after_s)).await;
    let killed_after = Duration::from_secs(after_s);
    server.kill_and_start().await?;
    let sent = sending.await??;
    ensure!(sent.broken.is_some(), "the load was over before the kill: nothing was shown");

    // Of each trace the acknowledged spans, and when the last of them was acknowledged.
    let mut acknowledged: HashMap<TraceId, (usize, Duration)> = HashMap::new();
    for (body, at) in work.bodies.iter().zip(&sent.acknowledged) {
        let Some(at) = at.filter(|at| *at <= killed_after) else { continue };
        for span in decode(Codec::OtlpProto, body, &DecodeLimits::unbounded())? {
            let known = acknowledged.entry(span.trace_id).or_insert((0, at));
            *known = (known.0 + 1, known.1.max(at));
        }
    }
    let api = Api::new(&server.query)?;
    let (mut lost, mut since) = (0, None);
    let total: usize = acknowledged.values().map(|(spans, _)| spans).sum();
    for (id, (spans, at)) in &acknowledged {
        let answer = api.send("GET", &format!("/api/v2/trace/{id}"), None).await?;
        let found = if answer.status == 200 { answer.json()?.as_array().map_or(0, Vec::len) } else { 0 };
        if found < *spans {
            lost += spans - found;
            since = Some(since.map_or(*at, |since: Duration| since.min(*at)));
        }
    }
    let last = since.map_or(0.0, |since| killed_after.saturating_sub(since).as_secs_f64());
    figures.add(&format!("acknowledged spans lost by kill -9 at {rate:.0} spans/s"), {
        format!("{lost} of {total} (the last {last:.1} s)")
    });
    ensure!(lost == 0 || !subject.is_ours(), "{lost} acknowledged spans are gone");
    server.stop().await;
    Ok(())
}
