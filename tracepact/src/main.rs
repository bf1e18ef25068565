//! `tracepact`: observability and contract testing for services, in one program.
//!
//! This crate is the binary: command line, configuration, wiring, start-up and drain. No rule lives here; what a
//! request means is decided in the rooms that `wiring` puts together. Start reading at [`commands::serve`].

#![allow(clippy::print_stdout, reason = "a command prints its answer; logs go to standard error")]

mod commands;
mod config;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // Fails only when one is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    commands::CommandLine::parse().run()
}
