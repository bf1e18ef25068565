//! What users may do, and what each changing route needs. Pure.

use http::Method;
use percent_encoding::percent_decode_str;

/// One right of a user. A name may end with `*` and then stands for all that begin so; `*` alone for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grant {
    /// Everything.
    Admin,
    /// Publish as this consumer: versions, branches, tags, contracts, proposals.
    Publish(String),
    /// Publish results as this provider.
    Verify(String),
    /// Record deployments and releases to this environment.
    Deploy(String),
    /// Accept and reject proposals to the providers of this team.
    Team(String),
}

impl Grant {
    /// From its two columns, or from `role` and `role:object` of a request.
    pub(crate) fn new(role: &str, object: &str) -> Result<Self, String> {
        const ROLES: [&str; 5] = ["admin", "publish", "verify", "deploy", "team"];
        if !ROLES.contains(&role) {
            return Err(format!("there is no role `{role}`; there are {}", ROLES.join(", ")));
        }
        let object = object.trim();
        let fits = !object.is_empty() && object.len() <= 255 && !object.chars().any(char::is_control);
        let stars = object.matches('*').count();
        if role != "admin" && (!fits || stars > 1 || stars == 1 && !object.ends_with('*')) {
            return Err(format!("`{role}` needs a name, which may end with *: {role}:orders, {role}:shop-*"));
        }
        match role {
            "admin" if object.is_empty() => Ok(Self::Admin),
            "admin" => Err("`admin` is for everything and takes no name".to_owned()),
            "publish" => Ok(Self::Publish(object.to_owned())),
            "verify" => Ok(Self::Verify(object.to_owned())),
            "deploy" => Ok(Self::Deploy(object.to_owned())),
            "team" => Ok(Self::Team(object.to_owned())),
            other => {
                Err(format!("there is no role `{other}`; there are admin, publish, verify, deploy, team"))
            }
        }
    }

    /// From `admin` or `role:object`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (role, object) = text.split_once(':').unwrap_or((text, ""));
        Self::new(role.trim(), object)
    }

    /// Its two columns.
    pub(crate) fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Admin => ("admin", ""),
            Self::Publish(name) => ("publish", name),
            Self::Verify(name) => ("verify", name),
            Self::Deploy(name) => ("deploy", name),
            Self::Team(name) => ("team", name),
        }
    }
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.columns() {
            (role, "") => f.write_str(role),
            (role, object) => write!(f, "{role}:{object}"),
        }
    }
}

fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

/// All a user may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) grants: Vec<Grant>,
    /// May call whatever Pact clients call: the writer of the settings.
    pub(crate) pact_writer: bool,
}

impl Rights {
    pub(crate) fn admin(&self) -> bool {
        self.grants.contains(&Grant::Admin)
    }

    fn any(&self, fits: impl Fn(&Grant) -> bool) -> bool {
        self.admin() || self.pact_writer || self.grants.iter().any(fits)
    }

    pub(crate) fn may_publish(&self, consumer: &str) -> bool {
        self.any(|grant| matches!(grant, Grant::Publish(p) if covers(p, consumer)))
    }

    pub(crate) fn may_verify(&self, provider: &str) -> bool {
        self.any(|grant| matches!(grant, Grant::Verify(p) if covers(p, provider)))
    }

    pub(crate) fn may_deploy(&self, environment: &str) -> bool {
        self.any(|grant| matches!(grant, Grant::Deploy(p) if covers(p, environment)))
    }

    /// Whether the user is in the team; administrators are in none by that.
    pub(crate) fn in_team(&self, team: &str) -> bool {
        self.grants.iter().any(|grant| matches!(grant, Grant::Team(t) if t == team))
    }

    /// Whether the user may write anything at all.
    pub(crate) fn writes(&self) -> bool {
        self.any(|_| true)
    }
}

