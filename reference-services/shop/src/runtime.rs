//! What every service does alike: listen, report, consume, drain.

mod consumers;
mod ops;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracepact_base::{SharedClock, SystemClock};
use tracepact_kit::http::{Client, ServerLayer};
use tracepact_kit::propagation::TrustInbound;
use tracepact_kit::{Settings, Telemetry};
use tracepact_listener::access::admin_token;
use tracepact_listener::serve::{ServeLimits, serve};
use tracepact_listener::{Access, HostPattern, Routes, Scope, Scopes};

use crate::args::{KafkaArgs, ServiceArgs};
use crate::bus::{self, Bus};
use crate::domain::message::TOPICS;
use crate::faults::{self, Faults};
use consumers::Consumers;

/// How long requests and records in hand may take once draining begins.
const DRAIN_WITHIN: Duration = Duration::from_secs(4);
/// How long the last records and spans may take after that.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// One service, between its start and its drain.
pub struct Runtime {
    service: &'static str,
    args: ServiceArgs,
    telemetry: Telemetry,
    clock: SharedClock,
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    faults: Option<Arc<Faults>>,
    bus: Option<Bus>,
    consumers: Consumers,
    drain: CancellationToken,
    traceresponse: bool,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("service", &self.service).field("address", &self.address).finish()
    }
}

impl Runtime {
    /// Takes the address, starts telemetry, makes the fault switches if they are wanted.
    ///
    /// # Errors
    /// When the address is taken, an endpoint is none, or the switches would be reachable from elsewhere.
    pub async fn start(
        service: &'static str,
        args: &ServiceArgs,
        trust: TrustInbound,
    ) -> anyhow::Result<Self> {
        let clock = SystemClock::shared();
        let listener = listen(args.http_addr, args.reuse_port)?;
        let address = listener.local_addr()?;
        let mut access = Access::for_listen(address.ip())
            .with_hosts(args.allow_hosts.iter().map(|name| HostPattern::new(name)));
        let mut faults = None;
        if args.faults {
            if !address.ip().is_loopback() {
                bail!("--faults is for loopback only, and this listens on {address}");
            }
            let file = args.faults_token_file.as_deref().context("--faults needs --faults-token-file")?;
            let (token, _) = admin_token::load_or_create(file)
                .with_context(|| format!("the token file {}", file.display()))?;
            access = access.with_token(token, Scopes::NONE.with(Scope::Admin));
            faults = Some(Faults::new(clock.clone()));
        }
        let telemetry = Telemetry::start_with(
            settings(service, args, trust),
            clock.clone(),
            prometheus::Registry::new(),
        )?;
        Ok(Self {
            service,
            args: args.clone(),
            telemetry,
            clock,
            listener,
            address,
            access,
            faults,
            bus: None,
            consumers: Consumers::default(),
            drain: CancellationToken::new(),
            traceresponse: false,
        })
    }

