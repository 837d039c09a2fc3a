//! What a gateway decides once and keeps, such as the master key it made at its first start.

use crate::{Store, StoreError, on};

impl Store {
    /// The setting `name`; made by `value` if it has none yet. Two processes that start at once agree on one.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn setting_get_or_insert(
        &self,
        name: &str,
        value: impl FnOnce() -> String,
    ) -> Result<String, StoreError> {
        if let Some(found) = self.setting_get(name).await? {
            return Ok(found);
        }
        let insert = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        let value = value();
        on!(self, pool => sqlx::query(insert).bind(name).bind(value).execute(pool).await.map(drop))?;
        self.setting_get(name).await?.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    async fn setting_get(&self, name: &str) -> Result<Option<String>, StoreError> {
        let select = "SELECT value FROM setting WHERE name = $1";
        Ok(on!(self, pool => sqlx::query_scalar(select).bind(name).fetch_optional(pool).await)?)
    }
}
