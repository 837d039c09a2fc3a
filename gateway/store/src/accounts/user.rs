//! Users of the gateway: people and services that keys belong to.

use serde::{Deserialize, Serialize};

use super::{Account, Kind, Rest, Terms, stamped};

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// What names them.
    pub id: String,
    /// Their name for people.
    pub alias: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// What they may do, as LiteLLM says it: `proxy_admin`, `internal_user`, ...
    pub role: Option<String>,
    /// The models that their keys without a team may ask; empty is every one.
    pub models: Vec<String>,
    /// Groups of models that these keys may ask, by id.
    pub model_groups: Vec<String>,
    /// Their keys are refused until further notice.
    pub blocked: bool,
    /// How much all of their keys may use together.
    pub terms: Terms,
    /// What somebody wrote on them.
    pub metadata: Rest,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// Microseconds since 1970.
    pub updated_us: i64,
    /// What else clients wrote, and want to read again.
    #[serde(flatten)]
    pub rest: Rest,
    /// See [`Account::seq`].
    #[serde(skip)]
    pub seq: i64,
}

/// What users are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserBy {
    /// [`User::email`].
    Email,
    /// [`User::role`].
    Role,
}

impl From<UserBy> for &'static str {
    fn from(by: UserBy) -> Self {
        match by {
            UserBy::Email => "email",
            UserBy::Role => "role",
        }
    }
}

impl Account for User {
    const KIND: Kind = Kind::User;
    const COLUMNS: &'static [&'static str] = &["email", "role"];
    type By = UserBy;
    stamped!();

    fn id(&self) -> String {
        self.id.clone()
    }

    fn values(&self) -> Vec<Option<&str>> {
        vec![self.email.as_deref(), self.role.as_deref()]
    }
}
