//! The provider's own file for verification (`tracepact-provider.toml`): how its states are set up and where its
//! messages come from. Commands stand here and only here: a contract names a state or a message, never a program, and
//! what it says reaches a program as JSON on standard input, never through a shell.
//!
//! ```toml
//! [states."item 1 exists"]
//! command = ["./scripts/seed", "item"]
//!
//! [messages."an order was placed"]
//! command = ["./target/debug/print-order-placed"]
//!
//! [kafka]
//! brokers = "127.0.0.1:9092"
//! [kafka.messages."an order was shipped"]
//! topic = "orders"
//! trigger = ["./scripts/ship-an-order"]
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Error;

/// Largest file.
const BYTES_MAX: u64 = 256 * 1024;

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderConfig {
    /// Commands by provider state.
    pub states: BTreeMap<String, CommandConfig>,
    /// Commands by message description: each prints the message.
    pub messages: BTreeMap<String, CommandConfig>,
    /// Messages that are read from Kafka.
    pub kafka: Option<KafkaConfig>,
    /// The folder commands run in: that of the file.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A program with its arguments.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandConfig {
    /// Program and arguments, as they are: no shell reads them.
    pub command: Vec<String>,
    /// Longest run, 1 to 600 000 ms.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

/// Kafka.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// Bootstrap servers.
    pub brokers: String,
    /// Longest wait for a record, 1 to 600 000 ms.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Where each message is found, by description.
    #[serde(default)]
    pub messages: BTreeMap<String, KafkaMessage>,
}

/// One message on Kafka.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaMessage {
    /// Its topic.
    pub topic: String,
    /// Makes the provider publish it; without one the next record that comes counts.
    #[serde(default)]
    pub trigger: Option<Vec<String>>,
    /// Headers that tell it from other records of the topic.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

fn timeout_ms() -> u64 {
    30_000
}

impl ProviderConfig {
    /// Whether it says where messages come from.
    pub fn makes_messages(&self) -> bool {
        !self.messages.is_empty() || self.kafka.as_ref().is_some_and(|k| !k.messages.is_empty())
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// When it cannot be read, has keys nobody knows, or a command is empty.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Usage(format!("{}: {reason}", path.display()));
        let size = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?.len();
        if size > BYTES_MAX {
            return Err(wrong(format!("{size} bytes; at most {BYTES_MAX} are read")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let mut config: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        config.folder = folder.to_owned();
        let commands = config.states.iter().chain(&config.messages);
        for (name, command) in commands {
            check(name, &command.command, command.timeout_ms).map_err(&wrong)?;
        }
        if let Some(kafka) = &config.kafka {
            for (name, message) in &kafka.messages {
                if let Some(trigger) = &message.trigger {
                    check(name, trigger, kafka.timeout_ms).map_err(&wrong)?;
                }
            }
        }
        Ok(config)
    }
}

impl ProviderConfig {
    /// The longest that making one message may take, with some time to answer.
    pub(crate) fn longest_ms(&self) -> u64 {
        let commands = self.messages.values().map(|c| c.timeout_ms).max().unwrap_or(0);
        // A record has a trigger before it.
        let kafka = self.kafka.as_ref().map_or(0, |k| 2 * k.timeout_ms);
        commands.max(kafka) + 20_000
    }
}

fn check(name: &str, command: &[String], timeout_ms: u64) -> Result<(), String> {
    if command.first().is_none_or(|program| program.is_empty()) {
        return Err(format!("the command of {name:?} is empty"));
    }
    if !(1..=600_000).contains(&timeout_ms) {
        return Err(format!("timeout_ms of {name:?} is not 1 to 600000"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_lists_and_unknown_keys_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("provider.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            ProviderConfig::read(&path)
        };
        let config = read("[states.\"item 1 exists\"]\ncommand = [\"seed\", \"item\"]\n[kafka]\nbrokers = \"k:1\"\n[kafka.messages.m]\ntopic = \"t\"\n").unwrap();
        assert_eq!(config.states["item 1 exists"].timeout_ms, 30_000);
        assert_eq!(config.folder, dir.path());
        for bad in [
            "[states.x]\ncommand = \"rm -rf\"",
            "[states.x]\ncommand = []",
            "oops = 1",
            "[states.x]\ncommand=[\"a\"]\ntimeout_ms=0",
        ] {
            assert_eq!(read(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }
}
