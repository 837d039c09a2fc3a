//! Durable state. The only crate that knows SQL: PostgreSQL for gateways that share, an embedded SQLite file for one
//! that stands alone. One text serves both (times are microseconds, money is nano-dollars, JSON is text), so a file
//! here is a table: `settings.rs`, `responses.rs`. `open.rs` has how a database is opened and brought up to date.

mod open;
mod responses;
mod settings;

pub use responses::StoredResponse;

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
