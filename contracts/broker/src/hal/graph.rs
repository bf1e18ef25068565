//! The network of pacticipants as CSV: one line for each, with the ids of whom it consumes.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use crate::store::integrations::{self, Integration};
use crate::store::pacticipants;
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes.get("/relationships", Scope::Read, relationships).get("/groups/{name}", Scope::Read, group)
}

async fn relationships(State(broker): State<Broker>) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    Ok(respond(&integrations::all(&mut conn).await?))
}

/// Everyone who is connected with a pacticipant over any number of steps.
async fn group(State(broker): State<Broker>, Path(name): Path<String>) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, &name).await?;
    Ok(respond(&connected(integrations::all(&mut conn).await?, owner.id)))
}

fn connected(all: Vec<Integration>, start: i64) -> Vec<Integration> {
    let mut neighbours: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for one in &all {
        neighbours.entry(one.consumer_id).or_default().push(one.provider_id);
        neighbours.entry(one.provider_id).or_default().push(one.consumer_id);
    }
    let mut reached = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        for next in neighbours.get(&id).into_iter().flatten() {
            if reached.insert(*next) {
                open.push(*next);
            }
        }
    }
    all.into_iter().filter(|one| reached.contains(&one.consumer_id)).collect()
}

fn respond(list: &[Integration]) -> Response {
    ([(header::CONTENT_TYPE, "text/csv;charset=utf-8")], csv(list)).into_response()
}

/// The columns of the original: id, name, three constants (size, weight, group), the order of appearance as the last of
/// them, then the ids of the providers, filled up with 0.
fn csv(list: &[Integration]) -> String {
    let mut lines: Vec<(i64, String, Vec<i64>)> = Vec::new();
    for one in list {
        for (id, name) in [(one.consumer_id, &one.consumer), (one.provider_id, &one.provider)] {
            if !lines.iter().any(|(known, ..)| *known == id) {
                lines.push((id, name.clone(), Vec::new()));
            }
        }
        if let Some((.., providers)) = lines.iter_mut().find(|(id, ..)| *id == one.consumer_id) {
            providers.push(one.provider_id);
        }
    }
    let most = lines.iter().map(|(.., providers)| providers.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (index, (id, name, mut providers)) in lines.into_iter().enumerate() {
        providers.resize(most, 0);
        let providers: String = providers.iter().map(|id| format!(",{id}")).collect();
        out.push_str(&format!("{id},{},1,1,0,{}{providers}\n", cell(&name), index + 1));
    }
    out
}

/// A cell (RFC 4180). What a spreadsheet would run as a formula is made text.
fn cell(name: &str) -> String {
    let name = if name.starts_with(['=', '+', '-', '@']) { format!("'{name}") } else { name.to_owned() };
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(consumer: i64, provider: i64) -> Integration {
        Integration {
            consumer_id: consumer,
            consumer: format!("n{consumer}"),
            provider_id: provider,
            provider: format!("n{provider}"),
        }
    }

    #[test]
    fn a_group_is_what_is_connected() {
        let all = vec![one(1, 2), one(3, 2), one(4, 5)];
        assert_eq!(csv(&connected(all.clone(), 1)), "1,n1,1,1,0,1,2\n2,n2,1,1,0,2,0\n3,n3,1,1,0,3,2\n");
        assert_eq!(csv(&connected(all, 9)), "");
    }

    #[test]
    fn cells_are_quoted() {
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
    }
}
