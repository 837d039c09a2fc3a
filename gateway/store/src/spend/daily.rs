//! What each subject has used and cost on each day, by key, model and provider. Sums grow in the transaction that writes
//! the records, and outlive them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::SpendRecord;
use crate::{Pool, Store, StoreError, json, on};

/// What is counted for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All of a gateway.
    Gateway,
    /// A virtual key.
    Key,
    /// A user.
    User,
    /// A team.
    Team,
    /// Whom requests are made for.
    Customer,
    /// A mark on requests: one with several counts for each.
    Tag,
}

/// One day of one subject, as far as it was with one key, model and provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Daily {
    /// See [`Subject::name`].
    pub kind: String,
    /// The subject's id.
    pub subject: String,
    /// In UTC, `2026-11-25`. A request belongs to the day on which it began.
    pub day: String,
    /// Empty where there was none.
    pub key_id: String,
    /// The public model; empty where there was none.
    pub model: String,
    /// Empty where none was asked.
    pub provider: String,
    /// Requests.
    pub requests: i64,
    /// Those of them that were refused or broke off.
    pub failures: i64,
    /// Attempts that failed, whatever became of their requests.
    pub failed_attempts: i64,
    /// Of all requests.
    pub duration_us: i64,
    /// Tokens that the provider had to read: text, sound and pictures.
    pub fresh_input: i64,
    /// Tokens that the provider had in its cache.
    pub cached_input: i64,
    /// Tokens that the provider wrote to its cache.
    pub cache_write: i64,
    /// Tokens that the client sees or hears.
    pub output: i64,
    /// Tokens that were thought.
    pub reasoning: i64,
    /// Nano-dollars, as far as they are known.
    pub cost_nano: i64,
}

/// Which days of whom.
#[derive(Clone, Debug)]
pub struct DailyQuery<'a> {
    /// What kind of subject.
    pub kind: Subject,
    /// Which; `None` for all of that kind.
    pub subject: Option<&'a str>,
    /// The first day, as in [`Daily::day`].
    pub from: &'a str,
    /// The last day.
    pub to: &'a str,
}

/// What names a row, and its numbers.
const NAMES: [&str; 6] = ["kind", "subject", "day", "key_id", "model", "provider"];
const NUMBERS: [&str; 10] = [
    "requests",
    "failures",
    "failed_attempts",
    "duration_us",
    "fresh_input",
    "cached_input",
    "cache_write",
    "output",
    "reasoning",
    "cost_nano",
];

/// The sums of some records. Sorted: writers that go through the same rows in the same order cannot block each other.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<[String; 6], Daily>);

impl Subject {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Key => "key",
            Self::User => "user",
            Self::Team => "team",
            Self::Customer => "customer",
            Self::Tag => "tag",
        }
    }
}

impl Store {
    /// Every row that `query` asks for, by subject and day.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn daily_activity(&self, query: &DailyQuery<'_>) -> Result<Vec<Daily>, StoreError> {
        let sql = AssertSqlSafe(activity(query));
        Ok(on!(self, pool => {
            let all = sqlx::query_as(sql).bind(query.kind.name()).bind(query.from).bind(query.to);
            let some = match query.subject {
                Some(subject) => all.bind(subject),
                None => all,
            };
            some.fetch_all(pool).await
        })?)
    }
}

impl Sums {
    /// Adds `record` to the day of every subject that it counts for.
    pub(super) fn add(&mut self, record: &SpendRecord) {
        let one = [
            (Subject::Gateway, Some(record.gateway.as_deref().unwrap_or_default())),
            (Subject::Key, record.key_id.as_deref()),
            (Subject::User, record.user_id.as_deref()),
            (Subject::Team, record.team_id.as_deref()),
            (Subject::Customer, record.customer_id.as_deref()),
        ];
        let one = one.into_iter().filter_map(|(kind, subject)| Some((kind, subject?)));
        let mut tags: Vec<_> = record.tags.0.iter().map(String::as_str).collect();
        // A mark that is given twice is one.
        tags.sort_unstable();
        tags.dedup();
        let day = day(record.started_us);
        for (kind, subject) in one.chain(tags.into_iter().map(|tag| (Subject::Tag, tag))) {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let name = [
                kind.name().to_owned(),
                subject.to_owned(),
                day.clone(),
                text(&record.key_id),
                text(&record.model),
                text(&record.provider),
            ];
            self.0.entry(name).or_default().count(record);
        }
    }

    pub(super) fn into_rows(self) -> Vec<Daily> {
        let rows = self.0.into_iter().map(|(name, sums)| {
            let [kind, subject, day, key_id, model, provider] = name;
            Daily { kind, subject, day, key_id, model, provider, ..sums }
        });
        rows.collect()
    }
}

impl Daily {
    fn count(&mut self, record: &SpendRecord) {
        let is_failure = matches!(record.outcome.as_str(), "refused" | "stream_cut");
        let add = |sum: &mut i64, number: i64| *sum = sum.saturating_add(number);
        if record.attempt == 0 {
            add(&mut self.requests, 1);
            add(&mut self.failures, i64::from(is_failure));
            add(&mut self.duration_us, record.duration_us);
        } else {
            add(&mut self.failed_attempts, 1);
        }
        for fresh in [record.fresh_input, record.audio_input, record.image_input] {
            add(&mut self.fresh_input, fresh);
        }
        add(&mut self.cached_input, record.cached_input.saturating_add(record.cached_audio));
        add(&mut self.cache_write, record.cache_write.saturating_add(record.cache_write_hour));
        for output in [record.output, record.audio_output, record.image_output] {
            add(&mut self.output, output);
        }
        add(&mut self.reasoning, record.reasoning);
        add(&mut self.cost_nano, record.cost_nano.unwrap_or_default());
    }
}

/// Adds a JSON list of rows to those that are there.
pub(super) fn add(pool: &Pool) -> String {
    let all: Vec<_> = NAMES.iter().chain(&NUMBERS).copied().collect();
    let insert = json::insert(pool, "spend_daily", &all);
    let sums = NUMBERS.map(|name| format!("{name} = spend_daily.{name} + excluded.{name}"));
    format!("{insert} ON CONFLICT ({}) DO UPDATE SET {}", NAMES.join(", "), sums.join(", "))
}

/// What [`Store::daily_activity`] asks.
pub(super) fn activity(query: &DailyQuery<'_>) -> String {
    let one = if query.subject.is_some() { "AND subject = $4 " } else { "" };
    format!(
        "SELECT {}, {} FROM spend_daily WHERE kind = $1 AND day >= $2 AND day <= $3 {one}\
         ORDER BY subject, day, key_id, model, provider",
        NAMES.join(", "),
        NUMBERS.join(", ")
    )
}

/// The day in UTC. What is beyond the year 9999 belongs to the first day.
fn day(us: i64) -> String {
    Timestamp::from_microsecond(us).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_in_utc() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(1_795_651_199_999_999), "2026-11-25");
        assert_eq!(day(1_795_651_200_000_000), "2026-11-26");
        assert_eq!(day(i64::MAX), "1970-01-01");
    }
}
