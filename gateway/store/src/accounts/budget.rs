//! What others refer to: budgets, and groups of models.

use serde::{Deserialize, Serialize};

use super::{Account, Kind, NoFilter, Rest, Terms, stamped};

/// Terms with a name. Each that refers to it has the whole amount for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// What names it.
    pub id: String,
    /// What it says.
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

/// Models under one name: LiteLLM's access groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelGroup {
    /// What names it.
    pub id: String,
    /// Its name, which may stand among models. No two groups have the same.
    pub name: String,
    /// Public names of models; in patterns `*` is any text.
    pub models: Vec<String>,
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

impl Account for Budget {
    const KIND: Kind = Kind::Budget;
    const COLUMNS: &'static [&'static str] = &[];
    type By = NoFilter;
    stamped!();

    fn id(&self) -> String {
        self.id.clone()
    }

    fn values(&self) -> Vec<Option<&str>> {
        Vec::new()
    }
}

impl Account for ModelGroup {
    const KIND: Kind = Kind::ModelGroup;
    const COLUMNS: &'static [&'static str] = &["name"];
    type By = NoFilter;
    stamped!();

    fn id(&self) -> String {
        self.id.clone()
    }

    fn values(&self) -> Vec<Option<&str>> {
        vec![Some(&self.name)]
    }
}
