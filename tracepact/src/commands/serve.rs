//! `tracepact serve`: the whole server in one process.

mod addresses;
mod data_dir;
mod drain;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use toml::Value;
use tracepact_listener::{
    Access, HostPattern, RequestMetrics, Scope, Scopes, ServeLimits, Tls, access, serve_with,
};

use crate::config::{Config, Environment, Overrides, keys, load, log_filter};
use crate::wiring::{self, App};
use addresses::{Addresses, Bound};

/// Wrong usage or configuration.
pub(crate) const EXIT_CONFIG: u8 = 2;
/// An address is in use or may not be listened on.
const EXIT_ADDRESS: u8 = 4;
/// The data directory cannot be used.
const EXIT_DATA_DIR: u8 = 5;

/// Run the server: traces, resilience, contracts and the dashboard.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact serve
  tracepact serve --data-dir /var/lib/tracepact --config /etc/tracepact.toml
  tracepact serve --http-addr 0.0.0.0:9411 --open ingest --allow-host tracepact.example.com
  tracepact serve --http-addr 127.0.0.1:0 --otlp-grpc-addr 127.0.0.1:0 --otlp-http-addr 127.0.0.1:0 \\
                  --broker-addr 127.0.0.1:0 --addr-file addresses.json

Everything else is set in the configuration file or the environment: docs/config.md, `tracepact config example`.")]
pub(crate) struct Serve {
    /// Dashboard, native API, Zipkin's API, OTLP over HTTP [default: 127.0.0.1:9411].
    #[arg(long, value_name = "ADDR")]
    http_addr: Option<String>,
    /// OTLP over gRPC [default: 127.0.0.1:4317].
    #[arg(long, value_name = "ADDR")]
    otlp_grpc_addr: Option<String>,
    /// OTLP over HTTP [default: 127.0.0.1:4318].
    #[arg(long, value_name = "ADDR")]
    otlp_http_addr: Option<String>,
    /// Contract broker for Pact clients [default: 127.0.0.1:9292].
    #[arg(long, value_name = "ADDR")]
    broker_addr: Option<String>,
    /// Folder of everything kept on disk [default: ./tracepact-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Folder of an unpacked zipkin-lens, served under /zipkin/.
    #[arg(long, value_name = "DIR")]
    zipkin_ui: Option<String>,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "TRACEPACT_CONFIG")]
    config: Option<PathBuf>,
    /// Write the addresses in use there, as JSON, once the server answers.
    #[arg(long, value_name = "FILE", env = "TRACEPACT_ADDR_FILE")]
    addr_file: Option<PathBuf>,
    /// Scopes that need no token beyond loopback: ingest, read, publish.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    open: Vec<String>,
    /// Host names to answer to besides localhost and addresses in numbers.
    #[arg(long = "allow-host", value_name = "HOSTS", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// Parts to run: collector, broker, dashboard [default: all].
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    only: Vec<String>,
}

/// A failure with the exit code it ends the process with.
#[derive(Debug)]
struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: 1, error }
    }
}

impl Serve {
    pub(crate) fn run(self) -> ExitCode {
        log_to_stderr();
        match self.start() {
            Ok(code) => code,
            Err(failure) => {
                eprintln!("tracepact: {:#}", failure.error);
                ExitCode::from(failure.code)
            }
        }
    }

    fn overrides(&self) -> Overrides {
        let mut set = Vec::new();
        for (key, value) in [
            ("http_addr", &self.http_addr),
            ("otlp_grpc_addr", &self.otlp_grpc_addr),
            ("otlp_http_addr", &self.otlp_http_addr),
            ("broker_addr", &self.broker_addr),
            ("data_dir", &self.data_dir),
            ("zipkin_ui.dir", &self.zipkin_ui),
        ] {
            if let Some(value) = value {
                set.push((key, Value::String(value.clone())));
            }
        }
        for (key, values) in
            [("access.open", &self.open), ("access.allowed_hosts", &self.allow_host), ("only", &self.only)]
        {
            if !values.is_empty() {
                set.push((key, Value::Array(keys::list(&values.join(",")))));
            }
        }
        Overrides(set)
    }

    fn start(self) -> Result<ExitCode, Failure> {
        let loaded = load(self.config.as_deref(), &Environment::of_process(), &self.overrides())
            .map_err(|error| Failure::new(EXIT_CONFIG, error))?;
        for note in &loaded.notes {
            tracing::warn!("{note}");
        }
        let config = Arc::new(loaded.config);
        let lock = data_dir::take(&config.data_dir).map_err(|error| Failure::new(EXIT_DATA_DIR, error))?;
        // Two workers are plenty: decoding, sealing and searching run on bounded pools of their own.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(16)
            .thread_name("tracepact")
            .enable_all()
            .build()
            .map_err(|error| Failure::from(anyhow::Error::new(error)))?;
        let ended = runtime.block_on(run(config, self.addr_file));
        // What still runs after the drain is abandoned: everything acknowledged is on disk.
        runtime.shutdown_background();
        drop(lock);
        ended
    }
}

