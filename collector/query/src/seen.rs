//! Which services, instances and versions spans come from, and how many of their requests fail, noticed while spans
//! are stored.
//!
//! [`SeeingStore`] stands in front of a span store and notes every batch that became durable. After a start
//! [`Seen::warm`] fills it from the newest stored traces.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use tracepact_base::{ServiceName, TraceId};
use tracepact_model::columnar::row_flags;
use tracepact_model::{Kind, SpanBatch, SpanChunk};
use tracepact_store::{
    Durable, LinksAnswer, Names, NamesQuery, ReadCtx, RedCounts, Scanned, SearchAnswer, SpanQuery, SpanStore,
    StoreError, TraceRows,
};

/// Most (service, version, instance) triples remembered; the one unseen for longest goes first.
const ENTRIES_MAX: usize = 10_000;
/// Most services whose requests are counted.
const SERVICES_MAX: usize = 2_000;
/// Length of one counting slot.
const SLOT_NS: u64 = 5_000_000_000;
/// Slots in the window: one minute.
const SLOTS: usize = 12;

/// A service, or one version and instance of it, as its spans name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSeen {
    /// The service.
    pub service: ServiceName,
    /// `service.version`.
    pub version: Option<String>,
    /// `service.instance.id`.
    pub instance: Option<String>,
    /// When its first span was received, nanoseconds since 1970.
    pub first_seen_ns: u64,
    /// When its last span was received.
    pub last_seen_ns: u64,
}

/// Requests of a service within the last minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceErrors {
    /// The service that served them.
    pub service: ServiceName,
    /// Requests and messages it took.
    pub requests: u64,
    /// Those that failed.
    pub errors: u64,
    /// The window's length in seconds.
    pub window_seconds: u64,
    /// When the failures began that have not stopped for a whole window since; absent without failures.
    pub since_ns: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    service: ServiceName,
    version: Option<Arc<str>>,
    instance: Option<Arc<str>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    number: u64,
    requests: u64,
    errors: u64,
}

#[derive(Debug, Default)]
struct Requests {
    slots: [Slot; SLOTS],
    failing_since_ns: Option<u64>,
    last_failure_ns: u64,
}

#[derive(Debug, Default)]
struct State {
    /// First and last time seen.
    entries: HashMap<Key, (u64, u64)>,
    requests: HashMap<ServiceName, Requests>,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Seen {
    state: Mutex<State>,
}

impl Seen {
    /// Notes spans received at `at_ns`.
    pub fn note(&self, spans: &SpanChunk, at_ns: u64) {
        self.add(observe(spans), at_ns);
    }

    fn add(&self, observed: Vec<Observed>, at_ns: u64) {
        let mut state = self.state.lock();
        for one in observed {
            let Ok(service) = ServiceName::new(&one.service) else { continue };
            if one.requests > 0 {
                state.count(&service, at_ns, one.requests, one.errors);
            }
            state.see(Key { service, version: one.version, instance: one.instance }, at_ns);
        }
    }

    /// Everything seen, by service, version and instance.
    pub fn services(&self) -> Vec<ServiceSeen> {
        let state = self.state.lock();
        let mut services: Vec<ServiceSeen> = state
            .entries
            .iter()
            .map(|(key, (first_seen_ns, last_seen_ns))| ServiceSeen {
                service: key.service.clone(),
                version: key.version.as_deref().map(str::to_owned),
                instance: key.instance.as_deref().map(str::to_owned),
                first_seen_ns: *first_seen_ns,
                last_seen_ns: *last_seen_ns,
            })
            .collect();
        drop(state);
        services.sort_by(|a, b| {
            (&a.service, &a.version, &a.instance).cmp(&(&b.service, &b.version, &b.instance))
        });
        services
    }

    /// Requests and failures of each service within the minute before `now_ns`.
    pub fn errors(&self, now_ns: u64) -> Vec<ServiceErrors> {
        let newest = now_ns / SLOT_NS;
        let state = self.state.lock();
        let mut all: Vec<ServiceErrors> = state
            .requests
            .iter()
            .map(|(service, requests)| {
                let recent = requests.slots.iter().filter(|slot| slot.number + SLOTS as u64 > newest);
                let (sum, errors) = recent.fold((0, 0), |(r, e), slot| (r + slot.requests, e + slot.errors));
                ServiceErrors {
                    service: service.clone(),
                    requests: sum,
                    errors,
                    window_seconds: SLOT_NS * SLOTS as u64 / 1_000_000_000,
                    since_ns: requests.failing_since_ns.filter(|_| errors > 0),
                }
            })
            .filter(|one| one.requests > 0)
            .collect();
        drop(state);
        all.sort_by(|a, b| a.service.cmp(&b.service));
        all
    }

