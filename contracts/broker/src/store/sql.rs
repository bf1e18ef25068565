//! Queries that are written once and run on either database.
//!
//! The calls are those of sqlx (`query`, `query_as`, `query_scalar`, then `bind` and `execute` or `fetch_…`), so that
//! whoever knows sqlx can read them; only the connection decides which database answers.

use std::borrow::Cow;
use std::marker::PhantomData;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Postgres, SqlSafeStr, SqlStr, Sqlite};

use super::Conn;

/// A parameter. What is absent keeps its type, since PostgreSQL wants to know it.
#[derive(Debug)]
pub(crate) enum Value<'q> {
    Flag(Option<bool>),
    Number(Option<i64>),
    Text(Option<Cow<'q, str>>),
}

/// What can be bound: booleans, 64-bit numbers, texts, and each of them when it may be absent.
pub(crate) trait Bind<'q> {
    fn value(self) -> Value<'q>;
}

macro_rules! bind {
    ($life:lifetime: $($from:ty, $name:ident => $value:expr;)*) => {$(
        impl<$life> Bind<$life> for $from {
            fn value(self) -> Value<$life> {
                let $name = self;
                $value
            }
        }
    )*};
}

bind! { 'q:
    bool, v => Value::Flag(Some(v));
    Option<bool>, v => Value::Flag(v);
    i64, v => Value::Number(Some(v));
    Option<i64>, v => Value::Number(v);
    &'q str, v => Value::Text(Some(Cow::Borrowed(v)));
    Option<&'q str>, v => Value::Text(v.map(Cow::Borrowed));
    String, v => Value::Text(Some(Cow::Owned(v)));
    Option<String>, v => Value::Text(v.map(Cow::Owned));
    &'q String, v => Value::Text(Some(Cow::Borrowed(v)));
    &'q Option<String>, v => Value::Text(v.as_deref().map(Cow::Borrowed));
}

/// A row that both databases can give: what `#[derive(sqlx::FromRow)]` makes, and tuples.
pub(crate) trait Row:
    Send + Unpin + for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow>
{
}

impl<T> Row for T where
    T: Send + Unpin + for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow>
{
}

/// Most values in one list of a statement; a power of two.
pub(crate) const LIST_MAX: usize = 512;

/// The rows of a `VALUES` list for numbers whose parameters begin at `$first`, `columns` to a row. There are places for a
/// power of two of rows, so that few statements are prepared whatever the lengths; see [`padded`].
pub(crate) fn list(first: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let place = |column: usize| format!("CAST(${} AS BIGINT)", first + row * columns + column);
        format!("({})", (0..columns).map(place).collect::<Vec<_>>().join(", "))
    };
    (0..rows.next_power_of_two()).map(row).collect::<Vec<_>>().join(", ")
}

/// The numbers for a [`list`]: what is missing up to its last place is NULL, which equals nothing.
pub(crate) fn padded(numbers: &[i64]) -> impl Iterator<Item = Option<i64>> {
    (0..numbers.len().next_power_of_two()).map(|i| numbers.get(i).copied())
}

/// How much a statement changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done(u64);

impl Done {
    /// Rows inserted, updated or deleted.
    pub(crate) fn rows_affected(self) -> u64 {
        self.0
    }
}

/// A statement and its parameters, in the order of `$1`, `$2`, ….
#[derive(Debug)]
pub(crate) struct Query<'q> {
    sql: SqlStr,
    values: Vec<Value<'q>>,
}

/// A statement whose answer is not looked at.
pub(crate) fn query<'q>(sql: impl SqlSafeStr) -> Query<'q> {
    Query { sql: sql.into_sql_str(), values: Vec::new() }
}

/// A statement whose rows become values of `T` by their columns' names (structs) or places (tuples).
pub(crate) fn query_as<'q, T: Row>(sql: impl SqlSafeStr) -> QueryAs<'q, T> {
    QueryAs { query: query(sql), row: PhantomData }
}

/// A statement whose rows have one column.
pub(crate) fn query_scalar<'q, T>(sql: impl SqlSafeStr) -> QueryScalar<'q, T>
where
    (T,): Row,
{
    QueryScalar { query: query_as(sql) }
}

impl<'q> Query<'q> {
    /// Adds the next parameter.
    pub(crate) fn bind(mut self, value: impl Bind<'q>) -> Self {
        self.values.push(value.value());
        self
    }

    /// Runs it.
    pub(crate) async fn execute(self, conn: &mut Conn) -> Result<Done, sqlx::Error> {
        let Self { sql, values } = self;
        Ok(Done(match conn {
            Conn::Sqlite(transaction) => {
                let arguments = sqlite(values)?;
                sqlx::query_with::<Sqlite, _>(sql, arguments)
                    .execute(&mut **transaction)
                    .await?
                    .rows_affected()
            }
            Conn::Postgres(transaction) => {
                let arguments = postgres(values)?;
                sqlx::query_with::<Postgres, _>(sql, arguments)
                    .execute(&mut **transaction)
                    .await?
                    .rows_affected()
            }
        }))
    }
}

