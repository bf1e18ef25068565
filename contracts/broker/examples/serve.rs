//! The contract broker alone on a port, for trying Pact clients against it:
//! `cargo run -p tracepact-broker --example serve -- 127.0.0.1:9292 /tmp/contracts.db`

use std::sync::Arc;

use tracepact_base::SystemClock;
use tracepact_broker::{Broker, BrokerConfig, native_routes, pact_routes, with_pact_conventions};
use tracepact_listener::Access;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address: std::net::SocketAddr = args.next().unwrap_or_else(|| "127.0.0.1:9292".into()).parse()?;
    let database = args.next().unwrap_or_else(|| "contracts.db".into());
    let broker = Broker::open(BrokerConfig::new(database.as_str()), SystemClock::shared()).await?;
    let routes = pact_routes(broker.clone()).merge(native_routes(broker.clone()))?;
    let access = Arc::new(Access::for_listen(address.ip()));
    let router = with_pact_conventions(routes.into_router(access), &broker);
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
