//! Keys, teams and their members, users, customers, budgets and groups of models, as LiteLLM's users know them: what they
//! are, and how each is written, read and listed. All go the same way. An account is a document with a few columns to
//! search by; what is written over it must be what was read, so that of two writers one is told; every change gets the
//! next number of one sequence (`accounts/changes.rs`), so that gateways can follow.
//! `accounts/holder.rs` reads a key with all that it inherits from, `accounts/terms.rs` says how much somebody may use.

mod budget;
mod changes;
mod customer;
mod holder;
mod key;
mod list;
#[cfg(test)]
mod plans;
mod team;
mod terms;
mod user;

pub use budget::{Budget, ModelGroup};
pub use changes::{Change, Changes};
pub use customer::Customer;
pub use holder::Holder;
pub use key::{FormerHash, Key, KeyBy, KeyType};
pub use list::{NoFilter, Page, Place};
pub use team::{Member, MemberBy, Team, TeamBy};
pub use terms::{ModelTerms, SpendWindow, Terms};
pub use user::{User, UserBy};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::AssertSqlSafe;

use crate::json::{from_json, to_json};
use crate::{Store, StoreError, on};
use changes::{note, tick};

/// What is not understood here, and kept for those who do.
pub type Rest = serde_json::Map<String, serde_json::Value>;

/// Which sort of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`Key`].
    Key,
    /// [`Team`].
    Team,
    /// [`Member`].
    Member,
    /// [`User`].
    User,
    /// [`Customer`].
    Customer,
    /// [`Budget`].
    Budget,
    /// [`ModelGroup`].
    ModelGroup,
}

/// Something of these kinds.
pub trait Account: Serialize + DeserializeOwned + Send + Sync {
    /// Its kind.
    const KIND: Kind;
    /// The columns that it is searched by.
    const COLUMNS: &'static [&'static str];
    /// What lists of it can be narrowed by.
    type By: Into<&'static str>;

    /// What names it.
    fn id(&self) -> String;
    /// When it was made, microseconds since 1970.
    fn created_us(&self) -> i64;
    /// What stands in [`Self::COLUMNS`].
    fn values(&self) -> Vec<Option<&str>>;
    /// The number of the change that it was read after; 0 before it is written.
    fn seq(&self) -> i64;
    /// Notes that number.
    fn set_seq(&mut self, seq: i64);
}

/// What of [`Account`] is the same wherever the fields `created_us` and `seq` are.
macro_rules! stamped {
    () => {
        fn created_us(&self) -> i64 {
            self.created_us
        }

        fn seq(&self) -> i64 {
            self.seq
        }

        fn set_seq(&mut self, seq: i64) {
            self.seq = seq;
        }
    };
}
use stamped;

/// What came of writing an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is written, with a change of this number.
    Done(i64),
    /// Nothing is written: another writer was first, or what must be there once is there already.
    Conflict,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 7] =
        [Self::Key, Self::Team, Self::Member, Self::User, Self::Customer, Self::Budget, Self::ModelGroup];

    /// In the database, and in what gateways tell each other.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Team => "team",
            Self::Member => "member",
            Self::User => "user",
            Self::Customer => "customer",
            Self::Budget => "budget",
            Self::ModelGroup => "model_group",
        }
    }

    /// The kind of that name. `None` for those of a newer release.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn table(self) -> &'static str {
        match self {
            Self::Key => "api_key",
            Self::Team => "team",
            Self::Member => "team_member",
            Self::User => "api_user",
            Self::Customer => "customer",
            Self::Budget => "budget",
            Self::ModelGroup => "model_group",
        }
    }
}

impl Store {
    /// Writes `account`: one that was never read as a new one, else over what it was read from. On
    /// [`Written::Conflict`], read it again.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn account_put<A: Account>(&self, account: &A) -> Result<Written, StoreError> {
        let (id, doc, is_new) = (account.id(), to_json(account)?, account.seq() == 0);
        let sql = if is_new { insert::<A>() } else { update::<A>() };
        on!(self, pool => {
            let mut transaction = pool.begin().await?;
            let seq = tick!(&mut *transaction)?;
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(&id).bind(seq).bind(&doc);
            query = query.bind(if is_new { account.created_us() } else { account.seq() });
            for value in account.values() {
                query = query.bind(value);
            }
            match query.execute(&mut *transaction).await {
                Ok(done) if done.rows_affected() == 1 => {}
                Ok(_) => return Ok(Written::Conflict),
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(Written::Conflict),
                Err(error) => return Err(error.into()),
            }
            note!(&mut *transaction, seq, A::KIND, &id)?;
            transaction.commit().await?;
            Ok(Written::Done(seq))
        })
    }

    /// Forgets the account `id`. `None` where there is none, else the number of the change.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn account_delete<A: Account>(&self, id: &str) -> Result<Option<i64>, StoreError> {
        let sql = format!("DELETE FROM {} WHERE id = $1", A::KIND.table());
        on!(self, pool => {
            let mut transaction = pool.begin().await?;
            let seq = tick!(&mut *transaction)?;
            let done = sqlx::query(AssertSqlSafe(sql)).bind(id).execute(&mut *transaction).await?;
            if done.rows_affected() == 0 {
                return Ok(None);
            }
            note!(&mut *transaction, seq, A::KIND, id)?;
            transaction.commit().await?;
            Ok(Some(seq))
        })
    }

    /// The account `id`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn account_get<A: Account>(&self, id: &str) -> Result<Option<A>, StoreError> {
        let sql = format!("SELECT doc, seq FROM {} WHERE id = $1", A::KIND.table());
        let row: Option<(String, i64)> =
            on!(self, pool => sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(pool).await)?;
        row.map(from_row).transpose()
    }
}

/// $1 id, $2 seq, $3 doc, $4 created, then the columns.
fn insert<A: Account>() -> String {
    let columns: String = A::COLUMNS.iter().map(|column| format!(", {column}")).collect();
    let places: String = (5..).take(A::COLUMNS.len()).map(|place| format!(", ${place}")).collect();
    format!(
        "INSERT INTO {} (id, seq, doc, created_us{columns}) VALUES ($1, $2, $3, $4{places})",
        A::KIND.table()
    )
}

/// $1 id, $2 new seq, $3 doc, $4 the seq that it was read with, then the columns.
fn update<A: Account>() -> String {
    let columns = A::COLUMNS.iter().zip(5..);
    let columns: String = columns.map(|(column, place)| format!(", {column} = ${place}")).collect();
    format!("UPDATE {} SET seq = $2, doc = $3{columns} WHERE id = $1 AND seq = $4", A::KIND.table())
}

fn from_row<A: Account>((doc, seq): (String, i64)) -> Result<A, StoreError> {
    let mut account: A = from_json(&doc)?;
    account.set_seq(seq);
    Ok(account)
}
