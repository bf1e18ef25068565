//! Passwords and tokens: made, hashed, compared.
//!
//! Both are kept as argon2id hashes only (19 MiB, two passes: the OWASP password storage recommendation). A token is
//! `tp_` + 16 hex digits by which its row is found + `_` + 32 random bytes in base64url.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use sha2::{Digest, Sha256};

use crate::BrokerError;

/// Shortest password.
pub(crate) const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password or token that is looked at.
pub(crate) const SECRET_BYTES_MAX: usize = 1_024;
const PREFIX: &str = "tp_";
const LOOKUP_CHARS: usize = 16;

fn failed(what: impl std::fmt::Display) -> BrokerError {
    BrokerError::Database(sqlx::Error::Encode(format!("{what}").into()))
}

fn random<const N: usize>() -> Result<[u8; N], BrokerError> {
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn argon2() -> Result<Argon2<'static>, BrokerError> {
    let params = Params::new(19_456, 2, 1, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash to keep. Takes tens of milliseconds and 19 MiB: not on a thread that serves requests.
pub(crate) fn hash(secret: &str) -> Result<String, BrokerError> {
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(failed)?;
    Ok(argon2()?.hash_password(secret.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Whether `secret` is what was hashed. As expensive as [`hash`], whatever the answer.
pub(crate) fn matches(secret: &str, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(secret.as_bytes(), &parsed).is_ok()
}

/// A new token: what its owner gets once, and what its row is found by.
pub(crate) fn new_token() -> Result<(String, String), BrokerError> {
    let lookup: String = random::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("{PREFIX}{lookup}_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    Ok((token, lookup))
}

/// What a token's row is found by; `None` when it has not the form of one.
pub(crate) fn lookup_of(token: &str) -> Option<&str> {
    let rest = token.strip_prefix(PREFIX)?;
    let (lookup, secret) = rest.split_once('_')?;
    let fits =
        lookup.len() == LOOKUP_CHARS && lookup.chars().all(|c| c.is_ascii_hexdigit()) && !secret.is_empty();
    fits.then_some(lookup)
}

/// A short name for a credential in memory, from which it cannot be told.
pub(crate) fn fingerprint(user: Option<&str>, secret: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(user.map_or(u64::MAX, |user| user.len() as u64).to_be_bytes());
    hash.update(user.unwrap_or_default().as_bytes());
    hash.update(secret.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_secret_and_no_other() {
        let one = hash("correct horse battery").unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(matches("correct horse battery", &one));
        assert!(!matches("correct horse batterz", &one) && !matches("", &one) && !matches("x", "no hash"));
        assert_ne!(one, hash("correct horse battery").unwrap(), "salted");
    }

    #[test]
    fn tokens_are_found_by_a_part_that_proves_nothing() {
        let (token, lookup) = new_token().unwrap();
        assert_eq!(lookup_of(&token), Some(lookup.as_str()));
        assert!(token.len() > 60 && !token.ends_with(&lookup));
        for other in ["", "tp_", "tp_0123456789abcdef", "tp_0123456789abcdef_", "tp_xyz_abc", "x"] {
            assert_eq!(lookup_of(other), None, "{other}");
        }
    }

    #[test]
    fn fingerprints_keep_user_and_secret_apart() {
        assert_ne!(fingerprint(Some("a"), "bc"), fingerprint(Some("ab"), "c"));
        assert_ne!(fingerprint(None, "c"), fingerprint(Some(""), "c"));
    }
}
