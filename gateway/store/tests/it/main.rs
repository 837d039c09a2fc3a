//! The store on both databases: each rule is one function, and `both!` makes a test on each of it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends by panicking"
)]

mod accounts;
mod counted;
mod opening;
mod place;
mod responses;
mod settings;
mod spend;

/// A test on SQLite and one on PostgreSQL for each function.
macro_rules! both {
    ($($rule:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $rule() {
                let place = crate::place::Place::sqlite();
                super::$rule(&place).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $rule() {
                let place = crate::place::Place::postgres().await;
                super::$rule(&place).await;
            })*
        }
    };
}
pub(crate) use both;
