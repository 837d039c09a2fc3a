//! Responses that the gateway keeps for providers that keep none, so that a client can go on from them by their id.

use crate::{Store, StoreError, on};

/// One kept response.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredResponse {
    /// As the client knows it.
    pub id: String,
    /// Who asked: to anybody else it does not exist.
    pub caller: String,
    /// The model as the client named it.
    pub model: String,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// Microseconds since 1970. From then on it does not exist.
    pub expires_us: i64,
    /// A JSON list: the items of the request, after those of the responses that it went on from.
    pub input: String,
    /// The response object, as JSON.
    pub answer: String,
}

impl Store {
    /// Keeps `response`. One of that id that is there already stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn response_insert(&self, response: &StoredResponse) -> Result<(), StoreError> {
        let insert = "INSERT INTO response (id, caller, model, created_us, expires_us, input, answer) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
        on!(self, pool => sqlx::query(insert)
            .bind(&response.id)
            .bind(&response.caller)
            .bind(&response.model)
            .bind(response.created_us)
            .bind(response.expires_us)
            .bind(&response.input)
            .bind(&response.answer)
            .execute(pool)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The response `id` of `caller`, unless it has expired by `now_us`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn response_get(
        &self,
        id: &str,
        caller: &str,
        now_us: i64,
    ) -> Result<Option<StoredResponse>, StoreError> {
        let select = "SELECT id, caller, model, created_us, expires_us, input, answer FROM response \
                      WHERE id = $1 AND caller = $2 AND expires_us > $3";
        Ok(on!(self, pool => sqlx::query_as(select)
            .bind(id)
            .bind(caller)
            .bind(now_us)
            .fetch_optional(pool)
            .await)?)
    }

    /// Forgets the response `id` of `caller`. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn response_delete(&self, id: &str, caller: &str) -> Result<bool, StoreError> {
        let delete = "DELETE FROM response WHERE id = $1 AND caller = $2";
        let gone = on!(self, pool => sqlx::query(delete)
            .bind(id)
            .bind(caller)
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(gone > 0)
    }

    /// Forgets those that have expired by `now_us`, at most so many, and says how many there were. Small steps keep
    /// the locks short: call it until it says fewer than `at_most`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn response_delete_expired(&self, now_us: i64, at_most: u32) -> Result<u64, StoreError> {
        let delete = "DELETE FROM response WHERE id IN \
                      (SELECT id FROM response WHERE expires_us <= $1 ORDER BY expires_us LIMIT $2)";
        Ok(on!(self, pool => sqlx::query(delete)
            .bind(now_us)
            .bind(i64::from(at_most))
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?)
    }
}
