//! Spend records: what each request has used and cost, and each failed attempt of one. This file has the record and
//! how batches are written; `spend/daily.rs` has the sums of each day, `spend/page.rs` how records are read,
//! `spend/months.rs` how they are kept apart by month and dropped, `spend/tidy.rs` what no database would take.

mod daily;
mod months;
mod page;
#[cfg(test)]
mod plans;
mod tidy;

pub use daily::{Daily, DailyQuery, Subject};
pub use page::{Cursor, SpendFilter};

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::counted::{self, Additions, Counted};
use crate::json::{self, to_json};
use crate::{Pool, Store, StoreError, on};
use daily::Sums;

/// What one request, or one failed attempt of it, has used and cost. A column for each field; written as JSON in spools,
/// where releases before and after may read it: what is missing is empty, what is unknown is passed over.
///
/// Token buckets never overlap. Times are microseconds, `_us`; since 1970 or of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
#[serde(default)]
pub struct SpendRecord {
    /// As the client was told it. With `attempt` and `started_us` it names the record.
    pub request_id: String,
    /// 0 for the request itself, else the number of an attempt that failed.
    pub attempt: i32,
    /// When it began.
    pub started_us: i64,
    /// Until the last byte.
    pub duration_us: i64,
    /// Until the first byte.
    pub first_byte_us: Option<i64>,
    /// The gateway, `namespace/name`.
    pub gateway: Option<String>,
    /// The key that asked. It stays when the key's secret is rotated.
    pub key_id: Option<String>,
    /// Lower-case hex SHA-256 of the secret that was sent.
    pub key_hash: Option<String>,
    /// The key's team.
    pub team_id: Option<String>,
    /// The key's user.
    pub user_id: Option<String>,
    /// Whom the request was made for.
    pub customer_id: Option<String>,
    /// What it was marked with.
    #[sqlx(try_from = "String")]
    pub tags: Tags,
    /// What was asked: `answer`, `count`, `embed`.
    pub task: String,
    /// The client's language.
    pub dialect: String,
    /// The public model.
    pub model: Option<String>,
    /// Who answered, or was tried last, `namespace/name`.
    pub deployment: Option<String>,
    /// The deployment's provider.
    pub provider: Option<String>,
    /// The model's name there.
    pub upstream_model: Option<String>,
    /// How many deployments were tried.
    pub attempts: i32,
    /// Whether the client asked for a stream.
    pub is_stream: bool,
    /// Whether the gateway's own cache answered.
    pub is_cached: bool,
    /// What the client got; absent for an attempt.
    pub status: Option<i32>,
    /// How it ended.
    pub outcome: String,
    /// Why it failed.
    pub fault: Option<String>,
    /// The size of the request's body.
    pub bytes_in: i64,
    /// The size of the answer's body.
    pub bytes_out: i64,
    /// Input that the provider had to read.
    pub fresh_input: i64,
    /// Input that the provider had in its cache.
    pub cached_input: i64,
    /// Input that the provider wrote to its cache.
    pub cache_write: i64,
    /// The same, to be kept for an hour.
    pub cache_write_hour: i64,
    /// Input that was sound.
    pub audio_input: i64,
    /// Sound that the provider had in its cache.
    pub cached_audio: i64,
    /// Input that was pictures.
    pub image_input: i64,
    /// Output that the client sees.
    pub output: i64,
    /// Output that was thought.
    pub reasoning: i64,
    /// Output that is sound.
    pub audio_output: i64,
    /// Output that is pictures.
    pub image_output: i64,
    /// How often the provider searched the web. No tokens.
    pub searches: i64,
    /// How it was served, where that changes what it costs.
    pub tier: Option<String>,
    /// Whether the tokens are estimated: no provider told them.
    pub is_estimate: bool,
    /// Nano-dollars; absent where nobody knows.
    pub cost_nano: Option<i64>,
    /// What it has put into counters of budgets and rate limits. It is kept apart, and not read back with a record.
    #[sqlx(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

/// A list of tags, which a database keeps as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub Vec<String>);

/// Every column, which is every field of [`SpendRecord`] but one.
const COLUMNS: [&str; 41] = [
    "request_id",
    "attempt",
    "started_us",
    "duration_us",
    "first_byte_us",
    "gateway",
    "key_id",
    "key_hash",
    "team_id",
    "user_id",
    "customer_id",
    "tags",
    "task",
    "dialect",
    "model",
    "deployment",
    "provider",
    "upstream_model",
    "attempts",
    "is_stream",
    "is_cached",
    "status",
    "outcome",
    "fault",
    "bytes_in",
    "bytes_out",
    "fresh_input",
    "cached_input",
    "cache_write",
    "cache_write_hour",
    "audio_input",
    "cached_audio",
    "image_input",
    "output",
    "reasoning",
    "audio_output",
    "image_output",
    "searches",
    "tier",
    "is_estimate",
    "cost_nano",
];

/// What names a record. Its time is part of the name because PostgreSQL keeps records apart by it.
type Name = (i64, String, i32);

impl Store {
    /// Writes `records` and adds them to the sums of their days and to what is counted, all or nothing, and says how many were new: one that is
    /// there already stays as it is and counts for nothing, so a batch may be written again when its fate is unknown.
    ///
    /// One statement takes all of them, so hundreds at a time are best.
    ///
    /// # Errors
    /// [`StoreError::Database`]; see [`StoreError::is_lasting`].
    pub async fn spend_insert(&self, records: &[SpendRecord]) -> Result<u64, StoreError> {
        let records: Vec<_> = records.iter().map(tidy::tidied).collect();
        let batch = to_json(&records)?;
        let insert = AssertSqlSafe(insert(&self.pool));
        let add = AssertSqlSafe(daily::add(&self.pool));
        let (add_counts, add_of_late) = (counted::add_counts(&self.pool), counted::add_of_late(&self.pool));
        let new = on!(self, pool => {
            let mut transaction = pool.begin().await?;
            let new: Vec<Name> =
                sqlx::query_as(insert).bind(&batch).fetch_all(&mut *transaction).await?;
            let (sums, additions) = sums(&records, &new);
            sqlx::query(add).bind(to_json(&sums)?).execute(&mut *transaction).await?;
            if !additions.is_empty() {
                let (counts, of_late) = additions.into_rows();
                sqlx::query(add_counts).bind(to_json(&counts)?).execute(&mut *transaction).await?;
                sqlx::query(add_of_late).bind(to_json(&of_late)?).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            new
        });
        Ok(new.len() as u64)
    }
}

impl TryFrom<String> for Tags {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&text)
    }
}

/// The batch is one JSON list. It is read in the order of the names, so that two writers never wait for each other in a
/// circle.
fn insert(pool: &Pool) -> String {
    let insert = json::insert(pool, "spend", &COLUMNS);
    format!("{insert} ORDER BY 3, 1, 2 ON CONFLICT DO NOTHING RETURNING started_us, request_id, attempt")
}

/// What those of `records` that are `new` add to sums and counters. One that is in a batch twice counts once.
fn sums(records: &[Cow<'_, SpendRecord>], new: &[Name]) -> (Vec<Daily>, Additions) {
    let mut new: HashSet<(i64, &str, i32)> =
        new.iter().map(|(started, request, attempt)| (*started, request.as_str(), *attempt)).collect();
    let (mut sums, mut additions) = (Sums::default(), Additions::default());
    for record in records {
        if new.remove(&(record.started_us, record.request_id.as_str(), record.attempt)) {
            sums.add(record);
            additions.add(record);
        }
    }
    (sums.into_rows(), additions)
}
