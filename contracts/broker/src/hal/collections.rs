//! Lists of pacts: the latest of every pair, those of a provider, those of a pair.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::links::{href, link};
use super::pact::name;
use super::{Ctx, iso, no_content};
use crate::store::pacticipants;
use crate::store::pacts::{self, Published, Which};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    const P: &str = "/pacts/provider/{provider}";
    const PC: &str = "/pacts/provider/{provider}/consumer/{consumer}";
    routes
        .get("/pacts/latest", Scope::Read, latest)
        .get(P, Scope::Read, provider_all)
        .get(&format!("{P}/latest"), Scope::Read, provider_latest)
        .get(&format!("{P}/latest/{{tag}}"), Scope::Read, provider_latest_tag)
        .get(&format!("{P}/tag/{{tag}}"), Scope::Read, provider_tag)
        .get(&format!("{P}/branch"), Scope::Read, provider_main)
        .get(&format!("{P}/branch/latest"), Scope::Read, provider_main_latest)
        .get(&format!("{P}/branch/{{branch}}"), Scope::Read, provider_branch)
        .get(&format!("{P}/branch/{{branch}}/latest"), Scope::Read, provider_branch_latest)
        .delete(&format!("{PC}/versions"), Scope::Admin, delete_all)
        .delete(&format!("{PC}/tag/{{tag}}"), Scope::Admin, delete_tag)
        .delete(&format!("{PC}/branch/versions"), Scope::Admin, delete_main)
        .delete(&format!("{PC}/branch/latest/versions"), Scope::Admin, delete_main_latest)
        .delete(&format!("{PC}/branch/{{branch}}"), Scope::Admin, delete_branch)
        .delete(&format!("{PC}/branch/{{branch}}/latest/versions"), Scope::Admin, delete_branch_latest)
        .get(&format!("{PC}/versions"), Scope::Read, pair_all)
        .get(&format!("{PC}/tag/{{tag}}"), Scope::Read, pair_tag)
        .get(&format!("{PC}/branch/versions"), Scope::Read, pair_main)
        .get(&format!("{PC}/branch/latest/versions"), Scope::Read, pair_main_latest)
        .get(&format!("{PC}/branch/{{branch}}"), Scope::Read, pair_branch)
        .get(&format!("{PC}/branch/{{branch}}/latest/versions"), Scope::Read, pair_branch_latest)
}

async fn latest(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let mut list = pacts::published(&mut conn, None, None, Which::Latest).await?;
    list.sort_by(|a, b| (&a.consumer, &a.provider).cmp(&(&b.consumer, &b.provider)));
    let links = &ctx.links;
    let newest =
        |p: &Published| links.to("/pacts/provider/{}/consumer/{}/latest", &[&p.provider, &p.consumer]);
    let entries: Vec<Value> = list
        .iter()
        .map(|p| {
            let version = link("Version", &p.version, links.version(&p.consumer, &p.version));
            json!({
                "createdAt": iso(p.created_at),
                "_embedded": {
                    "consumer": {
                        "name": p.consumer,
                        "_embedded": { "version": { "number": p.version, "_links": { "self": version } } },
                        "_links": { "self": href(links.pacticipant(&p.consumer)) },
                    },
                    "provider": { "name": p.provider, "_links": { "self": href(links.pacticipant(&p.provider)) } },
                },
                // Two links on purpose: the moving one first, the fixed one second.
                "_links": { "self": [href(newest(p)), href(links.pact(&p.provider, &p.consumer, &p.version))] },
            })
        })
        .collect();
    let pact_links: Vec<Value> = list
        .iter()
        .map(|p| json!({ "href": newest(p), "title": name(&p.consumer, Some(&p.version), &p.provider) }))
        .collect();
    let mut old_links = pact_links.clone();
    for link in &mut old_links {
        link["name"] = "The old name of pb:pacts".into();
    }
    Ok(ctx.ok(&json!({
        "pacts": entries,
        "_links": {
            "self": href(links.to("/pacts/latest", &[])),
            "pb:pacts": pact_links,
            "pacts": old_links,
            "curies": links.curies("pacts"),
        },
    })))
}

async fn of_provider(
    broker: &Broker,
    ctx: &Ctx,
    provider: &str,
    which: Which<'_>,
    path: &str,
    title: &str,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, provider).await?;
    let list = pacts::published(&mut conn, Some(owner.id), None, which).await?;
    let links = &ctx.links;
    let entries: Vec<Value> = list
        .iter()
        .map(|p| {
            json!({
                "href": links.pact(&p.provider, &p.consumer, &p.version),
                "title": name(&p.consumer, Some(&p.version), &p.provider),
                "name": p.consumer,
            })
        })
        .collect();
    let own = format!("{}{path}", links.to("/pacts/provider/{}", &[provider]));
    let address = links.pacticipant(provider);
    Ok(ctx.ok(&json!({
        "_links": {
            "self": { "href": own, "title": title },
            "pb:provider": { "href": address, "name": provider },
            "pb:pacts": entries,
            // The names from before: some clients still read them.
            "provider": link(provider, provider, address.as_str()),
            "pacts": entries,
        },
    })))
}

