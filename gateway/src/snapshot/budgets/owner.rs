//! Whose a limit is, as people are told.

use std::fmt;

use config::ObjectName;

use crate::snapshot::Whose;

/// The BudgetPolicy or VirtualKey, or whom the store has it for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Object(ObjectName),
    Account {
        whose: Whose,
        /// For people.
        called: String,
    },
}

impl Owner {
    /// For metrics, which must not grow with what the store has.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Object(id) => id.to_string(),
            Self::Account { whose, .. } => format!("store:{}", whose.word()),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(id) => id.fmt(f),
            Self::Account { whose, called } => write!(f, "{} {called}", whose.word()),
        }
    }
}
