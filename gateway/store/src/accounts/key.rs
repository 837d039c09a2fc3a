//! Virtual keys of the store.

use serde::{Deserialize, Serialize};

use super::{Account, Kind, Rest, Terms, stamped};

/// A key. What opens the gateway is known by its digest only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Key {
    /// Stays when the secret is rotated.
    pub id: String,
    /// Lower-case hex SHA-256 of the whole `sk-...`. No two keys have the same.
    pub hash: String,
    /// The one before it, while a rotation overlaps.
    pub former: Option<FormerHash>,
    /// What people see of it: `sk-...abcd`.
    pub shown: String,
    /// Its name for people.
    pub alias: Option<String>,
    /// Whose team's it is.
    pub team_id: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// Whose organization's it is.
    pub organization_id: Option<String>,
    /// The budget that its terms come from where it has none of its own.
    pub budget_id: Option<String>,
    /// The models that it may ask; empty is every one that those above it may. In patterns `*` is any text.
    pub models: Vec<String>,
    /// Groups of models that it may ask, by id.
    pub model_groups: Vec<String>,
    /// The paths, or groups of paths, that it may call; empty is what its type says.
    pub routes: Vec<String>,
    /// What it is for.
    pub key_type: KeyType,
    /// Refused from then on, microseconds since 1970.
    pub expires_us: Option<i64>,
    /// Refused until further notice.
    pub blocked: bool,
    /// How much it may use.
    pub terms: Terms,
    /// Every request with it has these.
    pub tags: Vec<String>,
    /// What its owner wrote on it.
    pub metadata: Rest,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// Microseconds since 1970.
    pub updated_us: i64,
    /// Who made it.
    pub created_by: Option<String>,
    /// Who changed it last.
    pub updated_by: Option<String>,
    /// What else clients wrote, and want to read again.
    #[serde(flatten)]
    pub rest: Rest,
    /// See [`Account::seq`].
    #[serde(skip)]
    pub seq: i64,
}

/// A secret that a rotation has replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerHash {
    /// As in [`Key::hash`].
    pub hash: String,
    /// Refused from then on, microseconds since 1970.
    pub until_us: i64,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// Whatever its owner may do.
    #[default]
    Default,
    /// Asking models.
    LlmApi,
    /// Managing keys and the like.
    Management,
    /// Looking.
    ReadOnly,
}

/// What keys are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyBy {
    /// [`Key::alias`].
    Alias,
    /// [`Key::team_id`].
    Team,
    /// [`Key::user_id`].
    User,
    /// [`Key::organization_id`].
    Organization,
    /// [`Key::budget_id`].
    Budget,
    /// [`Key::created_by`].
    Creator,
}

impl From<KeyBy> for &'static str {
    fn from(by: KeyBy) -> Self {
        match by {
            KeyBy::Alias => "alias",
            KeyBy::Team => "team_id",
            KeyBy::User => "user_id",
            KeyBy::Organization => "organization_id",
            KeyBy::Budget => "budget_id",
            KeyBy::Creator => "created_by",
        }
    }
}

impl Account for Key {
    const KIND: Kind = Kind::Key;
    const COLUMNS: &'static [&'static str] =
        &["hash", "former_hash", "alias", "team_id", "user_id", "organization_id", "budget_id", "created_by"];
    type By = KeyBy;
    stamped!();

    fn id(&self) -> String {
        self.id.clone()
    }

    fn values(&self) -> Vec<Option<&str>> {
        vec![
            Some(&self.hash),
            self.former.as_ref().map(|former| former.hash.as_str()),
            self.alias.as_deref(),
            self.team_id.as_deref(),
            self.user_id.as_deref(),
            self.organization_id.as_deref(),
            self.budget_id.as_deref(),
            self.created_by.as_deref(),
        ]
    }
}
