//! What the databases do with our questions: none may read a whole table. With the times; for those of more records set
//! `FAIRLEAD_SPEND_RECORDS`, and `--nocapture` to see them.

use std::time::Instant;

use sqlx::{AssertSqlSafe, Row};

use super::daily::{self, DailyQuery, Subject};
use super::{SpendFilter, SpendRecord, Tags, page};
use crate::place::Place;
use crate::{Pool, Store};

/// 2026-11-25 10:00:00 UTC.
const NOW_US: i64 = 1_795_600_800_000_000;
const RECORDS: i64 = 4_000;
const BATCH: i64 = 500;

#[tokio::test]
async fn sqlite_reads_no_whole_table() {
    no_whole_table(&Place::sqlite()).await;
}

#[tokio::test]
async fn postgres_reads_no_whole_table() {
    no_whole_table(&Place::postgres().await).await;
}

async fn no_whole_table(place: &Place) {
    let store = place.open().await;
    fill(&store).await;
    place.execute("ANALYZE").await;
    for (what, sql) in questions() {
        let plan = plan(&store, sql).await;
        println!("{what}: {plan:#?}");
        // The partition by default is empty, and that costs nothing.
        let reads_all = |line: &&String| {
            (line.contains("Seq Scan") && !line.contains("spend_default")) || line.starts_with("SCAN")
        };
        assert_eq!(plan.iter().find(reads_all), None, "{what}: {plan:#?}");
        assert!(
            plan.iter().any(|line| line.contains("Index") || line.contains("INDEX")),
            "{what}: {plan:#?}"
        );
    }
    let begun = Instant::now();
    let some = SpendFilter { customer_id: Some("c7".into()), ..SpendFilter::default() };
    assert_eq!(store.spend_page(&some, None, 100).await.expect("a page").len(), 100);
    println!("a page of a customer: {:?}", begun.elapsed());
    let begun = Instant::now();
    let query = DailyQuery { kind: Subject::Team, subject: Some("t3"), from: "2026-11-01", to: "2026-11-30" };
    let days = store.daily_activity(&query).await.expect("days");
    println!("{} rows of a team's days: {:?}", days.len(), begun.elapsed());
}

/// Over two months, of 100 keys, 10 teams and 40 customers.
async fn fill(store: &Store) {
    store.spend_prepare(NOW_US).await.expect("months");
    let wanted = std::env::var_os("FAIRLEAD_SPEND_RECORDS").map(|text| text.to_string_lossy().parse());
    let records = wanted.transpose().expect("FAIRLEAD_SPEND_RECORDS is a number").unwrap_or(RECORDS);
    let begun = Instant::now();
    for start in (0..records / BATCH).map(|batch| batch * BATCH) {
        let batch: Vec<_> = (start..start + BATCH).map(|number| record(number, records)).collect();
        assert_eq!(store.spend_insert(&batch).await.expect("written"), batch.len() as u64);
    }
    println!("{records} records in batches of {BATCH}: {:?}", begun.elapsed());
}

fn record(number: i64, of: i64) -> SpendRecord {
    SpendRecord {
        request_id: format!("request-{number}"),
        started_us: NOW_US + number * (60 * 86_400_000_000 / of),
        gateway: Some("ai/main".into()),
        key_id: Some(format!("k{}", number % 100)),
        team_id: Some(format!("t{}", number % 10)),
        customer_id: Some(format!("c{}", number % 40)),
        tags: Tags(vec![format!("g{}", number % 5)]),
        model: Some(format!("m{}", number % 7)),
        provider: Some("openai".into()),
        outcome: "answered".into(),
        ..SpendRecord::default()
    }
}

fn questions() -> Vec<(&'static str, String)> {
    let some = |text: &str| Some(text.to_owned());
    let all = SpendFilter::default();
    let days = |subject| DailyQuery { kind: Subject::Team, subject, from: "", to: "" };
    vec![
        ("a page", page::page(&all)),
        ("a page of a key", page::page(&SpendFilter { key_id: some("k"), ..all.clone() })),
        ("a page of a customer", page::page(&SpendFilter { customer_id: some("c"), ..all.clone() })),
        ("a request", page::by_request()),
        ("days of a team", daily::activity(&days(Some("t3")))),
        ("days of all teams", daily::activity(&days(None))),
    ]
}

/// With values as they come, so that the planner sees them.
async fn plan(store: &Store, sql: String) -> Vec<String> {
    let values = if sql.contains("spend_daily") {
        ["'team'", "'2026-11-10'", "'2026-11-11'", "'t3'", "", ""]
    } else if sql.contains("request_id = $1") {
        ["'request-7'", "", "", "", "", ""]
    } else {
        ["1796600800000000", "''", "0", "0", "100", "'k7'"]
    };
    let sql = (1..).zip(values).fold(sql, |sql, (number, value)| sql.replace(&format!("${number}"), value));
    match &store.pool {
        Pool::Sqlite(pool) => {
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(pool).await;
            rows.expect("a plan").iter().map(|row| row.get("detail")).collect()
        }
        Pool::Postgres(pool) => {
            let rows = sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {sql}"))).fetch_all(pool).await;
            rows.expect("a plan")
        }
    }
}