/// What a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// To be known.
    Known,
    /// Some right to write; the handler looks closer, since what it is about stands in the body.
    Writer,
    Publish(String),
    Verify(String),
    /// Either of the two: versions, branches, tags and labels of a pacticipant.
    Own(String),
    /// By the environment's uuid or name.
    Deploy(String),
    /// By the uuid of a deployed (false) or released (true) version.
    DeployPresence(String, bool),
    /// To be in the team of the provider, by the proposal's id.
    Team(String),
    /// To be in the team of this provider.
    TeamOf(String),
    /// To be in the team of this provider, or its pipeline: what is merged there is accepted.
    Sync(String),
    /// To be one of its two sides, by the proposal's id.
    Party(String),
    /// What Pact clients call and only administrators may, such as deleting.
    PactAdmin,
    Admin,
}

/// A consumer's version of a contract, under its name and the older ones.
const CONSUMERS_VERSION: [&str; 2] = [
    "/pacts/provider/{provider}/consumer/{consumer}/version",
    "/pact/provider/{provider}/consumer/{consumer}/version",
];

/// What a request to the route `template` needs, `path` being the raw path. A changing route that is not named here needs
/// an administrator.
pub(crate) fn need(method: &Method, template: &str, path: &str, reads: bool) -> Need {
    if reads {
        return Need::Known;
    }
    let values = parameters(template, path);
    let value = |name: &str| {
        values.iter().find(|(known, _)| known == name).map(|(_, v)| v.clone()).unwrap_or_default()
    };
    let native = template.starts_with("/tracepact/");
    match (method.as_str(), template) {
        (
            "POST",
            "/contracts/publish"
            | "/pacticipants"
            | "/tracepact/v1/proposals"
            | "/tracepact/v1/contracts/verification-requests",
        ) => Need::Writer,
        ("POST", "/tracepact/v1/proposals/{id}/accept" | "/tracepact/v1/proposals/{id}/reject") => {
            Need::Team(value("id"))
        }
        ("POST", _) if template.starts_with("/tracepact/v1/proposals/{id}/") => Need::Party(value("id")),
        ("POST", "/tracepact/v1/providers/{provider}/sync") => Need::Sync(value("provider")),
        ("POST" | "PUT", _) if template.starts_with("/tracepact/v1/providers/{provider}/") => {
            Need::TeamOf(value("provider"))
        }
        ("POST", "/tracepact/v1/environments/{environment}/lease") => Need::Deploy(value("environment")),
        // A lease's id is known to whoever was allowed to take it.
        (_, _) if template.starts_with("/tracepact/v1/leases/{id}") => Need::Writer,
        ("PATCH", "/deployed-versions/{uuid}") => Need::DeployPresence(value("uuid"), false),
        ("PATCH", "/released-versions/{uuid}") => Need::DeployPresence(value("uuid"), true),
        ("POST", _)
            if template.contains("/deployed-versions/environment/{")
                || template.contains("/released-versions/environment/{") =>
        {
            Need::Deploy(values.last().map(|(_, v)| v.clone()).unwrap_or_default())
        }
        ("POST", _)
            if template.starts_with("/pacts/provider/{provider}/")
                && template.ends_with("/verification-results") =>
        {
            Need::Verify(value("provider"))
        }
        ("PUT" | "PATCH", _) if CONSUMERS_VERSION.iter().any(|prefix| template.starts_with(prefix)) => {
            Need::Publish(value("consumer"))
        }
        ("PUT" | "PATCH", _) if template.starts_with("/pacticipants/{name}") => Need::Own(value("name")),
        // What a pipeline takes back of its own: tags, labels, branches.
        ("DELETE", _)
            if template.starts_with("/pacticipants/{name}/")
                && template != "/pacticipants/{name}/versions/{version}" =>
        {
            Need::Own(value("name"))
        }
        _ if native => Need::Admin,
        _ => Need::PactAdmin,
    }
}

/// The parameters of `template` in `path`, decoded.
fn parameters(template: &str, path: &str) -> Vec<(String, String)> {
    template
        .split('/')
        .zip(path.split('/'))
        .filter_map(|(pattern, segment)| {
            let name = pattern.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), percent_decode_str(segment).decode_utf8_lossy().into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
