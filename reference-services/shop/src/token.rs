//! `tracepact-shop token`: a consumer's token.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tracepact_base::{Secret, SystemClock};
use tracepact_listener::access::admin_token;

use crate::gateway::auth;

/// `tracepact-shop token`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  tracepact-shop token --jwt-key-file jwt.key --consumer web")]
pub struct TokenArgs {
    /// The gateway's key; made when the file is not there.
    #[arg(long, value_name = "FILE")]
    pub jwt_key_file: PathBuf,
    /// Whose token it is: 1 to 64 bytes.
    #[arg(long, default_value = "demo", value_name = "NAME")]
    pub consumer: String,
    /// How long it lasts.
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
    pub ttl_s: u64,
}

impl TokenArgs {
    /// Makes the token.
    ///
    /// # Errors
    /// When the key cannot be read, or the name is unfit.
    pub fn mint(&self) -> anyhow::Result<Secret> {
        let (key, _) = admin_token::load_or_create(&self.jwt_key_file)
            .with_context(|| format!("the key file {}", self.jwt_key_file.display()))?;
        Ok(Secret::new(auth::mint(&key, &self.consumer, self.ttl_s, &SystemClock::shared())?))
    }
}

/// Prints the token.
///
/// # Errors
/// See [`TokenArgs::mint`].
pub fn run(args: &TokenArgs) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", args.mint()?.expose())?;
    Ok(())
}
