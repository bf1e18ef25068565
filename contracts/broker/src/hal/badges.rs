//! Badges: small SVG pictures for README files, drawn here. Nothing is asked of another server.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use tracepact_contract_model::parse_nested;
use tracepact_listener::extract::Path;
use tracepact_listener::{Routes, Scope};

use super::{Ctx, can_i};
use crate::store::pacts::{self, Published, Which};
use crate::store::verifications::{self, Verification};
use crate::store::{Conn, pacticipants, versions};
use crate::{Broker, BrokerError};

/// Longest text on one half of a badge, in characters.
const TEXT_CHARS_MAX: usize = 80;

pub(super) fn routes(routes: Routes<Broker>, scope: Scope) -> Routes<Broker> {
    const PAIR: &str = "/pacts/provider/{provider}/consumer/{consumer}";
    routes
        .get(&format!("{PAIR}/latest/badge"), scope, latest)
        .get(&format!("{PAIR}/latest-untagged/badge"), scope, latest_untagged)
        .get(&format!("{PAIR}/latest/{{tag}}/badge"), scope, latest_with_tag)
        .get(
            "/matrix/provider/{provider}/latest/{provider_tag}/consumer/{consumer}/latest/{consumer_tag}/badge",
            scope,
            between_tags,
        )
        .get("/pacticipants/{name}/latest-version/{tag}/can-i-deploy/to/{to}/badge", scope, tag_to_tag)
        .get(
            "/pacticipants/{name}/branches/{branch}/latest-version/can-i-deploy/to-environment/{environment}/badge",
            scope,
            branch_to_environment,
        )
        .get("/pacticipants/{name}/main-branch/can-i-merge/badge", scope, can_i_merge)
}

/// The right half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State3 {
    Yes,
    No,
    Unknown,
}

impl State3 {
    fn of(success: Option<bool>) -> Self {
        match success {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Yes => "#2e7d32",
            Self::No => "#c62828",
            Self::Unknown => "#616161",
        }
    }
}

async fn latest(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    of_pact(&broker, &ctx, &provider, &consumer, Which::Latest, "").await
}

async fn latest_untagged(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer)): Path<(String, String)>,
) -> Result<Response, BrokerError> {
    of_pact(&broker, &ctx, &provider, &consumer, Which::LatestUntagged, "").await
}

async fn latest_with_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, consumer, tag)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    of_pact(&broker, &ctx, &provider, &consumer, Which::LatestWithTag(&tag), &tag).await
}

/// A badge about a pact that is not there says so with 200: a broken picture in a README helps nobody.
async fn of_pact(
    broker: &Broker,
    ctx: &Ctx,
    provider: &str,
    consumer: &str,
    which: Which<'_>,
    tag: &str,
) -> Result<Response, BrokerError> {
    let (consumer_shown, provider_shown) = names(ctx, consumer, provider)?;
    let tag = if tag.is_empty() { String::new() } else { format!(" ({tag})") };
    let label = format!("{consumer_shown}{tag} / {provider_shown}");
    let mut conn = broker.store().read().await?;
    let Some(publication) = find(&mut conn, provider, consumer, which).await? else {
        return Ok(svg(&label, "pact not found", State3::Unknown));
    };
    let result = verifications::latest(&mut conn, publication.content_row).await?;
    Ok(verified(&label, result.as_ref()))
}

async fn find(
    conn: &mut Conn,
    provider: &str,
    consumer: &str,
    which: Which<'_>,
) -> Result<Option<Published>, BrokerError> {
    let Some(owner) = pacticipants::find(conn, provider).await? else { return Ok(None) };
    Ok(pacts::published(conn, Some(owner.id), Some(consumer), which).await?.into_iter().next())
}

fn verified(label: &str, result: Option<&Verification>) -> Response {
    let state = State3::of(result.map(|r| r.success));
    let text = match state {
        State3::Yes => "verified",
        State3::No => "failed",
        State3::Unknown => "unknown",
    };
    svg(label, text, state)
}

async fn between_tags(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((provider, provider_tag, consumer, consumer_tag)): Path<(String, String, String, String)>,
) -> Result<Response, BrokerError> {
    let (consumer_shown, provider_shown) = names(&ctx, &consumer, &provider)?;
    let label = format!("{consumer_shown} ({consumer_tag}) / {provider_shown} ({provider_tag})");
    let mut conn = broker.store().read().await?;
    let Some(publication) =
        find(&mut conn, &provider, &consumer, Which::LatestWithTag(&consumer_tag)).await?
    else {
        return Ok(svg(&label, "pact not found", State3::Unknown));
    };
    let owner = pacticipants::get(&mut conn, &provider).await?;
    let version = versions::latest(&mut conn, owner.id, versions::Latest::WithTag(&provider_tag)).await?;
    let result = match version {
        Some(version) => {
            verifications::of_pair(&mut conn, publication.content_row, owner.id, &version.number).await?
        }
        None => None,
    };
    Ok(verified(&label, result.as_ref()))
}