fn log_to_stderr() {
    let filter = log_filter(&Environment::of_process());
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .parse_lossy(filter);
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

async fn run(config: Arc<Config>, addr_file: Option<PathBuf>) -> Result<ExitCode, Failure> {
    // Bound before anything is opened: a busy port is said at once.
    let bound = Bound::all(&config).await.map_err(|error| Failure::new(EXIT_ADDRESS, error))?;
    let token_file = config.data_dir.join("admin-token");
    let (admin, made) = access::admin_token::load_or_create(&token_file)
        .map_err(|error| Failure::new(EXIT_DATA_DIR, anyhow::anyhow!("{}: {error}", token_file.display())))?;
    if made {
        tracing::info!("made an admin token in {}", token_file.display());
    }
    let signals = drain::Signals::new().map_err(anyhow::Error::new)?;
    let app = App::build(&config).await.map_err(|error| {
        let code = if error.is::<wiring::StoreFailed>() { EXIT_DATA_DIR } else { 1 };
        Failure { code, error }
    })?;
    let identities = app.identities.clone();
    // Who names the broker's addresses for links wants to be reached under them.
    let broker_hosts = config.broker.base_urls.iter().filter_map(|url| {
        let authority = url.split("://").nth(1)?.split('/').next()?;
        Some(HostPattern::new(authority.rsplit_once(':').map_or(authority, |(host, _)| host)))
    });
    let broker_hosts: Vec<HostPattern> = broker_hosts.collect();
    let rules = |name: &str, addr: std::net::SocketAddr| {
        let own = if name == "broker" { broker_hosts.clone() } else { Vec::new() };
        let access = Access::for_listen(addr.ip())
            .with_hosts(own)
            .with_open(config.open)
            .with_token(admin.clone(), Scopes::NONE.with(Scope::Admin))
            .with_hosts(config.allowed_hosts.iter().cloned())
            .with_cors(config.cors.clone());
        let access = match &identities {
            Some(identities) => access.with_identities(identities.clone()),
            None => access,
        };
        config.tokens.iter().fold(access, |access, (token, scopes)| access.with_token(token.clone(), *scopes))
    };
    let tls = config
        .tls
        .as_ref()
        .map(|files| Tls::from_pem_files(&files.cert, &files.key))
        .transpose()
        .map_err(|error| Failure::new(EXIT_CONFIG, error))?;
    let metrics = Arc::new(RequestMetrics::new(&app.registry).map_err(anyhow::Error::new)?);
    let App { tables, background, health, around_broker, .. } = app;
    let drain = signals.drain.clone();
    let mut servers = tokio::task::JoinSet::new();
    let Bound { http, otlp_grpc, otlp_http, broker, addresses } = bound;
    for (name, listener, table) in [
        ("http", Some(http), tables.http),
        ("otlp_grpc", otlp_grpc, tables.otlp_grpc),
        ("otlp_http", otlp_http, tables.otlp_http),
        ("broker", broker, tables.broker),
    ] {
        let Some(listener) = listener else { continue };
        let addr = listener.local_addr().map_err(anyhow::Error::new)?;
        let router = table.into_router_with(Arc::new(rules(name, addr)), Some(metrics.clone()));
        let router = match &around_broker {
            Some(around) if name == "broker" => around(router),
            _ => router,
        };
        let tls = tls.clone().filter(|_| config.tls.as_ref().is_some_and(|files| files.covers(name)));
        servers.spawn(serve_with(listener, tls, router, ServeLimits::default(), drain.clone()));
    }
    announce(&config, &addresses);
    if let Some(file) = addr_file {
        addresses.write(&file)?;
    }
    let draining = signals.first().await;
    tracing::info!("draining: requests in flight finish, new ones are refused");
    health.drain();
    background.drain();
    let drained = draining.end(servers, background).await;
    tracing::info!("{}", if drained { "drained" } else { "some work did not finish in time" });
    Ok(ExitCode::SUCCESS)
}

/// What people read at start.
fn announce(config: &Config, addresses: &Addresses) {
    for (listener, what, addr) in addresses.lines() {
        let secure = config.tls.as_ref().is_some_and(|files| files.covers(listener));
        println!("{what:<22} http{}://{addr}", if secure { "s" } else { "" });
    }
    println!("{:<22} {}", "data", config.data_dir.display());
    println!("{:<22} {}", "admin token", config.data_dir.join("admin-token").display());
    if !config.open.is_empty() {
        println!("{:<22} {} (no token needed, from anywhere)", "open", config.open);
    }
    if !tracepact_dashboard::UI_EMBEDDED && config.runs(crate::config::validate::Part::Dashboard) {
        println!("{:<22} not built into this binary; the first page says how", "pages");
    }
}
