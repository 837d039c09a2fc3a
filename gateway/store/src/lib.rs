//! Durable state. The only crate that knows SQL: PostgreSQL for gateways that share, an embedded SQLite file for one
//! that stands alone. One text serves both (times are microseconds, money is nano-dollars, JSON is text), so a file
//! here is a table: `settings.rs`, `responses.rs`, `spend.rs`; `accounts.rs` has keys and whom they belong to. `open.rs` has
//! how a database is opened and brought up to date, `json.rs` how documents and lists go in and out.

pub mod accounts;
mod counted;
mod json;
mod open;
mod responses;
mod settings;
mod spend;

pub use counted::{Count, CountReader, Counted};
pub use responses::StoredResponse;
pub use spend::{Cursor, Daily, DailyQuery, SpendFilter, SpendRecord, Subject, Tags};

// So that tests inside can share the place of those outside.
#[cfg(test)]
extern crate self as store;

#[cfg(test)]
#[path = "../tests/it/place.rs"]
mod place;

use std::path::PathBuf;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

/// A handle to the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    /// For messages: without user and password.
    name: String,
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Does the same on either database: `$pool` is a reference to its pool in `$work`.
macro_rules! on {
    ($store:expr, $pool:ident => $work:expr) => {
        match &$store.pool {
            crate::Pool::Sqlite($pool) => $work,
            crate::Pool::Postgres($pool) => $work,
        }
    };
}
pub(crate) use on;

/// Why the store does not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder cannot be made or written.
    #[error("data folder {folder} cannot be used: {reason}")]
    Folder {
        /// As given.
        folder: PathBuf,
        /// From the operating system.
        reason: std::io::Error,
    },
    /// The text that should name a database does not. The text itself is a secret.
    #[error("the database URL is not one: write it as postgres://user:password@host:5432/name")]
    Url,
    /// It is there, but is not ours, or is damaged.
    #[error(
        "database {database} cannot be brought up to date: {reason}; restore it from a backup, or name another to start anew"
    )]
    Migration {
        /// A file, or host and name.
        database: String,
        /// What did not fit.
        reason: sqlx::migrate::MigrateError,
    },
    /// Any other fault of the database.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether the same again will fail again, because of what is to be written and not of how the database fares.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                // PostgreSQL: what the data is, breaks, or exceeds. SQLite: too big, against a constraint, of a wrong
                // type, out of range.
                match &*code {
                    // No constraint of ours: the row's month was made while it was on its way to the default.
                    "23514" if error.constraint().is_none() => false,
                    state if state.len() == 5 => {
                        ["22", "23", "54"].iter().any(|class| state.starts_with(class))
                    }
                    number => number.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20 | 25)),
                }
            }
            Self::Database(sqlx::Error::Encode(_)) | Self::Url => true,
            _ => false,
        }
    }
}

impl Store {
    /// Where it is, for messages: a file, or host and name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether other gateways may use it at the same time.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.pool, Pool::Postgres(_))
    }

    /// Asks for nothing but an answer.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let one: i32 = on!(self, pool => sqlx::query_scalar("SELECT 1").fetch_one(pool).await)?;
        debug_assert_eq!(one, 1);
        Ok(())
    }

    /// Writes what is pending and closes it.
    pub async fn close(self) {
        on!(self, pool => pool.close().await);
    }
}
