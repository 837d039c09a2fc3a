//! How spend records are read: by request, and in pages from the newest back.

use sqlx::AssertSqlSafe;

use super::{COLUMNS, SpendRecord};
use crate::{Store, StoreError, on};

/// Which records. Each field that is there narrows.
#[derive(Clone, Debug, Default)]
pub struct SpendFilter {
    /// From then on, microseconds since 1970.
    pub from_us: Option<i64>,
    /// Before then.
    pub until_us: Option<i64>,
    /// Of this key.
    pub key_id: Option<String>,
    /// Of this team.
    pub team_id: Option<String>,
    /// Of this user.
    pub user_id: Option<String>,
    /// For this customer.
    pub customer_id: Option<String>,
    /// To this public model.
    pub model: Option<String>,
}

/// Where a page ended: the next one has what is older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    started_us: i64,
    request_id: String,
    attempt: i32,
}

impl Cursor {
    /// The place of `record`.
    #[must_use]
    pub fn at(record: &SpendRecord) -> Self {
        Self { started_us: record.started_us, request_id: record.request_id.clone(), attempt: record.attempt }
    }
}

impl Store {
    /// The newest records that fit `filter`, older than `before`, at most so many.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn spend_page(
        &self,
        filter: &SpendFilter,
        before: Option<&Cursor>,
        at_most: u32,
    ) -> Result<Vec<SpendRecord>, StoreError> {
        let before = before.cloned().unwrap_or_else(|| newest(filter));
        let sql = AssertSqlSafe(page(filter));
        Ok(on!(self, pool => {
            let mut query = sqlx::query_as(sql)
                .bind(before.started_us)
                .bind(&before.request_id)
                .bind(before.attempt)
                .bind(filter.from_us.unwrap_or(i64::MIN))
                .bind(i64::from(at_most));
            for (_, value) in equals(filter) {
                query = query.bind(value);
            }
            query.fetch_all(pool).await
        })?)
    }

    /// The request `request_id` and its failed attempts, in this order. Empty where there is none.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn spend_by_request(&self, request_id: &str) -> Result<Vec<SpendRecord>, StoreError> {
        let sql = AssertSqlSafe(by_request());
        Ok(on!(self, pool => sqlx::query_as(sql).bind(request_id).fetch_all(pool).await)?)
    }
}

/// What [`Store::spend_page`] asks.
pub(super) fn page(filter: &SpendFilter) -> String {
    let narrow: String =
        equals(filter).zip(6..).map(|((column, _), number)| format!("AND {column} = ${number} ")).collect();
    format!(
        "SELECT {} FROM spend WHERE (started_us, request_id, attempt) < ($1, $2, $3) AND started_us <= $1 \
         AND started_us >= $4 {narrow}ORDER BY started_us DESC, request_id DESC, attempt DESC LIMIT $5",
        COLUMNS.join(", ")
    )
}

/// What [`Store::spend_by_request`] asks.
pub(super) fn by_request() -> String {
    format!("SELECT {} FROM spend WHERE request_id = $1 ORDER BY attempt", COLUMNS.join(", "))
}

/// Just after everything that the filter's time lets pass: no id is less than the empty one.
fn newest(filter: &SpendFilter) -> Cursor {
    Cursor { started_us: filter.until_us.unwrap_or(i64::MAX), request_id: String::new(), attempt: 0 }
}

fn equals(filter: &SpendFilter) -> impl Iterator<Item = (&'static str, &String)> {
    let all = [
        ("key_id", &filter.key_id),
        ("team_id", &filter.team_id),
        ("user_id", &filter.user_id),
        ("customer_id", &filter.customer_id),
        ("model", &filter.model),
    ];
    all.into_iter().filter_map(|(column, value)| Some((column, value.as_ref()?)))
}
