//! Who calls: a JWT signed with a shared key.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tracepact_base::{Secret, SharedClock};

/// Shortest key in bytes: HS256 wants as much as its hash gives (RFC 7518, section 3.2).
pub const KEY_BYTES_MIN: usize = 32;
/// Longest consumer name in bytes.
pub const CONSUMER_BYTES_MAX: usize = 64;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    /// Seconds since 1970.
    exp: u64,
}

/// Why a token is not accepted, or not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No `Authorization: Bearer`.
    #[error("a token is needed: send it as `Authorization: Bearer TOKEN`")]
    Missing,
    /// Not a token of ours.
    #[error("the token is not valid")]
    Invalid,
    /// Too old.
    #[error("the token has expired")]
    Expired,
    /// A key that is too short to be one.
    #[error("the key has {0} bytes, at least {KEY_BYTES_MIN} are needed")]
    ShortKey(usize),
    /// An empty or over-long name.
    #[error("a consumer's name has 1 to {CONSUMER_BYTES_MAX} bytes")]
    Consumer,
}

/// Checks tokens.
pub struct TokenCheck {
    key: DecodingKey,
    clock: SharedClock,
}

impl std::fmt::Debug for TokenCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCheck").finish_non_exhaustive()
    }
}

fn checked_key(key: &Secret) -> Result<&[u8], AuthError> {
    let bytes = key.expose().as_bytes();
    if bytes.len() < KEY_BYTES_MIN { Err(AuthError::ShortKey(bytes.len())) } else { Ok(bytes) }
}

impl TokenCheck {
    /// Accepts tokens signed with `key`.
    ///
    /// # Errors
    /// When the key is too short.
    pub fn new(key: &Secret, clock: SharedClock) -> Result<Self, AuthError> {
        Ok(Self { key: DecodingKey::from_secret(checked_key(key)?), clock })
    }

    /// The consumer that the value of an `Authorization` header names.
    ///
    /// # Errors
    /// When it is missing, not ours or expired.
    pub fn consumer(&self, authorization: Option<&str>) -> Result<String, AuthError> {
        let (scheme, token) = authorization.and_then(|v| v.split_once(' ')).ok_or(AuthError::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::Missing);
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_required_spec_claims(&["exp", "sub"]);
        // The time is compared below, with this process's clock.
        rules.validate_exp = false;
        rules.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token.trim(), &self.key, &rules)
            .map_err(|_| AuthError::Invalid)?
            .claims;
        if claims.exp <= self.clock.now_ns() / 1_000_000_000 {
            return Err(AuthError::Expired);
        }
        if claims.sub.is_empty() || claims.sub.len() > CONSUMER_BYTES_MAX {
            return Err(AuthError::Invalid);
        }
        Ok(claims.sub)
    }
}

/// A token for `consumer` that lasts `ttl_s` seconds.
///
/// # Errors
/// When the key is too short or the name unfit.
pub fn mint(key: &Secret, consumer: &str, ttl_s: u64, clock: &SharedClock) -> Result<String, AuthError> {
    if consumer.is_empty() || consumer.len() > CONSUMER_BYTES_MAX {
        return Err(AuthError::Consumer);
    }
    let exp = (clock.now_ns() / 1_000_000_000).saturating_add(ttl_s);
    let claims = Claims { sub: consumer.to_owned(), exp };
    let key = EncodingKey::from_secret(checked_key(key)?);
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(|_| AuthError::Invalid)
}

#[cfg(test)]
mod tests {
    use tracepact_base::ManualClock;

    use super::*;

    #[test]
    fn a_token_names_its_consumer_until_it_expires() {
        let manual = ManualClock::at(1_700_000_000_000_000_000);
        let clock: SharedClock = manual.clone();
        let key = Secret::new("0123456789abcdef0123456789abcdef");
        let other = Secret::new("0123456789abcdef0123456789abcdeX");
        let check = TokenCheck::new(&key, clock.clone()).unwrap();
        let header = |key: &Secret| format!("Bearer {}", mint(key, "web", 60, &clock).unwrap());
        let token = header(&key);
        assert_eq!(check.consumer(Some(&token)).as_deref(), Ok("web"));
        assert_eq!(check.consumer(Some(&header(&other))), Err(AuthError::Invalid));
        assert_eq!(check.consumer(None), Err(AuthError::Missing));
        assert_eq!(check.consumer(Some("Basic eDp5")), Err(AuthError::Missing));
        // {"alg":"none"} with the same claims.
        let unsigned = format!("Bearer eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert_eq!(check.consumer(Some(&unsigned)), Err(AuthError::Invalid));
        manual.advance_ns(60_000_000_000);
        assert_eq!(check.consumer(Some(&token)), Err(AuthError::Expired));
        assert!(TokenCheck::new(&Secret::new("short"), clock).is_err());
    }
}
