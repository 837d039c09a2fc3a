//! Durable state. The only crate that knows SQL: an embedded SQLite file by default.
//! Migrations in `migrations/` run forward only, under SQLite's write lock, at every open.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

/// The file in the data folder.
const FILE: &str = "fairlead.db";

/// A handle to the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

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
    /// The file is there, but is not ours, or was written by a newer release.
    #[error(
        "database {file} cannot be opened: {reason}; restore it from a backup, or move it away to start anew"
    )]
    Migration {
        /// With its folder.
        file: PathBuf,
        /// What did not fit.
        reason: sqlx::migrate::MigrateError,
    },
    /// Any other fault of the database.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl Store {
    /// Opens the database in `folder`, making both at first, and brings it up to date.
    ///
    /// # Errors
    /// Every variant of [`StoreError`].
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        make_private(folder).map_err(|reason| StoreError::Folder { folder: folder.to_owned(), reason })?;
        let file = folder.join(FILE);
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let migrated = sqlx::migrate!().run(&pool).await;
        migrated.map_err(|reason| StoreError::Migration { file, reason })?;
        Ok(Self { pool })
    }

    /// The setting `name`; made by `value` if it has none yet. Two processes that start at once agree on one.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn setting_get_or_insert(
        &self,
        name: &str,
        value: impl FnOnce() -> String,
    ) -> Result<String, StoreError> {
        if let Some(found) = self.setting_get(name).await? {
            return Ok(found);
        }
        let insert = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        sqlx::query(insert).bind(name).bind(value()).execute(&self.pool).await?;
        self.setting_get(name).await?.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    async fn setting_get(&self, name: &str) -> Result<Option<String>, StoreError> {
        let select = sqlx::query_scalar("SELECT value FROM setting WHERE name = $1").bind(name);
        Ok(select.fetch_optional(&self.pool).await?)
    }

    /// Writes what is pending and closes the file.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// The database holds keys: nobody but its owner may read it.
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = folder.join(FILE);
    if !file.exists() {
        std::fs::File::create(&file)?;
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_setting_outlives_the_process_and_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let store = Store::open(&data).await.unwrap();
        let first = store.setting_get_or_insert("key", || "one".into()).await.unwrap();
        let second = store.setting_get_or_insert("key", || "two".into()).await.unwrap();
        store.close().await;
        let store = Store::open(&data).await.unwrap();
        let third = store.setting_get_or_insert("key", || "three".into()).await.unwrap();
        assert_eq!([first, second, third], ["one", "one", "one"]);
    }

    #[tokio::test]
    async fn processes_that_start_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let stores = [Store::open(folder.path()).await.unwrap(), Store::open(folder.path()).await.unwrap()];
        let (a, b) = tokio::join!(
            stores[0].setting_get_or_insert("key", || "a".into()),
            stores[1].setting_get_or_insert("key", || "b".into()),
        );
        assert_eq!(a.unwrap(), b.unwrap());
    }

    #[tokio::test]
    async fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Store::open(folder.path()).await.unwrap().close().await;
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "not a database, but long enough to be one".repeat(50))
            .unwrap();
        let error = Store::open(folder.path()).await.unwrap_err();
        assert!(error.to_string().contains("database"), "{error}");
    }
}