    /// Notes the services of the newest `traces_max` traces stored between the two instants: for the start.
    ///
    /// # Errors
    /// The store's.
    pub async fn warm(
        &self,
        store: &dyn SpanStore,
        start_ns: u64,
        end_ns: u64,
        traces_max: usize,
    ) -> Result<(), StoreError> {
        let query = SpanQuery {
            start_ns,
            end_ns,
            predicates: Vec::new(),
            scope: tracepact_store::Scope::Trace,
            limit: traces_max,
        };
        let answer = store.search(query, ReadCtx::default()).await?;
        let ids: Vec<TraceId> = answer.hits.iter().map(|hit| hit.trace_id).collect();
        let mut traces = store.traces(ids, ReadCtx::default());
        while let Some(trace) = traces.next().await {
            let mut state = self.state.lock();
            for span in trace?.rows {
                let service = span.local.service_name.as_deref().and_then(|name| ServiceName::new(name).ok());
                let (Some(service), Some(at_ns)) = (service, span.start_ns) else { continue };
                let key = Key { service, version: span.version.clone(), instance: span.instance.clone() };
                state.see(key, at_ns);
            }
        }
        Ok(())
    }
}

/// What one batch says about one instance.
struct Observed {
    service: Arc<str>,
    version: Option<Arc<str>>,
    instance: Option<Arc<str>>,
    requests: u64,
    errors: u64,
}

/// Most instances looked at in one batch.
const OBSERVED_MAX: usize = 1_000;

/// The instances of a batch; spans of one instance mostly follow each other.
fn observe(spans: &SpanChunk) -> Vec<Observed> {
    let mut observed: Vec<Observed> = Vec::new();
    // By service, version and instance as the batch codes them.
    let mut known: HashMap<(u32, u32, u32), usize> = HashMap::new();
    for row in 0..spans.len() {
        let service = spans.endpoints.get(spans.rows.local[row] as usize).map_or(0, |local| local.service);
        if service == 0 {
            continue;
        }
        let origin = spans.origins.get(spans.rows.origin[row] as usize);
        let (version, instance) = origin.map_or((0, 0), |origin| (origin.version, origin.instance));
        let index = match known.get(&(service, version, instance)) {
            Some(index) => *index,
            None if observed.len() >= OBSERVED_MAX => continue,
            None => {
                let text = |code: u32| (code != 0).then(|| Arc::from(spans.texts.get(code)));
                observed.push(Observed {
                    service: spans.texts.get(service).into(),
                    version: text(version),
                    instance: text(instance),
                    requests: 0,
                    errors: 0,
                });
                known.insert((service, version, instance), observed.len() - 1);
                observed.len() - 1
            }
        };
        if matches!(Kind::from_number(spans.rows.kind[row]), Kind::Server | Kind::Consumer) {
            observed[index].requests += 1;
            observed[index].errors += u64::from(spans.rows.flags[row] & row_flags::ERROR != 0);
        }
    }
    observed
}

impl State {
    fn see(&mut self, key: Key, at_ns: u64) {
        if let Some((first, last)) = self.entries.get_mut(&key) {
            *first = (*first).min(at_ns);
            *last = (*last).max(at_ns);
            return;
        }
        if self.entries.len() >= ENTRIES_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, (_, last))| *last).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.entries.remove(&key));
        }
        self.entries.insert(key, (at_ns, at_ns));
    }

    fn count(&mut self, service: &ServiceName, at_ns: u64, count: u64, errors: u64) {
        if !self.requests.contains_key(service) {
            if self.requests.len() >= SERVICES_MAX {
                return;
            }
            self.requests.insert(service.clone(), Requests::default());
        }
        let Some(requests) = self.requests.get_mut(service) else { return };
        let number = at_ns / SLOT_NS;
        let slot = &mut requests.slots[(number % SLOTS as u64) as usize];
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.requests += count;
        slot.errors += errors;
        if errors > 0 {
            let window_ns = SLOT_NS * SLOTS as u64;
            if requests.failing_since_ns.is_none()
                || at_ns.saturating_sub(requests.last_failure_ns) > window_ns
            {
                requests.failing_since_ns = Some(at_ns);
            }
            requests.last_failure_ns = at_ns;
        }
    }
}

/// A span store that tells [`Seen`] of every batch it has stored.
#[derive(Clone)]
pub struct SeeingStore {
    inner: Arc<dyn SpanStore>,
    seen: Arc<Seen>,
}