/// A statement whose rows are read. Without `bind` calls it has no parameters.
#[derive(Debug)]
pub(crate) struct QueryAs<'q, T> {
    query: Query<'q>,
    row: PhantomData<fn() -> T>,
}

impl<'q, T: Row> QueryAs<'q, T> {
    /// Adds the next parameter.
    pub(crate) fn bind(mut self, value: impl Bind<'q>) -> Self {
        self.query.values.push(value.value());
        self
    }

    /// Adds the parameters of a [`list`] of one column.
    pub(crate) fn bind_list(mut self, numbers: &[i64]) -> Self {
        self.query.values.extend(padded(numbers).map(Value::Number));
        self
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(self, conn: &mut Conn) -> Result<Option<T>, sqlx::Error> {
        let Query { sql, values } = self.query;
        Ok(match conn {
            Conn::Sqlite(transaction) => {
                let arguments = sqlite(values)?;
                sqlx::query_as_with::<Sqlite, T, _>(sql, arguments).fetch_optional(&mut **transaction).await?
            }
            Conn::Postgres(transaction) => {
                let arguments = postgres(values)?;
                sqlx::query_as_with::<Postgres, T, _>(sql, arguments)
                    .fetch_optional(&mut **transaction)
                    .await?
            }
        })
    }

    /// The one row there is.
    pub(crate) async fn fetch_one(self, conn: &mut Conn) -> Result<T, sqlx::Error> {
        self.fetch_optional(conn).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// All rows.
    pub(crate) async fn fetch_all(self, conn: &mut Conn) -> Result<Vec<T>, sqlx::Error> {
        let Query { sql, values } = self.query;
        Ok(match conn {
            Conn::Sqlite(transaction) => {
                let arguments = sqlite(values)?;
                sqlx::query_as_with::<Sqlite, T, _>(sql, arguments).fetch_all(&mut **transaction).await?
            }
            Conn::Postgres(transaction) => {
                let arguments = postgres(values)?;
                sqlx::query_as_with::<Postgres, T, _>(sql, arguments).fetch_all(&mut **transaction).await?
            }
        })
    }
}

/// A statement whose rows have one column.
#[derive(Debug)]
pub(crate) struct QueryScalar<'q, T> {
    query: QueryAs<'q, (T,)>,
}

impl<'q, T> QueryScalar<'q, T>
where
    (T,): Row,
{
    /// Adds the next parameter.
    pub(crate) fn bind(mut self, value: impl Bind<'q>) -> Self {
        self.query = self.query.bind(value);
        self
    }

    /// Adds the parameters of a [`list`] of one column.
    pub(crate) fn bind_list(mut self, numbers: &[i64]) -> Self {
        self.query = self.query.bind_list(numbers);
        self
    }

    /// The value of the first row, if there is one.
    #[allow(dead_code, reason = "what can be asked of a query does not depend on who asks")]
    pub(crate) async fn fetch_optional(self, conn: &mut Conn) -> Result<Option<T>, sqlx::Error> {
        Ok(self.query.fetch_optional(conn).await?.map(|(value,)| value))
    }

    /// The value of the one row there is.
    pub(crate) async fn fetch_one(self, conn: &mut Conn) -> Result<T, sqlx::Error> {
        Ok(self.query.fetch_one(conn).await?.0)
    }

    /// The values of all rows.
    pub(crate) async fn fetch_all(self, conn: &mut Conn) -> Result<Vec<T>, sqlx::Error> {
        Ok(self.query.fetch_all(conn).await?.into_iter().map(|(value,)| value).collect())
    }
}

fn sqlite(values: Vec<Value<'_>>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Flag(flag) => arguments.add(flag),
            Value::Number(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres(values: Vec<Value<'_>>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Flag(flag) => arguments.add(flag),
            Value::Number(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_few_lengths_and_their_numbers_fill_them() {
        assert_eq!(list(4, 1, 1), "(CAST($4 AS BIGINT))");
        assert_eq!(
            list(1, 2, 2),
            "(CAST($1 AS BIGINT), CAST($2 AS BIGINT)), (CAST($3 AS BIGINT), CAST($4 AS BIGINT))"
        );
        for rows in 1..=LIST_MAX {
            let places = list(1, rows, 2).matches('$').count();
            let numbers = vec![7; 2 * rows];
            assert_eq!(padded(&numbers).count(), places);
            assert_eq!(padded(&numbers).flatten().count(), 2 * rows);
        }
        assert_eq!(list(1, 300, 1), list(1, LIST_MAX, 1));
    }
}
