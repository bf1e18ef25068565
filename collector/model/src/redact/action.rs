//! What becomes of a secret.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::REDACTED;
use crate::Value;

/// What a hashed value begins with.
const HASHED: &str = "hash:";
/// Hex digits of a hash that are kept: 64 bits tell equal values from different ones.
const HASH_DIGITS: usize = 16;
/// Bytes of a block of SHA-256.
const BLOCK_BYTES: usize = 64;

/// How values are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Action {
    /// They read `***`.
    #[default]
    Mask,
    /// The attribute is left out. Inside a longer text only the secret goes.
    Drop,
    /// They read `hash:` and 16 hex digits of a keyed hash (HMAC-SHA-256): equal values stay equal, and nobody without
    /// the key can try candidates.
    Hash(HashKey),
    /// The first characters stay, `***` follows.
    Truncate {
        /// How many characters stay; of a text not longer than that none does.
        chars: usize,
    },
}

/// The key of [`Action::Hash`]; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey(Arc<[u8; BLOCK_BYTES]>);

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(***)")
    }
}

impl HashKey {
    /// A key of any length, padded as RFC 2104 says.
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK_BYTES];
        if key.len() > BLOCK_BYTES {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        Self(Arc::new(block))
    }

    /// HMAC-SHA-256 of `text`.
    fn hmac(&self, text: &[u8]) -> [u8; 32] {
        let pad = |with: u8| self.0.map(|byte| byte ^ with);
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
        Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
    }
}

impl Action {
    /// The text that stands for `secret`.
    pub(super) fn stand_in(&self, secret: &str) -> String {
        match self {
            Self::Mask => REDACTED.to_owned(),
            Self::Drop => String::new(),
            Self::Hash(key) => {
                use std::fmt::Write as _;
                let mut out = HASHED.to_owned();
                for byte in &key.hmac(secret.as_bytes())[..HASH_DIGITS / 2] {
                    let _ = write!(out, "{byte:02x}");
                }
                out
            }
            Self::Truncate { chars } => match secret.char_indices().nth(*chars) {
                Some((end, _)) => format!("{}{REDACTED}", &secret[..end]),
                None => REDACTED.to_owned(),
            },
        }
    }

    /// Whether `text` is what this action makes of a secret already.
    pub(super) fn is_done(&self, text: &str) -> bool {
        match self {
            Self::Mask => text == REDACTED,
            Self::Drop => false,
            Self::Hash(_) => text.strip_prefix(HASHED).is_some_and(|digits| {
                digits.len() == HASH_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            }),
            Self::Truncate { chars } => {
                text.strip_suffix(REDACTED).is_some_and(|kept| kept.chars().count() <= *chars)
            }
        }
    }

    /// Replaces a whole value; whether it changed. With [`Action::Drop`] the caller takes the attribute out.
    pub(super) fn hide(&self, value: &mut Value) -> bool {
        if *self == Self::Drop {
            return true;
        }
        let hidden = match &*value {
            Value::String(text) if self.is_done(text) => return false,
            other => self.stand_in(&other.text()),
        };
        *value = Value::String(hidden.into());
        true
    }
}
