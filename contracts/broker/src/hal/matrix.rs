//! `/matrix` and `/can-i-deploy`: the same verdict over all rows behind both; `limit` only cuts the list of rows shown.

use std::collections::{BTreeSet, HashMap};

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tracepact_contract_model::{QueryValue, parse_nested};
use tracepact_gate::{NoticeKind, Row, RowKind, Target};
use tracepact_listener::{Routes, Scope};

use super::links::{href, link};
use super::{Ctx, iso, matrix_text};
use crate::judge::{Asked, DeployQuestion, Judgement};
use crate::native::gate::{explained, used_waivers};
use crate::store::around::{Around, around};
use crate::store::environments::Environment;
use crate::store::{Conn, environments};
use crate::{Broker, BrokerError};

/// Most pacticipants asked about at once.
const SELECTORS_MAX: usize = 200;

pub(super) fn routes(routes: Routes<Broker>) -> Routes<Broker> {
    routes.get("/matrix", Scope::Read, matrix).get("/can-i-deploy", Scope::Read, can_i_deploy)
}

async fn matrix(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let query = parse_nested(&ctx.query)?;
    let question = read_matrix(&query)?;
    let limit = match query.text("limit") {
        None => usize::MAX,
        Some(text) => match text.parse() {
            Ok(limit) if limit > 0 => limit,
            _ => return Err(BrokerError::invalid("", "The limit must be a number of at least 1")),
        },
    };
    let judgement = broker.judge(&question).await?;
    let wanted: Vec<Option<bool>> = query
        .list("success")
        .iter()
        .map(|v| match v {
            QueryValue::Text(text) if text == "true" => Some(true),
            QueryValue::Text(text) if text == "false" => Some(false),
            _ => None,
        })
        .collect();
    respond(&broker, &ctx, &judgement, limit, &wanted).await
}

/// The answer to a question, in the form the client asked for.
pub(super) async fn answer(
    broker: &Broker,
    ctx: &Ctx,
    question: &DeployQuestion,
    limit: usize,
    wanted: &[Option<bool>],
) -> Result<Response, BrokerError> {
    let judgement = broker.judge(question).await?;
    respond(broker, ctx, &judgement, limit, wanted).await
}

async fn respond(
    broker: &Broker,
    ctx: &Ctx,
    judgement: &Judgement,
    limit: usize,
    wanted: &[Option<bool>],
) -> Result<Response, BrokerError> {
    if ctx.accept.first_of(&["text/plain", "application/hal+json", "application/json"]) == Some("text/plain")
    {
        let rows = judgement.verdict.rows.iter();
        let shown = rows.filter(|r| wanted.is_empty() || wanted.contains(&r.outcome.success())).take(limit);
        return Ok(matrix_text::respond(&judgement.verdict, shown));
    }
    let mut conn = broker.store().read().await?;
    let body = show(&mut conn, ctx, judgement, limit, wanted).await?;
    Ok(ctx.ok(&body))
}

async fn can_i_deploy(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let query = parse_nested(&ctx.query)?;
    let required = |name: &str| {
        query.text(name).map(str::to_owned).ok_or_else(|| BrokerError::invalid(name, "can't be blank"))
    };
    let target = match (query.text("environment"), query.text("to")) {
        (Some(_), Some(_)) => {
            return Err(BrokerError::invalid("", "either environment or to can be given, not both"));
        }
        (None, None) => return Err(BrokerError::invalid("", "environment or to must be given")),
        (Some(environment), None) => Target::Environment(environment.to_owned()),
        (None, Some(tag)) => Target::LatestTagged(tag.to_owned()),
    };
    let asked = Asked {
        pacticipant: required("pacticipant")?,
        version: Some(required("version")?),
        ..Asked::default()
    };
    let ignore = ignored(&query)?;
    let question = DeployQuestion { asked: vec![asked], target, ignore, last_only: false };
    answer(&broker, &ctx, &question, usize::MAX, &[]).await
}

fn ignored(query: &QueryValue) -> Result<Vec<(String, Option<String>)>, BrokerError> {
    query
        .list("ignore")
        .iter()
        .map(|item| match item {
            QueryValue::Text(name) if !name.is_empty() => Ok((name.clone(), None)),
            map => {
                let name = map
                    .text("pacticipant")
                    .ok_or_else(|| BrokerError::invalid("ignore", "names no pacticipant"))?;
                Ok((name.to_owned(), map.text("version").map(str::to_owned)))
            }
        })
        .collect()
}