async fn of_pair(
    broker: &Broker,
    ctx: &Ctx,
    (provider, consumer): (&str, &str),
    which: Which<'_>,
    path: &str,
    relation: &str,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let owner = pacticipants::get(&mut conn, provider).await?;
    pacticipants::get(&mut conn, consumer).await?;
    let list = pacts::published(&mut conn, Some(owner.id), Some(consumer), which).await?;
    let links = &ctx.links;
    let own = |p: &Published| {
        let title = name(&p.consumer, Some(&p.version), &p.provider);
        json!({ "href": links.pact(&p.provider, &p.consumer, &p.version), "title": title, "name": title })
    };
    let embedded: Vec<Value> = list
        .iter()
        .map(|p| json!({ "createdAt": iso(p.created_at), "_links": { "self": own(p) } }))
        .collect();
    let entries: Vec<Value> = list.iter().map(own).collect();
    let here = format!("{}{path}", links.to("/pacts/provider/{}/consumer/{}", &[provider, consumer]));
    Ok(ctx.ok(&json!({
        "_embedded": { "pacts": embedded },
        "_links": {
            "self": href(here),
            "consumer": link("Consumer", consumer, links.pacticipant(consumer)),
            "provider": link("Provider", provider, links.pacticipant(provider)),
            relation: entries,
        },
    })))
}

/// Deletes every pact of a list.
async fn delete(
    broker: &Broker,
    (provider, consumer): (&str, &str),
    which: Which<'_>,
) -> Result<Response, BrokerError> {
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let owner = pacticipants::get(conn, provider).await?;
    pacticipants::get(conn, consumer).await?;
    for publication in pacts::published(conn, Some(owner.id), Some(consumer), which).await? {
        pacts::delete(conn, publication.version_id, owner.id).await?;
    }
    broker.commit(write).await?;
    Ok(no_content())
}

type Names<const N: usize> = Path<[String; N]>;

macro_rules! provider_lists {
    ($($handler:ident: $title:literal, |$names:ident: $count:literal| $which:expr, $path:expr;)*) => {$(
        async fn $handler(
            State(broker): State<Broker>,
            ctx: Ctx,
            Path($names): Names<$count>,
        ) -> Result<Response, BrokerError> {
            let path: String = $path;
            of_provider(&broker, &ctx, &$names[0], $which, &path, $title).await
        }
    )*};
}

macro_rules! pair_lists {
    ($($handler:ident: $relation:literal, |$names:ident: $count:literal| $which:expr, $path:expr;)*) => {$(
        async fn $handler(
            State(broker): State<Broker>,
            ctx: Ctx,
            Path($names): Names<$count>,
        ) -> Result<Response, BrokerError> {
            let path: String = $path;
            of_pair(&broker, &ctx, (&$names[0], &$names[1]), $which, &path, $relation).await
        }
    )*};
}

macro_rules! pair_deletions {
    ($($handler:ident: |$names:ident: $count:literal| $which:expr;)*) => {$(
        async fn $handler(
            State(broker): State<Broker>,
            Path($names): Names<$count>,
        ) -> Result<Response, BrokerError> {
            delete(&broker, (&$names[0], &$names[1]), $which).await
        }
    )*};
}

fn with(pattern: &str, name: &str) -> String {
    pattern.replace("{}", &super::links::encode(name))
}

provider_lists! {
    provider_all: "All pact versions of the provider", |n: 1| Which::All, String::new();
    provider_latest: "Latest pact versions of the provider", |n: 1| Which::Latest, "/latest".into();
    provider_latest_tag: "Latest pact versions of the provider with a tag", |n: 2| Which::LatestWithTag(&n[1]), with("/latest/{}", &n[1]);
    provider_tag: "Pact versions of the provider with a tag", |n: 2| Which::WithTag(&n[1]), with("/tag/{}", &n[1]);
    provider_main: "Pact versions of the provider on main branches", |n: 1| Which::OnMainBranch, "/branch".into();
    provider_main_latest: "Latest pact versions of the provider on main branches", |n: 1| Which::LatestOnMainBranch, "/branch/latest".into();
    provider_branch: "Pact versions of the provider on a branch", |n: 2| Which::OnBranch(&n[1]), with("/branch/{}", &n[1]);
    provider_branch_latest: "Latest pact versions of the provider on a branch", |n: 2| Which::LatestOnBranch(&n[1]), with("/branch/{}/latest", &n[1]);
}

pair_lists! {
    pair_all: "pact-versions", |n: 2| Which::All, "/versions".into();
    pair_tag: "pb:pact-versions", |n: 3| Which::WithTag(&n[2]), with("/tag/{}", &n[2]);
    pair_main: "pb:pact-versions", |n: 2| Which::OnMainBranch, "/branch/versions".into();
    pair_main_latest: "pb:pact-versions", |n: 2| Which::LatestOnMainBranch, "/branch/latest/versions".into();
    pair_branch: "pb:pact-versions", |n: 3| Which::OnBranch(&n[2]), with("/branch/{}", &n[2]);
    pair_branch_latest: "pb:pact-versions", |n: 3| Which::LatestOnBranch(&n[2]), with("/branch/{}/latest/versions", &n[2]);
}

pair_deletions! {
    delete_all: |n: 2| Which::All;
    delete_tag: |n: 3| Which::WithTag(&n[2]);
    delete_main: |n: 2| Which::OnMainBranch;
    delete_main_latest: |n: 2| Which::LatestOnMainBranch;
    delete_branch: |n: 3| Which::OnBranch(&n[2]);
    delete_branch_latest: |n: 3| Which::LatestOnBranch(&n[2]);
}