    /// Spans, breakers, counters.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// The time.
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// The base URL under which other services reach this one.
    pub fn advertised(&self) -> String {
        match &self.args.advertise {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.address),
        }
    }

    /// A client that continues traces.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self) -> anyhow::Result<Client> {
        let inner = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_millis(500))
            .pool_max_idle_per_host(64)
            .build()?;
        Ok(Client::with_tracing(inner, self.telemetry.tracing().clone()))
    }

    /// Adds a counter of the service's own to `/metrics`.
    ///
    /// # Errors
    /// When one of that name is there already.
    pub fn register(&self, collector: Box<dyn prometheus::core::Collector>) -> Result<(), prometheus::Error> {
        self.telemetry.prometheus().register(collector)
    }

    /// Answers carry `traceresponse`.
    pub fn answer_traceresponse(&mut self) {
        self.traceresponse = true;
    }

    /// Connects to Kafka and makes sure that the shop's topics exist.
    ///
    /// # Errors
    /// When Kafka cannot be reached.
    pub async fn bus(&mut self, args: &KafkaArgs) -> anyhow::Result<Bus> {
        bus::ensure_topics(&args.kafka, &TOPICS, args.partitions)
            .await
            .with_context(|| format!("Kafka at {}", args.kafka))?;
        let bus = Bus::connect(&args.kafka, self.telemetry.tracing().clone())?;
        self.bus = Some(bus.clone());
        Ok(bus)
    }

    /// Serves `routes` beside `/health`, `/metrics`, `/hystrix.stream` and the fault switches, and writes the address
    /// file, until a signal comes or a consumer fails; then drains.
    ///
    /// # Errors
    /// When it cannot serve, or a consumer ended by itself.
    pub async fn serve(self, routes: Routes) -> anyhow::Result<()> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let access = Arc::new(self.access.clone());
        let mut layer = ServerLayer::new(self.telemetry.tracing().clone());
        if self.traceresponse {
            layer = layer.with_traceresponse();
        }
        let mut own = routes.into_router(access.clone());
        if let Some(faults) = &self.faults {
            own = own.layer(axum::middleware::from_fn_with_state(faults.clone(), faults::http_layer::strike));
        }
        // Health checks and scrapes are no part of any trace: only the service's own routes get spans.
        let app = ops::routes(&self)?.into_router(access).fallback_service(own.layer(layer));

        let limits = ServeLimits { drain_timeout: DRAIN_WITHIN, ..ServeLimits::default() };
        let server = tokio::spawn(serve(self.listener, app, limits, self.drain.clone()));
        if let Some(file) = &self.args.addr_file {
            let settings = self.telemetry.settings();
            let content = serde_json::json!({
                "http": self.address.to_string(),
                "service": self.service,
                "instance": settings.instance,
                "version": settings.version,
                "pid": std::process::id(),
            });
            write_addr_file(file, &content).await?;
        }
        tracing::info!(service = self.service, address = %self.address, "listening");

        let mut consumers = self.consumers;
        let ended = tokio::select! {
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
            failed = consumers.failed() => Err(failed),
        };
        tracing::info!(service = self.service, "draining");
        self.drain.cancel();
        let orderly = async {
            // A caller that still waits gets its answer from the other instance's consumer, or 202.
            let _ = tokio::join!(server, consumers.ended());
            if let Some(bus) = &self.bus {
                bus.flush(FLUSH_WITHIN).await;
            }
            self.telemetry.shutdown().await;
        };
        tokio::select! {
            () = orderly => ended,
            _ = terminate.recv() => bail!("a second signal: ended without draining"),
            _ = interrupt.recv() => bail!("a second signal: ended without draining"),
        }
    }
}

fn settings(service: &str, args: &ServiceArgs, trust: TrustInbound) -> Settings {
    let mut settings = Settings::new(service);
    settings.instance = args.instance.clone().unwrap_or_default();
    settings.version = args.service_version.clone();
    settings.exporter = args.exporter.into();
    settings.endpoint = args.export_endpoint.clone();
    settings.metrics_endpoint = args.metrics_endpoint.clone();
    settings.sample_ratio = args.sample;
    settings.retry_for = Duration::from_millis(args.export_retry_ms);
    settings.log_format = args.log_format.into();
    settings.log_filter = args.log.clone();
    settings.propagation.trust = trust;
    settings.shutdown_within = FLUSH_WITHIN;
    settings
}

fn listen(address: SocketAddr, reuse_port: bool) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    if reuse_port {
        socket.set_reuseport(true)?;
    }
    socket
        .bind(address)
        .and_then(|()| socket.listen(1024))
        .with_context(|| format!("cannot listen on {address}; is another process using it?"))
}

/// Writes `content` beside `file` and renames it into place, so that no reader sees half of it.
pub(crate) async fn write_addr_file(file: &Path, content: &serde_json::Value) -> anyhow::Result<()> {
    let partial = file.with_extension("partial");
    tokio::fs::write(&partial, content.to_string())
        .await
        .with_context(|| format!("cannot write {}", partial.display()))?;
    tokio::fs::rename(&partial, file).await.with_context(|| format!("cannot write {}", file.display()))
}
