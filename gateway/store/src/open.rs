//! How a database is opened, and how it is brought up to date. Migrations run forward only and under a lock, so that
//! processes may start at once. They only ever add: releases before and after one may run side by side, so an older
//! release passes over migrations that it does not know.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{Pool, Store, StoreError};

/// The file in the data folder.
const FILE: &str = "fairlead.db";

/// Held while the file is brought up to date: SQLite's own lock is too short for it.
const LOCK: &str = "fairlead.lock";

/// A request that waits longer for a connection is better off without the database.
const PATIENCE: Duration = Duration::from_secs(3);

static SHARED: Migrator = sqlx::migrate!();

/// Where the two databases must differ. Numbers are never used twice, not even in different folders.
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Store {
    /// Opens the database in `folder`, making both at first, and brings it up to date.
    ///
    /// # Errors
    /// Every variant of [`StoreError`] but [`StoreError::Url`].
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let unusable = |reason| StoreError::Folder { folder: folder.to_owned(), reason };
        make_private(folder).map_err(unusable)?;
        let lock = locked(folder.join(LOCK)).await.map_err(unusable)?;
        let file = folder.join(FILE);
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // In this journal mode a crash of the machine may undo the last commits, but never spoils the file.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(PATIENCE);
        let store =
            Self { pool: Pool::Sqlite(pool.connect_with(options).await?), name: file.display().to_string() };
        store.migrate().await?;
        drop(lock);
        Ok(store)
    }

    /// A handle to the PostgreSQL database of `url`. Connects when it must, so it succeeds also while the database is
    /// away; call [`Store::migrate`] before anything else.
    ///
    /// # Errors
    /// [`StoreError::Url`].
    pub fn connect(url: &str) -> Result<Self, StoreError> {
        // The driver's own message might quote the password.
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let options = PgConnectOptions::from_str(url).ok().filter(|_| is_postgres).ok_or(StoreError::Url)?;
        let options = options.application_name("fairlead-gateway");
        let database = options.get_database().unwrap_or("postgres");
        let name = format!("{}:{}/{database}", options.get_host(), options.get_port());
        let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(PATIENCE);
        Ok(Self { pool: Pool::Postgres(pool.connect_lazy_with(options)), name })
    }

    /// Brings the database up to date. Does nothing where it is; safe to call from many processes at once.
    ///
    /// # Errors
    /// [`StoreError::Migration`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let migrated = match &self.pool {
            Pool::Sqlite(pool) => together(&SQLITE).run(pool).await,
            Pool::Postgres(pool) => together(&POSTGRES).run(pool).await,
        };
        migrated.map_err(|reason| StoreError::Migration { database: self.name.clone(), reason })
    }
}

/// The shared migrations and those of one database, in the order of their numbers.
fn together(own: &Migrator) -> Migrator {
    let mut all = Migrator::with_migrations(SHARED.iter().chain(own.iter()).cloned().collect());
    all.set_ignore_missing(true);
    all
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

/// Waits until no other process brings the file up to date. The lock ends with the returned handle.
async fn locked(path: PathBuf) -> std::io::Result<std::fs::File> {
    let lock = move || {
        let file = std::fs::File::create(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock).await.map_err(std::io::Error::other)?
}
