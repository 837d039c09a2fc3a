//! Every call is accounted for, once: before its client has the end of the answer, whatever becomes of the process, of
//! the database, or of the client.

mod counted;
pub(crate) mod database;
mod hangups;
mod outage;
mod process;
mod provider;
mod records;
mod whom;

use std::path::Path;

use store::{Daily, DailyQuery, SpendFilter, SpendRecord, Store, Subject};

use crate::harness::until;

/// Every record, oldest first.
async fn records(store: &Store) -> Vec<SpendRecord> {
    let mut page = store.spend_page(&SpendFilter::default(), None, 10_000).await.expect("a page");
    page.reverse();
    page
}

/// The records of requests, once there are so many.
async fn requests(store: &Store, count: usize) -> Vec<SpendRecord> {
    let all =
        || async { records(store).await.into_iter().filter(|one| one.attempt == 0).collect::<Vec<_>>() };
    let found = std::cell::RefCell::new(Vec::new());
    // One look is judged: a month that is made hides its records from whoever looks at that moment.
    until(&format!("{count} records"), || async {
        let now = all().await;
        let is_there = now.len() >= count;
        found.replace(now);
        is_there
    })
    .await;
    let found = found.into_inner();
    assert_eq!(found.len(), count, "none too many");
    found
}

/// All days of the gateway in one.
async fn total(store: &Store) -> Daily {
    let query = DailyQuery { kind: Subject::Gateway, subject: Some("ai/it"), from: "", to: "9999" };
    let days = store.daily_activity(&query).await.expect("days");
    days.into_iter().fold(Daily::default(), |sum, day| Daily {
        requests: sum.requests + day.requests,
        failures: sum.failures + day.failures,
        failed_attempts: sum.failed_attempts + day.failed_attempts,
        output: sum.output + day.output,
        cost_nano: sum.cost_nano + day.cost_nano,
        ..Daily::default()
    })
}

/// Sums are those of the records: what counts once counts once everywhere.
async fn agree(store: &Store) {
    let (records, total) = (records(store).await, total(store).await);
    let cost: i64 = records.iter().filter_map(|one| one.cost_nano).sum();
    let requests = records.iter().filter(|one| one.attempt == 0).count();
    assert_eq!((total.requests, total.cost_nano), (i64::try_from(requests).expect("few"), cost));
}

/// All that is in the files below `spool`.
fn spooled(spool: &Path) -> String {
    let mut text = String::new();
    for folder in std::fs::read_dir(spool).expect("a spool").flatten().map(|entry| entry.path()) {
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            text += &std::fs::read_to_string(file.path()).unwrap_or_default();
        }
    }
    text
}
