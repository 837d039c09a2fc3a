//! What requests have put into the counters of budgets and rate limits. It grows in the transaction that writes their spend
//! records, so each request is in it once, and outlives the memory of a process and the data of a Redis. What is of no use
//! any more goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow, Postgres, Sqlite, Transaction};

use crate::spend::SpendRecord;
use crate::{Pool, Store, StoreError, json, on};

/// How long it is known which requests are in it, in microseconds: whoever counts them once more must not.
const OF_LATE_US: i64 = 900_000_000;

/// The most that a counter holds: see `limits::MOST`.
const MOST: i64 = (1 << 53) - 1;

/// What one request has put into counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Whose counters they are; empty if they are of one process.
    pub space: String,
    /// The name of its reservation, where it may be counted again.
    pub reservation: Option<String>,
    /// One for each counter.
    pub counts: Vec<Count>,
}

/// What is counted in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromRow)]
#[serde(default)]
pub struct Count {
    /// The counter's name.
    pub counter: String,
    /// The span of its window.
    pub span: String,
    /// Of a window that rolls, else 0.
    pub slot: i64,
    /// In the counter's unit.
    pub amount: i64,
    /// From then on it is of no use; never if absent. Microseconds since 1970.
    pub until_us: Option<i64>,
}

/// Reads all that is of use, as it was when the reader was made. Holds a connection.
#[derive(Debug)]
pub struct CountReader {
    transaction: Reading,
    space: String,
    now_us: i64,
    /// The place that was read last.
    count: Count,
    reservation: String,
}

#[derive(Debug)]
enum Reading {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// As [`on!`], in the reader's transaction.
macro_rules! within {
    ($reader:expr, $connection:ident => $work:expr) => {
        match &mut $reader.transaction {
            Reading::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $work
            }
            Reading::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $work
            }
        }
    };
}

impl Store {
    /// What is counted in `space`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn counted(&self, space: &str, now_us: i64) -> Result<CountReader, StoreError> {
        let transaction = match &self.pool {
            Pool::Sqlite(pool) => Reading::Sqlite(pool.begin().await?),
            Pool::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Reading::Postgres(pool.begin_with(begin).await?)
            }
        };
        let (space, count, reservation) = (space.to_owned(), Count::default(), String::new());
        Ok(CountReader { transaction, space, now_us, count, reservation })
    }

    /// Forgets what is of no use any more, at most about so many rows, and says how many there were. Small steps keep
    /// locks short: call it until it says 0.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn counted_tidy(&self, now_us: i64, at_most: u32) -> Result<u64, StoreError> {
        let counts = "DELETE FROM counted WHERE (space, counter, span, slot) IN \
                      (SELECT space, counter, span, slot FROM counted WHERE until_us <= $1 LIMIT $2)";
        let of_late = "DELETE FROM counted_of_late WHERE (space, reservation) IN \
                       (SELECT space, reservation FROM counted_of_late WHERE ended_us <= $1 LIMIT $2)";
        let (at_most, early) = (i64::from(at_most), now_us.saturating_sub(OF_LATE_US));
        Ok(on!(self, pool => {
            let counts = sqlx::query(counts).bind(now_us).bind(at_most).execute(pool).await?.rows_affected();
            counts + sqlx::query(of_late).bind(early).bind(at_most).execute(pool).await?.rows_affected()
        }))
    }
}

