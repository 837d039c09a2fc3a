//! Accounts in pages, from the newest back.

use sqlx::AssertSqlSafe;

use super::{Account, from_row};
use crate::{Store, StoreError, on};

/// Where a page ended: the next one has what is older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    created_us: i64,
    id: String,
}

/// Which accounts.
#[derive(Clone, Debug)]
pub struct Page<By> {
    /// Only those that have this there. Each narrows.
    pub by: Vec<(By, String)>,
    /// Only what comes after.
    pub after: Option<Place>,
    /// No more than that.
    pub at_most: u32,
}

/// Of what is listed whole only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFilter {}

impl From<NoFilter> for &'static str {
    fn from(by: NoFilter) -> Self {
        match by {}
    }
}

impl Place {
    /// The place of `account`.
    pub fn at(account: &impl Account) -> Self {
        Self { created_us: account.created_us(), id: account.id() }
    }
}

impl Store {
    /// The newest accounts of a page.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn account_list<A: Account>(&self, page: Page<A::By>) -> Result<Vec<A>, StoreError> {
        let after = page.after.unwrap_or(Place { created_us: i64::MAX, id: String::new() });
        let (columns, values): (Vec<&'static str>, Vec<String>) =
            page.by.into_iter().map(|(by, value)| (by.into(), value)).unzip();
        let sql = AssertSqlSafe(select::<A>("doc, seq", &columns));
        let rows: Vec<(String, i64)> = on!(self, pool => {
            let mut query =
                sqlx::query_as(sql).bind(after.created_us).bind(after.id).bind(i64::from(page.at_most));
            for value in values {
                query = query.bind(value);
            }
            query.fetch_all(pool).await
        })?;
        rows.into_iter().map(from_row).collect()
    }

    /// How many there are.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn account_count<A: Account>(&self, by: Vec<(A::By, String)>) -> Result<i64, StoreError> {
        let (columns, values): (Vec<&'static str>, Vec<String>) =
            by.into_iter().map(|(by, value)| (by.into(), value)).unzip();
        let sql = AssertSqlSafe(count::<A>(&columns));
        Ok(on!(self, pool => {
            let mut query = sqlx::query_scalar(sql);
            for value in values {
                query = query.bind(value);
            }
            query.fetch_one(pool).await
        })?)
    }
}

/// The values of `columns`.
pub(super) fn count<A: Account>(columns: &[&str]) -> String {
    let narrow = narrow(columns, 1);
    format!("SELECT count(*) FROM {} WHERE created_us <= {}{narrow}", A::KIND.table(), i64::MAX)
}

/// $1 and $2 the place, $3 how many, then the values of `columns`.
pub(super) fn select<A: Account>(what: &str, columns: &[&str]) -> String {
    format!(
        "SELECT {what} FROM {} WHERE (created_us, id) < ($1, $2) AND created_us <= $1{} \
         ORDER BY created_us DESC, id DESC LIMIT $3",
        A::KIND.table(),
        narrow(columns, 4)
    )
}

fn narrow(columns: &[&str], first: usize) -> String {
    columns.iter().zip(first..).map(|(column, place)| format!(" AND {column} = ${place}")).collect()
}