fn read_matrix(query: &QueryValue) -> Result<DeployQuestion, BrokerError> {
    let items = query.list("q");
    if items.is_empty() {
        return Err(BrokerError::invalid("", "Please provide 1 or more version selectors."));
    }
    if items.len() > SELECTORS_MAX {
        return Err(BrokerError::invalid("", format!("at most {SELECTORS_MAX} selectors")));
    }
    let mut asked = Vec::new();
    for item in items {
        let text = |key: &str| item.text(key).map(str::to_owned);
        let one = Asked {
            pacticipant: text("pacticipant")
                .ok_or_else(|| BrokerError::invalid("", "Please specify the pacticipant name"))?,
            version: text("version"),
            latest: item.text("latest") == Some("true"),
            branch: text("branch"),
            tag: text("tag"),
            environment: text("environment"),
            main_branch: item.text("mainBranch") == Some("true"),
        };
        if one.version.is_some() && (one.latest || one.branch.is_some() || one.tag.is_some()) {
            return Err(BrokerError::invalid(
                "",
                "A version number and latest, branch or tag cannot both be specified for a pacticipant",
            ));
        }
        asked.push(one);
    }
    let latest = query.text("latest") == Some("true");
    let main_branch = query.text("mainBranch") == Some("true");
    let (tag, environment) = (query.text("tag"), query.text("environment"));
    if [tag.is_some(), environment.is_some(), main_branch].iter().filter(|set| **set).count() > 1 {
        return Err(BrokerError::invalid("", "Only one of tag, environment and mainBranch can be specified"));
    }
    if latest && environment.is_some() {
        return Err(BrokerError::invalid("", "latest and environment cannot both be specified"));
    }
    let target = match (environment, tag, main_branch, latest) {
        (Some(environment), ..) => Target::Environment(environment.to_owned()),
        (None, Some(tag), ..) => Target::LatestTagged(tag.to_owned()),
        (None, None, true, _) => Target::MainBranch,
        (None, None, false, true) => Target::Latest,
        _ => Target::None,
    };
    let last_only = match query.text("latestby") {
        None | Some("cvpv") => false,
        Some("cvp" | "cp") => true,
        Some(other) => {
            return Err(BrokerError::invalid("", format!("latestby can be cvpv, cvp or cp, not {other}")));
        }
    };
    Ok(DeployQuestion { asked, target, ignore: ignored(query)?, last_only })
}

async fn show(
    conn: &mut Conn,
    ctx: &Ctx,
    judgement: &Judgement,
    limit: usize,
    wanted: &[Option<bool>],
) -> Result<Value, BrokerError> {
    let verdict = &judgement.verdict;
    let listed = verdict.rows.iter().filter(|r| wanted.is_empty() || wanted.contains(&r.outcome.success()));
    let listed: Vec<&Row> = listed.take(limit).collect();
    let shown = Shown::of(conn, &listed, judgement).await?;
    let rows: Vec<Value> = listed.iter().map(|row| shown.row(ctx, row, judgement)).collect();
    let mut summary = json!({
        "deployable": verdict.deployable,
        "reason": verdict.reason(),
        "success": verdict.success,
        "failed": verdict.failed,
        "unknown": verdict.unknown,
    });
    // Clients know one word for what does not count.
    if verdict.ignored + verdict.waived > 0 {
        summary["ignored"] = (verdict.ignored + verdict.waived).into();
    }
    let mut notices: Vec<Value> = verdict
        .notices
        .iter()
        .map(|n| {
            let kind = match n.kind {
                NoticeKind::Warning => "warning",
                NoticeKind::Error => "error",
                NoticeKind::Success => "success",
            };
            json!({ "type": kind, "text": n.text })
        })
        .collect();
    let explain = explained(verdict);
    notices.extend(verdict.explain.iter().map(|e| json!({ "type": "info", "text": e.text() })));
    let mut body = json!({ "summary": summary, "notices": notices, "matrix": rows, "explain": explain });
    let waivers = used_waivers(verdict);
    if !waivers.is_empty() {
        body["waivers"] = json!(waivers);
    }
    Ok(body)
}

/// Versions as rows show them, all looked up at once.
struct Shown {
    around: HashMap<i64, Around>,
    environments: Vec<Environment>,
}

