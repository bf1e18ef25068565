//! Which services, versions and instances sent spans: noted as spans pass, for the service catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tracepact_base::{ServiceName, SharedClock, TraceId};
use tracepact_join::{ServiceSeen, SightingSource, Sightings, SourceError};
use tracepact_model::{Span, SpanBatch};
use tracepact_store::{
    Durable, NameKind, Names, NamesQuery, ReadCtx, SearchAnswer, SpanQuery, SpanStore, StoreError, TraceRows,
};

/// Most combinations of service, version and instance remembered; the ones unseen for longest go first.
const SEEN_MAX: usize = 10_000;
/// How far back the store is asked for names.
const LOOKBACK: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How far back spans are read at start, to know versions and instances again.
const READ_BACK: Duration = Duration::from_secs(3_600);
/// Most rows read at start.
const READ_BACK_ROWS: u64 = 200_000;
/// Most service names asked for.
const NAMES_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    service: ServiceName,
    version: Option<Arc<str>>,
    instance: Option<Arc<str>>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    first_ns: u64,
    last_ns: u64,
}

/// Notes who sent what and passes everything on to the store behind it.
pub(crate) struct SeenServices {
    store: Arc<dyn SpanStore>,
    clock: SharedClock,
    seen: Mutex<BTreeMap<Key, Times>>,
}

impl SeenServices {
    pub(crate) fn new(store: Arc<dyn SpanStore>, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self { store, clock, seen: Mutex::default() })
    }

    /// Reads the last hour of spans, so that a restart does not forget versions and instances.
    pub(crate) async fn read_back(self: Arc<Self>) {
        let now = self.clock.now_ns();
        let ctx = ReadCtx { rows_max: READ_BACK_ROWS, ..ReadCtx::default() };
        let mut traces = self.store.scan(now.saturating_sub(READ_BACK.as_nanos() as u64), now, ctx);
        while let Some(trace) = traces.next().await {
            match trace {
                Ok(trace) => self.note(&trace.rows, now),
                Err(error) => {
                    tracing::warn!(%error, "versions and instances of the last hour could not be read");
                    return;
                }
            }
        }
    }

    fn note(&self, spans: &[Span], now_ns: u64) {
        let mut found: BTreeMap<Key, Times> = BTreeMap::new();
        for span in spans {
            let Some(service) =
                span.local.service_name.as_deref().and_then(|name| ServiceName::new(name).ok())
            else {
                continue;
            };
            let at = span.start_ns.unwrap_or(now_ns).min(now_ns);
            let key = Key { service, version: span.version.clone(), instance: span.instance.clone() };
            let times = found.entry(key).or_insert(Times { first_ns: at, last_ns: at });
            times.first_ns = times.first_ns.min(at);
            times.last_ns = times.last_ns.max(at);
        }
        let mut seen = self.seen.lock();
        for (key, times) in found {
            if seen.len() >= SEEN_MAX && !seen.contains_key(&key) {
                let oldest = seen.iter().min_by_key(|(_, times)| times.last_ns).map(|(key, _)| key.clone());
                oldest.map(|key| seen.remove(&key));
            }
            let known = seen.entry(key).or_insert(times);
            known.first_ns = known.first_ns.min(times.first_ns);
            known.last_ns = known.last_ns.max(times.last_ns);
        }
    }
}

impl SpanStore for SeenServices {
    fn append(&self, batch: SpanBatch) -> BoxFuture<'_, Result<Durable, StoreError>> {
        async move {
            // A span that was refused by the store was not seen.
            let spans: Vec<Span> = heads(&batch.spans);
            let now = batch.received_at_ns;
            let durable = self.store.append(batch).await?;
            self.note(&spans, now);
            Ok(durable)
        }
        .boxed()
    }

    fn traces(&self, ids: Vec<TraceId>, ctx: ReadCtx) -> BoxStream<'_, Result<TraceRows, StoreError>> {
        self.store.traces(ids, ctx)
    }

    fn search(&self, query: SpanQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<SearchAnswer, StoreError>> {
        self.store.search(query, ctx)
    }

    fn scan(&self, start_ns: u64, end_ns: u64, ctx: ReadCtx) -> BoxStream<'_, Result<TraceRows, StoreError>> {
        self.store.scan(start_ns, end_ns, ctx)
    }

    fn values(&self, query: NamesQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<Names, StoreError>> {
        self.store.values(query, ctx)
    }
}

/// One span for each service, version and instance of a batch, without what the catalogue does not need.
fn heads(spans: &[Span]) -> Vec<Span> {
    let mut heads: Vec<Span> = Vec::new();
    for span in spans {
        let same = |head: &&mut Span| {
            head.local.service_name == span.local.service_name
                && head.version == span.version
                && head.instance == span.instance
        };
        if heads.iter_mut().find(same).is_none() {
            let mut head = Span::new(span.trace_id, span.span_id);
            head.local.service_name = span.local.service_name.clone();
            head.version = span.version.clone();
            head.instance = span.instance.clone();
            head.start_ns = span.start_ns;
            heads.push(head);
        }
    }
    heads
}

impl SightingSource for SeenServices {
    fn name(&self) -> &str {
        "spans"
    }

    fn sightings(&self) -> BoxFuture<'_, Result<Sightings, SourceError>> {
        async move {
            let now = self.clock.now_ns();
            let query = NamesQuery {
                kind: NameKind::Services,
                start_ns: now.saturating_sub(LOOKBACK.as_nanos() as u64),
                end_ns: now,
                limit: NAMES_MAX,
            };
            let names = self.store.values(query, ReadCtx::default()).await;
            let names = names.map_err(|error| SourceError::new(error.reason))?;
            let mut services: Vec<ServiceSeen> = names
                .values
                .iter()
                .filter_map(|name| ServiceName::new(name).ok())
                .map(|service| ServiceSeen {
                    service,
                    version: None,
                    instance: None,
                    first_seen_ns: None,
                    last_seen_ns: None,
                })
                .collect();
            services.extend(self.seen.lock().iter().map(|(key, times)| ServiceSeen {
                service: key.service.clone(),
                version: key.version.as_deref().map(str::to_owned),
                instance: key.instance.as_deref().map(str::to_owned),
                first_seen_ns: Some(times.first_ns),
                last_seen_ns: Some(times.last_ns),
            }));
            Ok(Sightings { services, ..Sightings::default() })
        }
        .boxed()
    }
}
