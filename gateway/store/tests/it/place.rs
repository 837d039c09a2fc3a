//! Where a test's database is: a folder, or a new database of the server that `scripts/services` brings.

use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use store::Store;

/// The server of `scripts/services`.
const SERVER: &str = "postgres://fairlead@127.0.0.1:54329";

/// A database of one test's own.
pub(crate) enum Place {
    Folder(tempfile::TempDir),
    Url(String),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) async fn postgres() -> Self {
        let server = std::env::var_os("FAIRLEAD_TEST_POSTGRES").and_then(|url| url.into_string().ok());
        let server = server.unwrap_or_else(|| SERVER.to_owned());
        let connected = PgConnection::connect(&format!("{server}/postgres")).await;
        let mut connection =
            connected.expect("PostgreSQL: run scripts/services up, or set FAIRLEAD_TEST_POSTGRES");
        let name = format!("test_{:032x}", rand::random::<u128>());
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        Self::Url(format!("{server}/{name}"))
    }

    /// Does `sql`, past the store.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self {
            Self::Folder(folder) => {
                let url = format!("sqlite://{}", folder.path().join("fairlead.db").display());
                SqliteConnection::connect(&url).await.unwrap().execute(sql).await.unwrap();
            }
            Self::Url(url) => {
                PgConnection::connect(url).await.unwrap().execute(sql).await.unwrap();
            }
        }
    }

    /// The database, up to date. Each call is as another process.
    pub(crate) async fn open(&self) -> Store {
        match self {
            Self::Folder(folder) => Store::open(folder.path()).await.unwrap(),
            Self::Url(url) => {
                let store = Store::connect(url).unwrap();
                store.migrate().await.unwrap();
                store
            }
        }
    }
}
