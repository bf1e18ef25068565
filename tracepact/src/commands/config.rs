//! `tracepact config show | schema | docs | example`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::config::{Environment, Error, Overrides, docs, load};

/// Check the configuration, print what holds, its schema or an example.
#[derive(Debug, Args)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the file and the environment and print what holds; secrets print as ***.
    Show {
        /// The configuration file.
        #[arg(long, value_name = "FILE", env = "TRACEPACT_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Print the JSON schema of the configuration file.
    Schema,
    /// Print the page about configuration.
    Docs,
    /// Print an example file.
    Example,
}

impl ConfigCommand {
    pub(crate) fn run(self) -> ExitCode {
        match self.action {
            Action::Show { config } => match shown(config) {
                Ok(text) => print!("{text}"),
                Err(error) => {
                    eprintln!("tracepact: {:#}", anyhow::Error::new(error));
                    return ExitCode::from(super::serve::EXIT_CONFIG);
                }
            },
            Action::Schema => print!("{}", docs::schema_text()),
            Action::Docs => print!("{}", docs::page()),
            Action::Example => print!("{}", docs::EXAMPLE),
        }
        ExitCode::SUCCESS
    }
}

fn shown(file: Option<PathBuf>) -> Result<String, Error> {
    let loaded = load(file.as_deref(), &Environment::of_process(), &Overrides::default())?;
    for note in loaded.notes {
        eprintln!("tracepact: {note}");
    }
    toml::to_string(&loaded.raw).map_err(|error| Error::Shape(error.to_string()))
}
