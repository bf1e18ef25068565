//! Who makes the running request, and what they may do: for handlers that look closer than the listener's gate can, since
//! what a request is about stands in its body.

use tracepact_base::ErrorKind;
use tracepact_listener::{Caller, Problem};

use super::rights::{Grant, Rights};
use crate::BrokerError;

/// The rights of who makes the running request. Tokens of the configuration and open listeners have all of them.
pub(crate) fn rights() -> Rights {
    let all = || Rights { grants: vec![Grant::Admin], pact_writer: false };
    let caller = Caller::current();
    let identity = caller.as_ref().and_then(|caller| caller.identity());
    identity.map_or_else(all, |identity| identity.details::<Rights>().cloned().unwrap_or_default())
}

/// The name of the user who makes the running request, if a user does.
pub(crate) fn user_name() -> Option<String> {
    Caller::current()?.identity().map(|identity| identity.name().to_owned())
}

/// Refuses the running request unless its user may publish as `consumer`.
pub(crate) fn check_publish(consumer: &str) -> Result<(), BrokerError> {
    if rights().may_publish(consumer) {
        Ok(())
    } else {
        Err(forbidden(&format!("publish:{consumer}")).into())
    }
}

/// Refuses the running request unless its user may deploy to `environment`.
pub(crate) fn check_deploy(environment: &str) -> Result<(), BrokerError> {
    if rights().may_deploy(environment) {
        Ok(())
    } else {
        Err(forbidden(&format!("deploy:{environment}")).into())
    }
}

/// Refuses the running request unless its user owns the pacticipant in some way.
pub(crate) fn check_own(name: &str) -> Result<(), BrokerError> {
    let rights = rights();
    if rights.may_publish(name) || rights.may_verify(name) {
        Ok(())
    } else {
        Err(forbidden(&format!("publish:{name} or verify:{name}")).into())
    }
}

fn forbidden(right: &str) -> Problem {
    let name = user_name().unwrap_or_else(|| "the user".to_owned());
    Problem::new(ErrorKind::Forbidden, format!("{name} lacks the right {right}"))
}
