//! The sequence of changes, by which gateways catch up on what they missed.

use super::Kind;
use crate::{Store, StoreError, on};

/// How many changes are kept for those who catch up.
pub(super) const KEPT: i64 = 10_000;

/// So many are read at a time.
const AT_ONCE: i64 = 1_000;

/// One account was written or forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub seq: i64,
    /// Of what; `None` for kinds of a newer release.
    pub kind: Option<Kind>,
    /// Which one.
    pub id: String,
}

/// What has changed since some number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// All of it, oldest first; empty where nothing has. There may be more: ask again until it is empty.
    All(Vec<Change>),
    /// More than is known, or the database is another: whatever was read before may be wrong. Go on from this number.
    Unknown(i64),
}

/// Takes the next number, and with it the right to change something until the end of the transaction.
macro_rules! tick {
    ($connection:expr) => {
        sqlx::query_scalar::<_, i64>("UPDATE change_clock SET seq = seq + 1 WHERE one = 1 RETURNING seq")
            .fetch_one($connection)
            .await
    };
}
pub(super) use tick;

/// Writes down what the change of that number was.
macro_rules! note {
    ($connection:expr, $seq:expr, $kind:expr, $id:expr) => {{
        sqlx::query("INSERT INTO change (seq, kind, id) VALUES ($1, $2, $3)")
            .bind($seq)
            .bind($kind.name())
            .bind($id)
            .execute($connection)
            .await?;
        sqlx::query("DELETE FROM change WHERE seq <= $1")
            .bind($seq - crate::accounts::changes::KEPT)
            .execute($connection)
            .await
    }};
}
pub(super) use note;

impl Store {
    /// The number of the last change; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn change_latest(&self) -> Result<i64, StoreError> {
        let select = "SELECT seq FROM change_clock WHERE one = 1";
        Ok(on!(self, pool => sqlx::query_scalar(select).fetch_one(pool).await)?)
    }

    /// What has changed after the change `seq`. Costs one row where nothing has.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn change_since(&self, seq: i64) -> Result<Changes, StoreError> {
        let latest = self.change_latest().await?;
        if latest == seq {
            return Ok(Changes::All(Vec::new()));
        }
        let select = "SELECT seq, kind, id FROM change WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows: Vec<(i64, String, String)> =
            on!(self, pool => sqlx::query_as(select).bind(seq).bind(AT_ONCE).fetch_all(pool).await)?;
        let is_whole = latest > seq && rows.first().is_some_and(|(first, ..)| *first == seq + 1);
        Ok(match is_whole {
            true => Changes::All(rows.into_iter().map(Change::from).collect()),
            false => Changes::Unknown(latest),
        })
    }
}

impl From<(i64, String, String)> for Change {
    fn from((seq, kind, id): (i64, String, String)) -> Self {
        Self { seq, kind: Kind::named(&kind), id }
    }
}