impl CountReader {
    /// The next counts, none twice; none at the end.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn counts(&mut self, at_most: u32) -> Result<Vec<Count>, StoreError> {
        let sql = "SELECT counter, span, slot, amount, until_us FROM counted WHERE space = $1 \
                   AND (until_us IS NULL OR until_us > $2) AND (counter, span, slot) > ($3, $4, $5) \
                   ORDER BY counter, span, slot LIMIT $6";
        let Count { counter, span, slot, .. } = &self.count;
        let counts: Vec<Count> = within!(self, connection => {
            let query = sqlx::query_as(sql).bind(&self.space).bind(self.now_us).bind(counter).bind(span);
            query.bind(slot).bind(i64::from(at_most)).fetch_all(connection).await?
        });
        if let Some(last) = counts.last() {
            self.count = last.clone();
        }
        Ok(counts)
    }

    /// The next reservations of requests that have ended of late; none at the end.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn reservations(&mut self, at_most: u32) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT reservation FROM counted_of_late WHERE space = $1 AND ended_us > $2 AND reservation > $3 \
                   ORDER BY reservation LIMIT $4";
        let early = self.now_us.saturating_sub(OF_LATE_US);
        let reservations: Vec<String> = within!(self, connection => {
            let query = sqlx::query_scalar(sql).bind(&self.space).bind(early).bind(&self.reservation);
            query.bind(i64::from(at_most)).fetch_all(connection).await?
        });
        if let Some(last) = reservations.last() {
            self.reservation.clone_from(last);
        }
        Ok(reservations)
    }
}

/// What some records add, as rows. Sorted: writers that go through the same rows in the same order cannot block each
/// other.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// By space, counter, span and slot.
    counts: BTreeMap<(String, String, String, i64), Sum>,
    of_late: BTreeMap<(String, String), i64>,
}

#[derive(Debug)]
struct Sum {
    amount: i64,
    until_us: Option<i64>,
}

#[derive(Debug, Serialize)]
struct CountRow {
    space: String,
    #[serde(flatten)]
    count: Count,
}

#[derive(Debug, Serialize)]
struct OfLateRow {
    space: String,
    reservation: String,
    ended_us: i64,
}

impl Additions {
    /// Adds what `record` has counted.
    pub(crate) fn add(&mut self, record: &SpendRecord) {
        let Some(Counted { space, reservation, counts }) = &record.counted else { return };
        for Count { counter, span, slot, amount, until_us } in counts {
            let place = (space.clone(), counter.clone(), span.clone(), *slot);
            let sum = self.counts.entry(place).or_insert(Sum { amount: 0, until_us: *until_us });
            sum.amount = sum.amount.saturating_add((*amount).clamp(0, MOST)).min(MOST);
            sum.until_us = sum.until_us.max(*until_us);
        }
        if let Some(reservation) = reservation {
            let ended_us = record.started_us.saturating_add(record.duration_us);
            self.of_late.insert((space.clone(), reservation.clone()), ended_us);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.of_late.is_empty()
    }

    /// As two lists: counts, and reservations.
    pub(crate) fn into_rows(self) -> (impl Serialize, impl Serialize) {
        let counts = self.counts.into_iter().map(|((space, counter, span, slot), sum)| CountRow {
            space,
            count: Count { counter, span, slot, amount: sum.amount, until_us: sum.until_us },
        });
        let of_late = self.of_late.into_iter().map(|((space, reservation), ended_us)| OfLateRow {
            space,
            reservation,
            ended_us,
        });
        (counts.collect::<Vec<_>>(), of_late.collect::<Vec<_>>())
    }
}

/// Adds a JSON list of counts to those that are there.
pub(crate) fn add_counts(pool: &Pool) -> AssertSqlSafe<String> {
    let columns = ["space", "counter", "span", "slot", "amount", "until_us"];
    AssertSqlSafe(format!(
        "{} ON CONFLICT (space, counter, span, slot) DO UPDATE SET \
         amount = CASE WHEN counted.amount + excluded.amount > {MOST} THEN {MOST} \
         ELSE counted.amount + excluded.amount END, \
         until_us = CASE WHEN excluded.until_us > counted.until_us THEN excluded.until_us ELSE counted.until_us END",
        json::insert(pool, "counted", &columns)
    ))
}

/// Adds a JSON list of reservations.
pub(crate) fn add_of_late(pool: &Pool) -> AssertSqlSafe<String> {
    let insert = json::insert(pool, "counted_of_late", &["space", "reservation", "ended_us"]);
    AssertSqlSafe(format!("{insert} ON CONFLICT DO NOTHING"))
}