impl SeeingStore {
    /// `inner`, watched by `seen`.
    pub fn new(inner: Arc<dyn SpanStore>, seen: Arc<Seen>) -> Self {
        Self { inner, seen }
    }
}

impl SpanStore for SeeingStore {
    fn append(&self, batch: SpanBatch) -> BoxFuture<'_, Result<Durable, StoreError>> {
        Box::pin(async move {
            let observed = observe(&batch.spans);
            let at_ns = batch.received_at_ns;
            let durable = self.inner.append(batch).await?;
            self.seen.add(observed, at_ns);
            Ok(durable)
        })
    }

    fn append_counted(
        &self,
        batch: SpanBatch,
        counts: RedCounts,
    ) -> BoxFuture<'_, Result<Durable, StoreError>> {
        Box::pin(async move {
            let observed = observe(&batch.spans);
            let at_ns = batch.received_at_ns;
            let durable = self.inner.append_counted(batch, counts).await?;
            self.seen.add(observed, at_ns);
            Ok(durable)
        })
    }

    fn traces(&self, ids: Vec<TraceId>, ctx: ReadCtx) -> BoxStream<'_, Result<TraceRows, StoreError>> {
        self.inner.traces(ids, ctx)
    }

    fn search(&self, query: SpanQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<SearchAnswer, StoreError>> {
        self.inner.search(query, ctx)
    }

    fn scan(&self, start_ns: u64, end_ns: u64, ctx: ReadCtx) -> BoxStream<'_, Result<Scanned, StoreError>> {
        self.inner.scan(start_ns, end_ns, ctx)
    }

    fn links(
        &self,
        start_ns: u64,
        end_ns: u64,
        ctx: ReadCtx,
    ) -> BoxFuture<'_, Result<LinksAnswer, StoreError>> {
        self.inner.links(start_ns, end_ns, ctx)
    }

    fn values(&self, query: NamesQuery, ctx: ReadCtx) -> BoxFuture<'_, Result<Names, StoreError>> {
        self.inner.values(query, ctx)
    }
}

#[cfg(test)]
mod tests {
    use tracepact_base::SpanId;
    use tracepact_model::Span;

    use super::*;

    fn span(service: &str, instance: Option<&str>, kind: Kind, failed: bool) -> Span {
        let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(2).unwrap());
        span.local.service_name = Some(service.into());
        span.instance = instance.map(Into::into);
        span.kind = kind;
        if failed {
            span.attributes.push(("error".into(), tracepact_model::Value::Bool(true)));
        }
        span
    }

    #[test]
    fn instances_are_told_apart_and_case_is_not() {
        let seen = Seen::default();
        let both = vec![
            span("Orders", Some("o-1"), Kind::Client, false),
            span("orders", Some("o-2"), Kind::Client, false),
        ];
        seen.note(&both.into(), 5);
        seen.note(&vec![span("orders", Some("o-1"), Kind::Client, false)].into(), 9);
        let services = seen.services();
        assert_eq!(services.len(), 2);
        assert_eq!((services[0].first_seen_ns, services[0].last_seen_ns), (5, 9));
    }

    #[test]
    fn failures_count_for_a_minute_and_say_when_they_began() {
        const SECOND: u64 = 1_000_000_000;
        let seen = Seen::default();
        let failed: SpanChunk =
            vec![span("orders", None, Kind::Server, true), span("orders", None, Kind::Server, false)].into();
        seen.note(&failed, 100 * SECOND);
        seen.note(&failed, 130 * SECOND);
        seen.note(&vec![span("orders", None, Kind::Client, true)].into(), 131 * SECOND);
        let errors = seen.errors(131 * SECOND);
        assert_eq!((errors[0].requests, errors[0].errors), (4, 2));
        assert_eq!(errors[0].since_ns, Some(100 * SECOND));
        assert!(seen.errors(300 * SECOND).is_empty());
        seen.note(&failed, 300 * SECOND);
        assert_eq!(seen.errors(300 * SECOND)[0].since_ns, Some(300 * SECOND));
    }

    #[test]
    fn the_number_of_instances_is_bounded() {
        let seen = Seen::default();
        for i in 0..ENTRIES_MAX as u64 + 5 {
            seen.note(&vec![span("orders", Some(&i.to_string()), Kind::Client, false)].into(), i);
        }
        let services = seen.services();
        assert_eq!(services.len(), ENTRIES_MAX);
        assert!(services.iter().all(|one| one.first_seen_ns >= 5));
    }
}
