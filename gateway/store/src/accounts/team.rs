//! Teams, and who is in them.

use serde::{Deserialize, Serialize};

use super::{Account, Kind, Rest, Terms, stamped};
use crate::json::to_json;

/// A team: what holds for all of its keys together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Team {
    /// What names it.
    pub id: String,
    /// Its name for people.
    pub alias: Option<String>,
    /// Whose organization's it is.
    pub organization_id: Option<String>,
    /// The budget of each member who has none of their own.
    pub member_budget_id: Option<String>,
    /// The models that its keys may ask; empty is every one.
    pub models: Vec<String>,
    /// Groups of models that its keys may ask, by id.
    pub model_groups: Vec<String>,
    /// Its keys are refused until further notice.
    pub blocked: bool,
    /// How much its keys may use together.
    pub terms: Terms,
    /// What its owner wrote on it.
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

/// A user in a team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Which team.
    pub team_id: String,
    /// Which user.
    pub user_id: String,
    /// `admin` or `user`.
    pub role: String,
    /// The budget that the terms come from where there are none of their own.
    pub budget_id: Option<String>,
    /// The models that their keys of the team may ask; empty is every one of the team.
    pub models: Vec<String>,
    /// How much their keys of the team may use together.
    pub terms: Terms,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// What else clients wrote, and want to read again.
    #[serde(flatten)]
    pub rest: Rest,
    /// See [`Account::seq`].
    #[serde(skip)]
    pub seq: i64,
}

/// What teams are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamBy {
    /// [`Team::alias`].
    Alias,
    /// [`Team::organization_id`].
    Organization,
}

/// What members are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberBy {
    /// [`Member::team_id`].
    Team,
    /// [`Member::user_id`].
    User,
}

impl Member {
    /// What names a user's place in a team.
    #[must_use]
    pub fn id_of(team_id: &str, user_id: &str) -> String {
        // Two texts can always be written as JSON.
        to_json(&[team_id, user_id]).unwrap_or_default()
    }
}

impl From<TeamBy> for &'static str {
    fn from(by: TeamBy) -> Self {
        match by {
            TeamBy::Alias => "alias",
            TeamBy::Organization => "organization_id",
        }
    }
}

impl From<MemberBy> for &'static str {
    fn from(by: MemberBy) -> Self {
        match by {
            MemberBy::Team => "team_id",
            MemberBy::User => "user_id",
        }
    }
}

impl Account for Team {
    const KIND: Kind = Kind::Team;
    const COLUMNS: &'static [&'static str] = &["alias", "organization_id", "member_budget_id"];
    type By = TeamBy;
    stamped!();

    fn id(&self) -> String {
        self.id.clone()
    }

    fn values(&self) -> Vec<Option<&str>> {
        vec![self.alias.as_deref(), self.organization_id.as_deref(), self.member_budget_id.as_deref()]
    }
}

impl Account for Member {
    const KIND: Kind = Kind::Member;
    const COLUMNS: &'static [&'static str] = &["team_id", "user_id", "budget_id"];
    type By = MemberBy;
    stamped!();

    fn id(&self) -> String {
        Self::id_of(&self.team_id, &self.user_id)
    }

    fn values(&self) -> Vec<Option<&str>> {
        vec![Some(&self.team_id), Some(&self.user_id), self.budget_id.as_deref()]
    }
}
