//! The signature of a delivery, by which its receiver knows that it comes from here and is not an old one sent again.
//!
//! `Tracepact-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 under the webhook's secret over `SECONDS.BODY`.
//! A receiver computes the same, compares in constant time, and refuses when SECONDS (since 1970) lies minutes back.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tracepact_base::Secret;

/// The header's name.
pub(crate) const HEADER: &str = "tracepact-signature";

/// The header's value for `body`, sent at `now_ns`.
pub(crate) fn signature(secret: &Secret, body: &[u8], now_ns: u64) -> Result<String, String> {
    let seconds = now_ns / 1_000_000_000;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|e| e.to_string())?;
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("t={seconds},v1={hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_in_another_language_gets_the_same() {
        // printf '1790000000.{"a":1}' | openssl dgst -sha256 -hmac a-secret
        let made = signature(&Secret::new("a-secret"), br#"{"a":1}"#, 1_790_000_000_999_999_999).unwrap();
        assert_eq!(made, "t=1790000000,v1=865ebfc3a69e9997ac511354f70bc057450d692c7a8745d2148a84a2698dce8d");
    }
}