impl Shown {
    async fn of(conn: &mut Conn, rows: &[&Row], judgement: &Judgement) -> Result<Self, BrokerError> {
        let mut ids = BTreeSet::new();
        for row in rows {
            let consumer = row.consumer_version.as_ref().map(|number| (row.consumer.clone(), number.clone()));
            let provider = row.provider_version.as_ref().map(|number| (row.provider.clone(), number.clone()));
            ids.extend(
                [consumer, provider].iter().flatten().filter_map(|key| judgement.version_ids.get(key)),
            );
        }
        let ids: Vec<i64> = ids.into_iter().collect();
        Ok(Self { around: around(conn, &ids).await?, environments: environments::list(conn, None).await? })
    }

    fn row(&self, ctx: &Ctx, row: &Row, judgement: &Judgement) -> Value {
        let links = &ctx.links;
        let accepted = row.kind == RowKind::Accepted;
        let content = links.content(&row.provider, &row.consumer, &row.content_id);
        let consumer_version = match &row.consumer_version {
            Some(number) => self.version(ctx, &row.consumer, number, judgement),
            // Clients print a number here; an accepted contract has none, so it says what it is.
            None => json!({
                "number": "(accepted contract)",
                "branches": [], "branchVersions": [], "environments": [], "tags": [],
                "_links": { "self": href(content.as_str()) },
            }),
        };
        let provider_version = match &row.provider_version {
            Some(number) => self.version(ctx, &row.provider, number, judgement),
            None => Value::Null,
        };
        let result = row.result.and_then(|number| judgement.results.get(&number)).map(|found| {
            json!({
                "success": found.success,
                "verifiedAt": iso(found.created_at),
                "_links": { "self": href(links.result(&row.provider, &row.consumer, &row.content_id, found.id)) },
            })
        });
        let created = i64::try_from(row.content_since_ns).ok().filter(|at| *at > 0);
        let own = match &row.consumer_version {
            Some(number) => links.pact(&row.provider, &row.consumer, number),
            None => content,
        };
        let mut body = json!({
            "consumer": {
                "name": row.consumer,
                "version": consumer_version,
                "_links": { "self": href(links.pacticipant(&row.consumer)) },
            },
            "provider": {
                "name": row.provider,
                "version": provider_version,
                "_links": { "self": href(links.pacticipant(&row.provider)) },
            },
            "pact": { "createdAt": created.map(iso), "_links": { "self": href(own) } },
            "verificationResult": result,
        });
        if accepted {
            body["kind"] = "accepted".into();
        }
        if !row.counts() {
            body["ignored"] = true.into();
        }
        if let Some(id) = &row.waived {
            body["waiver"] = id.as_str().into();
        }
        body
    }

    fn version(&self, ctx: &Ctx, name: &str, number: &str, judgement: &Judgement) -> Value {
        let links = &ctx.links;
        let nothing = Around::default();
        let id = judgement.version_ids.get(&(name.to_owned(), number.to_owned()));
        let around = id.and_then(|id| self.around.get(id)).unwrap_or(&nothing);
        let branch_list: Vec<Value> = around
            .branches
            .iter()
            .map(|b| {
                let own = link("Branch version", &b.name, links.branch_version(name, &b.name, number));
                json!({ "name": b.name, "latest": b.latest, "_links": { "self": own } })
            })
            .collect();
        let tags: Vec<Value> = around
            .tags
            .iter()
            .map(|t| {
                json!({ "name": t.name, "latest": t.latest, "_links": { "self": href(links.tag(name, number, &t.name)) } })
            })
            .collect();
        let present =
            around.environments.iter().filter_map(|id| self.environments.iter().find(|e| e.id == *id));
        let present: Vec<Value> = present
            .map(|e| {
                json!({
                    "uuid": e.uuid,
                    "name": e.name,
                    "displayName": e.display_name.as_ref().unwrap_or(&e.name),
                    "production": e.production,
                    "createdAt": iso(e.created_at),
                    "_links": { "self": link("Environment", &e.name, links.environment(&e.uuid)) },
                })
            })
            .collect();
        let mut body = json!({
            "number": number,
            "branches": branch_list,
            "branchVersions": branch_list,
            "environments": present,
            "tags": tags,
            "_links": { "self": href(links.version(name, number)) },
        });
        if let Some(branch) = around.branches.last() {
            body["branch"] = branch.name.as_str().into();
        }
        body
    }
}
