//! Customers: end users that requests name, whoever's key it is.

use serde::{Deserialize, Serialize};

use super::{Account, Budget, Kind, ModelGroup, NoFilter, Rest, Terms, from_row, stamped};
use crate::json::from_json;
use crate::{Store, StoreError, on};

/// A customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    /// As requests name them.
    pub id: String,
    /// Their name for people.
    pub alias: Option<String>,
    /// Requests for them are refused until further notice.
    pub blocked: bool,
    /// The budget that the terms come from where there are none of their own.
    pub budget_id: Option<String>,
    /// The models that may be asked for them; empty is every one.
    pub models: Vec<String>,
    /// Groups of models that may be asked for them, by id.
    pub model_groups: Vec<String>,
    /// How much may be used for them.
    pub terms: Terms,
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

impl Account for Customer {
    const KIND: Kind = Kind::Customer;
    const COLUMNS: &'static [&'static str] = &["budget_id"];
    type By = NoFilter;
    stamped!();

    fn id(&self) -> String {
        self.id.clone()
    }

    fn values(&self) -> Vec<Option<&str>> {
        vec![self.budget_id.as_deref()]
    }
}

impl Store {
    /// Whether there is any.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn customer_exists(&self) -> Result<bool, StoreError> {
        let select = "SELECT 1 FROM customer LIMIT 1";
        let one: Option<i32> = on!(self, pool => sqlx::query_scalar(select).fetch_optional(pool).await)?;
        Ok(one.is_some())
    }

    /// The customer `id`, the budget that they refer to, and the groups that their models name, by id or by name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn customer_resolve(
        &self,
        id: &str,
    ) -> Result<Option<(Customer, Option<Budget>, Vec<ModelGroup>)>, StoreError> {
        let select = "SELECT c.doc, c.seq, b.doc FROM customer c LEFT JOIN budget b ON b.id = c.budget_id \
                      WHERE c.id = $1";
        let row: Option<(String, i64, Option<String>)> =
            on!(self, pool => sqlx::query_as(select).bind(id).fetch_optional(pool).await)?;
        let Some((doc, seq, budget)) = row else { return Ok(None) };
        let (customer, budget): (Customer, _) = (from_row((doc, seq))?, budget.as_deref());
        let groups = self.model_groups(&customer.model_groups, &customer.models).await?;
        Ok(Some((customer, budget.map(from_json).transpose()?, groups)))
    }
}
