//! Where a test's counters are: each place is new and has nothing in it.

use limits::Local;

pub(crate) fn local() -> Local {
    Local::new()
}

/// A test on each backend for each function.
macro_rules! each {
    ($($rule:ident),* $(,)?) => {
        mod local {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(crate::place::local()).await;
            })*
        }
    };
}
pub(crate) use each;
