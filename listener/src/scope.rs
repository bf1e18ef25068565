//! What a route is for, and so who may call it.

use std::fmt;

/// The right a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Sending spans, metrics, series.
    Ingest,
    /// Asking anything.
    Read,
    /// Writing to the contract broker: pacts, results, deployments, proposals.
    Publish,
    /// Deleting, run-time switches, accepting, settings. Never open.
    Admin,
    /// Health and static page files: no token, from anywhere.
    Public,
}

impl Scope {
    /// The scopes a token or `--open` can name.
    pub const GRANTABLE: [Self; 4] = [Self::Ingest, Self::Read, Self::Publish, Self::Admin];

    /// The name used in configuration, in messages and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Publish => "publish",
            Self::Admin => "admin",
            Self::Public => "public",
        }
    }

    /// The scope of that name, any case; `None` for unknown names and for `public`, which nobody grants.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::GRANTABLE.into_iter().find(|scope| scope.name().eq_ignore_ascii_case(name.trim()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// No scope.
    pub const NONE: Self = Self(0);
    /// Ingest, read, publish: what is open on loopback.
    pub const EVERYDAY: Self = Self::NONE.with(Scope::Ingest).with(Scope::Read).with(Scope::Publish);
    /// Everything.
    pub const ALL: Self = Self::EVERYDAY.with(Scope::Admin);

    /// The set with `scope` in it as well.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | (1 << scope as u8))
    }

    /// Whether `scope` is in the set.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(iter: I) -> Self {
        iter.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            Scope::GRANTABLE.into_iter().filter(|s| self.contains(*s)).map(Scope::name).collect();
        f.write_str(&names.join(","))
    }
}
