//! JSON to databases and from them: documents, and lists of rows that go in one parameter.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Pool, StoreError};

/// What is written here can be; an error is shown as the driver's.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
}

pub(crate) fn from_json<T: DeserializeOwned>(doc: &str) -> Result<T, StoreError> {
    serde_json::from_str(doc).map_err(|error| StoreError::Database(sqlx::Error::Decode(error.into())))
}

/// Puts the rows of the JSON list $1 into `table`. What comes behind it may order them and say what to do with those
/// that are there.
pub(crate) fn insert(pool: &Pool, table: &str, columns: &[&str]) -> String {
    let names = columns.join(", ");
    let rows = match pool {
        Pool::Postgres(_) => {
            format!("SELECT {names} FROM json_populate_recordset(NULL::{table}, $1::json)")
        }
        Pool::Sqlite(_) => {
            let values: Vec<_> = columns.iter().map(|name| format!("value->>'{name}'")).collect();
            // Without the condition, ON would be read as that of a join.
            format!("SELECT {} FROM json_each($1) WHERE TRUE", values.join(", "))
        }
    };
    format!("INSERT INTO {table} ({names}) {rows}")
}
