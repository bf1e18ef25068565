//! Where the broker's tables are.

use std::path::{Path, PathBuf};

use tracepact_base::Secret;

/// The broker's database: a file of its own, or PostgreSQL, which several brokers may share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file; created when missing. Its `-wal` and `-shm` stand beside it.
    File(PathBuf),
    /// `postgres://user:password@host:port/name?sslmode=verify-full&sslrootcert=…`, as libpq takes it. Secret, since it
    /// may hold a password.
    Postgres(Secret),
}

/// Why an address names no database that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseAddressError {
    /// A database that is not supported.
    #[error(
        "`{0}` databases cannot be used: name a PostgreSQL (postgres://…) or a SQLite file (sqlite:///…)"
    )]
    Unsupported(String),
    /// No address at all.
    #[error("it is neither postgres://… nor sqlite:///…")]
    NoAddress,
}

impl Database {
    /// Reads an address: `postgres://…`, `postgresql://…`, `sqlite:///folder/file` or `sqlite:file`.
    ///
    /// # Errors
    /// When the scheme is another one, or there is none.
    pub fn parse(address: &str) -> Result<Self, DatabaseAddressError> {
        let (scheme, rest) = address.trim().split_once(':').ok_or(DatabaseAddressError::NoAddress)?;
        match scheme.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Ok(Self::Postgres(Secret::new(format!("postgres:{rest}")))),
            "sqlite" | "sqlite3" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let path = path.split('?').next().unwrap_or_default();
                if path.is_empty() {
                    return Err(DatabaseAddressError::NoAddress);
                }
                Ok(Self::File(PathBuf::from(path)))
            }
            other => Err(DatabaseAddressError::Unsupported(other.to_owned())),
        }
    }

    /// The address without its password, for messages.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Postgres(url) => {
                let url = url.expose();
                let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let host = rest[..end].rsplit('@').next().unwrap_or_default();
                let path = rest[end..].split('?').next().unwrap_or_default();
                format!("postgres://{host}{path}")
            }
        }
    }
}

impl From<PathBuf> for Database {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&PathBuf> for Database {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Path> for Database {
    fn from(path: &Path) -> Self {
        Self::File(path.to_path_buf())
    }
}

impl From<&str> for Database {
    /// A file's path; use [`Database::parse`] for addresses.
    fn from(path: &str) -> Self {
        Self::File(PathBuf::from(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_databases_are_read_and_others_refused() {
        assert_eq!(Database::parse("sqlite:////var/db/x.db").unwrap(), Database::from("//var/db/x.db"));
        assert_eq!(Database::parse("sqlite:///var/db/x.db").unwrap(), Database::from("/var/db/x.db"));
        assert_eq!(Database::parse("sqlite:x.db").unwrap(), Database::from("x.db"));
        let postgres = Database::parse("PostgreSQL://u:p@h/db").unwrap();
        assert_eq!(postgres, Database::Postgres(Secret::new("postgres://u:p@h/db")));
        assert_eq!(Database::parse("mysql://h/db"), Err(DatabaseAddressError::Unsupported("mysql".into())));
        assert_eq!(Database::parse("contracts.db"), Err(DatabaseAddressError::NoAddress));
    }

    #[test]
    fn what_is_shown_holds_no_password() {
        for (url, shown) in [
            (
                "postgres://u:s3cr@t@db.example.org:5432/broker?sslmode=require",
                "postgres://db.example.org:5432/broker",
            ),
            ("postgres://db/broker?password=s3cret", "postgres://db/broker"),
            ("postgres://u:s3cret@db", "postgres://db"),
        ] {
            let database = Database::parse(url).unwrap();
            assert_eq!(database.shown(), shown);
            assert!(!format!("{database:?}").contains("s3c"));
        }
    }
}
