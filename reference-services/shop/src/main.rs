//! `tracepact-shop`: the services of the reference shop, and what drives and checks them.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tracepact_shop::{
    check_trees, deliveries, gateway, kafka, load, notifications, orders, payments, products, show_outcomes,
    token,
};

/// The reference shop: six small services over HTTP and Kafka, and what drives and checks them.
#[derive(Debug, Parser)]
#[command(name = "tracepact-shop", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks who calls and how often, and passes orders on.
    Gateway(gateway::GatewayArgs),
    /// Takes orders.
    Orders(orders::OrdersArgs),
    /// Takes payments.
    Payments(payments::PaymentsArgs),
    /// Knows products and their stock.
    Products(products::ProductsArgs),
    /// Delivers what is paid.
    Deliveries(deliveries::DeliveriesArgs),
    /// Tells customers.
    Notifications(notifications::NotificationsArgs),
    /// The embedded Kafka, for demos and tests.
    Kafka(kafka::KafkaServerArgs),
    /// Makes a consumer's token for the gateway.
    Token(token::TokenArgs),
    /// Sends orders through the gateway at a rate and writes down what became of each.
    Load(load::LoadArgs),
    /// Prints the tree that each outcome of an order must leave behind.
    Outcomes(show_outcomes::OutcomesArgs),
    /// Holds the traces tracepact stored against what each order's outcome prescribes; exits 1 when one differs.
    CheckTrees(check_trees::CheckTreesArgs),
}

fn main() -> ExitCode {
    // Another provider can only be there when this runs twice, which it does not.
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let ended = runtime.block_on(async {
        match cli.command {
            Command::Gateway(args) => gateway::run(args).await,
            Command::Orders(args) => orders::run(args).await,
            Command::Payments(args) => payments::run(args).await,
            Command::Products(args) => products::run(args).await,
            Command::Deliveries(args) => deliveries::run(args).await,
            Command::Notifications(args) => notifications::run(args).await,
            Command::Kafka(args) => kafka::run(args).await,
            Command::Token(args) => token::run(&args),
            Command::Load(args) => load::run(args).await,
            Command::Outcomes(args) => show_outcomes::run(&args),
            Command::CheckTrees(args) => check_trees::run(args).await,
        }
    });
    // A blocked thread of librdkafka must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("tracepact-shop: {error:#}");
    ExitCode::FAILURE
}
