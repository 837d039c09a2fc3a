//! Spend records in PostgreSQL are kept apart by month (UTC), so that old ones go in one step and without a trace. A month
//! is made ahead; what belongs to none (a spool that was found late, a clock that is wrong) waits in `spend_default`.
//! SQLite has one table, and deletes in steps.

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use sqlx::postgres::{PgPool, Postgres};
use sqlx::{AssertSqlSafe, Executor, Transaction};

use crate::{Pool, Store, StoreError};

/// Held while months are made and dropped: whichever gateway comes first does it. The number is this crate's own.
const LOCK: i64 = 0x6661_6972_6c65_6164;

/// How many months after this one are made ahead.
const AHEAD: i32 = 2;

/// Whoever waits longer for a table holds up everybody who wants it after.
const PATIENCE: &str = "SET LOCAL lock_timeout = '2s'";

impl Store {
    /// Makes the months to come, where records are kept apart by month. To be called before records are written, and
    /// every few days. Does nothing while another gateway does it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn spend_prepare(&self, now_us: i64) -> Result<(), StoreError> {
        match &self.pool {
            Pool::Sqlite(_) => Ok(()),
            Pool::Postgres(pool) => make_months(pool, now_us).await,
        }
    }

    /// Drops records that began before `before_us`, at most about so many, and says how many there were; sums of days
    /// stay. Small steps keep locks short: call it until it says 0. Where records are kept apart by month, they go when
    /// their month is over, a whole month at a time.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn spend_delete_before(&self, before_us: i64, at_most: u32) -> Result<u64, StoreError> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let deleted = sqlx::query(AssertSqlSafe(delete_from("spend")));
                Ok(deleted.bind(before_us).bind(i64::from(at_most)).execute(pool).await?.rows_affected())
            }
            Pool::Postgres(pool) => drop_months(pool, before_us, at_most).await,
        }
    }
}

async fn make_months(pool: &PgPool, now_us: i64) -> Result<(), StoreError> {
    let Some(mut transaction) = alone(pool).await? else { return Ok(()) };
    let there = months(&mut transaction).await?;
    let first = month(now_us);
    for month in (0..=AHEAD).filter_map(|ahead| first.checked_add(ahead.months()).ok()) {
        if !there.contains(&month) {
            make(&mut transaction, month).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// It is made aside and then attached, which does not hold up those who write other months.
async fn make(transaction: &mut Transaction<'_, Postgres>, month: Date) -> Result<(), StoreError> {
    let (name, from, to) = (table(month), start(month), start(month.saturating_add(1.month())));
    let steps = [
        format!("CREATE TABLE {name} (LIKE spend INCLUDING ALL)"),
        format!(
            "WITH early AS (DELETE FROM spend_default WHERE started_us >= {from} AND started_us < {to} RETURNING *) \
             INSERT INTO {name} SELECT * FROM early"
        ),
        format!("ALTER TABLE spend ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to})"),
    ];
    for step in steps {
        transaction.execute(AssertSqlSafe(step)).await?;
    }
    Ok(())
}

async fn drop_months(pool: &PgPool, before_us: i64, at_most: u32) -> Result<u64, StoreError> {
    let Some(mut transaction) = alone(pool).await? else { return Ok(0) };
    let there = months(&mut transaction).await?;
    let gone = there.into_iter().find(|month| start(month.saturating_add(1.month())) <= before_us);
    let dropped = match gone {
        Some(month) => {
            let name = table(month);
            let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {name}")));
            let count: i64 = count.fetch_one(&mut *transaction).await?;
            transaction.execute(AssertSqlSafe(format!("DROP TABLE {name}"))).await?;
            // A month without records is no reason to stop.
            u64::try_from(count).unwrap_or_default().max(1)
        }
        None => {
            let deleted = sqlx::query(AssertSqlSafe(delete_from("spend_default")));
            let deleted = deleted.bind(before_us).bind(i64::from(at_most)).execute(&mut *transaction).await?;
            deleted.rows_affected()
        }
    };
    transaction.commit().await?;
    Ok(dropped)
}

fn delete_from(table: &str) -> String {
    format!(
        "DELETE FROM {table} WHERE (started_us, request_id, attempt) IN (SELECT started_us, request_id, attempt \
         FROM {table} WHERE started_us < $1 ORDER BY started_us LIMIT $2)"
    )
}

/// A transaction in which nobody else makes or drops months; `None` while another does.
async fn alone(pool: &PgPool) -> Result<Option<Transaction<'static, Postgres>>, StoreError> {
    let mut transaction = pool.begin().await?;
    transaction.execute(PATIENCE).await?;
    let is_alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *transaction)
        .await?;
    Ok(is_alone.then_some(transaction))
}

/// Those that are there, oldest first.
async fn months(transaction: &mut Transaction<'_, Postgres>) -> Result<Vec<Date>, StoreError> {
    let select = "SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid \
                  WHERE inhparent = 'spend'::regclass ORDER BY relname";
    let names: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut **transaction).await?;
    Ok(names.iter().filter_map(|name| read(name)).collect())
}

fn table(month: Date) -> String {
    format!("spend_{:04}_{:02}", month.year(), month.month())
}

fn read(table: &str) -> Option<Date> {
    let (year, month) = table.strip_prefix("spend_")?.split_once('_')?;
    Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()
}

/// The first day of the month of `us`.
fn month(us: i64) -> Date {
    let at = Timestamp::from_microsecond(us).unwrap_or_default().to_zoned(TimeZone::UTC).date();
    at.first_of_month()
}

/// When that day begins, in microseconds since 1970.
fn start(day: Date) -> i64 {
    let epoch = date(1970, 1, 1);
    day.duration_since(epoch).as_secs().saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_from_its_table_and_back() {
        let november = month(1_795_651_199_000_000);
        assert_eq!((table(november).as_str(), start(november)), ("spend_2026_11", 1_793_491_200_000_000));
        assert_eq!(read("spend_2026_11"), Some(november));
        for other in ["spend_default", "spend_daily", "spend_2026_13", "spend_2026_11_old"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