async fn tag_to_tag(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, tag, to)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let question = can_i::ask_tag_to_tag(&mut conn, &name, &tag, &to).await;
    drop(conn);
    let label = labelled(&ctx, format!("can-i-deploy {name} {tag} to {to}"))?;
    judged(&broker, &label, question).await
}

async fn branch_to_environment(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path((name, branch, environment)): Path<(String, String, String)>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let question = can_i::ask_branch_to_environment(&mut conn, &name, &branch, &environment).await;
    drop(conn);
    let label = labelled(&ctx, format!("can-i-deploy {name} {branch} to {environment}"))?;
    judged(&broker, &label, question).await
}

async fn can_i_merge(
    State(broker): State<Broker>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let question = can_i::ask_can_i_merge(&mut conn, &name).await;
    drop(conn);
    let label = labelled(&ctx, format!("can-i-merge {name}"))?;
    judged(&broker, &label, question).await
}

async fn judged(
    broker: &Broker,
    label: &str,
    question: Result<crate::judge::DeployQuestion, BrokerError>,
) -> Result<Response, BrokerError> {
    let verdict = match question {
        Ok(question) => broker.look(&question).await.map(|judgement| judgement.verdict),
        Err(error) => Err(error),
    };
    match verdict {
        Ok(verdict) => {
            let state = State3::of(verdict.deployable);
            let text = match state {
                State3::Yes => "yes",
                State3::No => "no",
                State3::Unknown => "unknown",
            };
            Ok(svg(label, text, state))
        }
        Err(BrokerError::NotFound(_) | BrokerError::Invalid { .. }) => {
            Ok(svg(label, "not found", State3::Unknown))
        }
        Err(other) => Err(other),
    }
}

/// `initials=true` shortens names to their first letters; `label=` replaces the left half.
fn names(ctx: &Ctx, consumer: &str, provider: &str) -> Result<(String, String), BrokerError> {
    let query = parse_nested(&ctx.query)?;
    let initials = query.text("initials") == Some("true");
    let short = |name: &str| if initials { initials_of(name) } else { name.to_owned() };
    Ok((short(consumer), short(provider)))
}

fn labelled(ctx: &Ctx, label: String) -> Result<String, BrokerError> {
    Ok(parse_nested(&ctx.query)?.text("label").map_or(label, str::to_owned))
}

fn initials_of(name: &str) -> String {
    let mut out = String::new();
    let mut previous = ' ';
    for c in name.chars() {
        let begins = c.is_alphanumeric()
            && (!previous.is_alphanumeric() || (c.is_uppercase() && previous.is_lowercase()));
        if begins {
            out.extend(c.to_lowercase());
        }
        previous = c;
    }
    if out.chars().count() < 2 { name.to_owned() } else { out }
}

/// Width of a text in Verdana of 11 pixels, near enough for a badge.
fn width(text: &str) -> usize {
    let units: usize = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 4,
            'f' | 'r' | 't' | ' ' | '(' | ')' | '/' | '-' | '[' | ']' => 5,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 11,
            c if c.is_ascii_uppercase() => 8,
            c if c.is_ascii() => 7,
            _ => 11,
        })
        .sum();
    units + 12
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn draw(label: &str, text: &str, state: State3) -> String {
    let (label, text) = (cut(label), cut(text));
    let (left, right) = (width(&label), width(&text));
    let (total, colour) = (left + right, state.colour());
    let (label, text) = (escape(&label), escape(&text));
    let (left_middle, right_middle) = (left / 2, left + right / 2);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" aria-label="{label}: {text}"><title>{label}: {text}</title><clipPath id="r"><rect width="{total}" height="20" rx="3" fill="#fff"/></clipPath><g clip-path="url(#r)"><rect width="{left}" height="20" fill="#424242"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/></g><g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="{left_middle}" y="14">{label}</text><text x="{right_middle}" y="14">{text}</text></g></svg>
"##
    )
}

fn svg(label: &str, text: &str, state: State3) -> Response {
    let mut response = draw(label, text, state).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml;charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    // Pages elsewhere show it as a picture.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_text() {
        let drawn = draw("a<script>\"&'", "x", State3::No);
        assert!(!drawn.contains("<script>") && drawn.contains("a&lt;script&gt;&quot;&amp;&#39;"), "{drawn}");
    }

    #[test]
    fn initials() {
        assert_eq!(initials_of("Order Web App"), "owa");
        assert_eq!(initials_of("orderService"), "os");
        assert_eq!(initials_of("orders"), "orders");
    }
}
