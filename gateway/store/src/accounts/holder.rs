//! A key with all that it inherits from, in one question, and a second one where groups of models may be named.

use sqlx::AssertSqlSafe;

use super::{Budget, Key, Member, ModelGroup, Team, User, from_row};
use crate::json::{from_json, to_json};
use crate::{Pool, Store, StoreError, on};

/// A key, and those above it. What it names and is not there is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The key.
    pub key: Key,
    /// That of [`Key::budget_id`].
    pub key_budget: Option<Budget>,
    /// That of [`Key::team_id`].
    pub team: Option<Team>,
    /// That of [`Key::user_id`].
    pub user: Option<User>,
    /// The user's place in the team.
    pub member: Option<Member>,
    /// That of [`Member::budget_id`], else that of [`Team::member_budget_id`].
    pub member_budget: Option<Budget>,
    /// Those that its models and those of team and user name, by id or by name.
    pub groups: Vec<ModelGroup>,
}

type Row = (String, i64, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

/// What [`Store::holder_by_hash`] asks.
pub(super) const SELECT: &str = "SELECT k.doc, k.seq, kb.doc, t.doc, u.doc, m.doc, COALESCE(mb.doc, tb.doc) \
     FROM api_key k \
     LEFT JOIN budget kb ON kb.id = k.budget_id \
     LEFT JOIN team t ON t.id = k.team_id \
     LEFT JOIN api_user u ON u.id = k.user_id \
     LEFT JOIN team_member m ON m.team_id = k.team_id AND m.user_id = k.user_id \
     LEFT JOIN budget mb ON mb.id = m.budget_id \
     LEFT JOIN budget tb ON tb.id = t.member_budget_id \
     WHERE k.id = (SELECT id FROM api_key WHERE hash = $1 UNION ALL \
                   SELECT id FROM api_key WHERE former_hash = $1 LIMIT 1)";

impl Store {
    /// The key that `hash` opens, or opened before a rotation.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn holder_by_hash(&self, hash: &str) -> Result<Option<Holder>, StoreError> {
        let row: Option<Row> =
            on!(self, pool => sqlx::query_as(SELECT).bind(hash).fetch_optional(pool).await)?;
        let Some((key, seq, key_budget, team, user, member, member_budget)) = row else { return Ok(None) };
        let mut holder = Holder {
            key: from_row((key, seq))?,
            key_budget: key_budget.as_deref().map(from_json).transpose()?,
            team: team.as_deref().map(from_json).transpose()?,
            user: user.as_deref().map(from_json).transpose()?,
            member: member.as_deref().map(from_json).transpose()?,
            member_budget: member_budget.as_deref().map(from_json).transpose()?,
            groups: Vec::new(),
        };
        let (ids, models) = holder.named();
        holder.groups = self.model_groups(&ids, &models).await?;
        Ok(Some(holder))
    }

    /// The groups of these ids, and those that are named among `models`. Asks for nothing where there can be none.
    pub(super) async fn model_groups<T: AsRef<str>>(
        &self,
        ids: &[T],
        models: &[T],
    ) -> Result<Vec<ModelGroup>, StoreError> {
        let ids: Vec<_> = ids.iter().map(AsRef::as_ref).collect();
        let names = models.iter().map(AsRef::as_ref).filter(|name: &&str| !name.contains('*'));
        let names: Vec<_> = names.collect();
        if ids.is_empty() && names.is_empty() {
            return Ok(Vec::new());
        }
        let list = |place: &str| match &self.pool {
            Pool::Postgres(_) => format!("(SELECT json_array_elements_text({place}::json))"),
            Pool::Sqlite(_) => format!("(SELECT value FROM json_each({place}))"),
        };
        let sql = format!("SELECT doc FROM model_group WHERE id IN {} OR name IN {}", list("$1"), list("$2"));
        let (ids, names) = (to_json(&ids)?, to_json(&names)?);
        let docs: Vec<String> = on!(self, pool => sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(ids)
            .bind(names)
            .fetch_all(pool)
            .await)?;
        docs.iter().map(|doc| from_json(doc)).collect()
    }
}

impl Holder {
    /// Ids of groups, and models, among which may be names of groups.
    fn named(&self) -> (Vec<&str>, Vec<&str>) {
        let (team, user) = (self.team.as_ref(), self.user.as_ref());
        let groups = self.key.model_groups.iter();
        let groups = groups.chain(team.into_iter().flat_map(|team| &team.model_groups));
        let groups = groups.chain(user.into_iter().flat_map(|user| &user.model_groups));
        let models = self.key.models.iter();
        let models = models.chain(team.into_iter().flat_map(|team| &team.models));
        let models = models.chain(user.into_iter().flat_map(|user| &user.models));
        let models = models.chain(self.member.iter().flat_map(|member| &member.models));
        (groups.map(String::as_str).collect(), models.map(String::as_str).collect())
    }
}
