//! What the databases do with questions about accounts, with 100,000 keys: none may read a whole table. `--nocapture` shows
//! how long they take.

use std::time::Instant;

use sqlx::{AssertSqlSafe, Row};

use super::{Key, KeyBy, Page, holder, list};
use crate::place::Place;
use crate::{Pool, Store};

const KEYS: u32 = 100_000;

/// Of 1,000 teams and 5,000 users. Both databases understand it.
const FILL: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) \
    INSERT INTO api_key (id, seq, created_us, hash, alias, team_id, user_id, doc) \
    SELECT 'k' || i, 1, i, 'h' || i, 'a' || i, 't' || (i % 1000), 'u' || (i % 5000), '{\"id\":\"k' || i || '\"}' FROM n";

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
    place.execute(FILL).await;
    place.execute("ANALYZE").await;
    for (what, sql, values) in [
        ("a key by its hash", holder::SELECT.to_owned(), &["'h77'"][..]),
        ("a page", list::select::<Key>("doc, seq", &[]), &["50000", "'k50000'", "100"]),
        (
            "a page of a team",
            list::select::<Key>("doc, seq", &["team_id"]),
            &["50000", "'k50000'", "100", "'t7'"],
        ),
        ("an alias", list::select::<Key>("doc, seq", &["alias"]), &["99999999", "''", "100", "'a77'"]),
        ("the keys of a team", list::count::<Key>(&["team_id"]), &["'t7'"]),
    ] {
        let plan = plan(&store, sql, values).await;
        println!("{what}: {plan:#?}");
        // What joins one key to its team and the like may well read a table with nothing in it.
        let is_scan = |line: &str| {
            ["Seq Scan on api_key", "SCAN k", "SCAN api_key"].iter().any(|scan| line.contains(scan))
        };
        let reads_all = |line: &&String| is_scan(line) && !line.contains("USING");
        assert_eq!(plan.iter().find(reads_all), None, "{what}: {plan:#?}");
    }
    let begun = Instant::now();
    assert!(store.holder_by_hash("h77").await.expect("a database").is_some());
    println!("a key by its hash: {:?}", begun.elapsed());
    let begun = Instant::now();
    let page = Page { by: vec![(KeyBy::Team, "t7".to_owned())], after: None, at_most: 100 };
    assert_eq!(store.account_list::<Key>(page).await.expect("a page").len(), 100);
    println!("a page of a team: {:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(store.account_count::<Key>(Vec::new()).await.expect("a count"), i64::from(KEYS));
    println!("how many there are: {:?}", begun.elapsed());
}

/// With values as they come, so that the planner sees them.
async fn plan(store: &Store, sql: String, values: &[&str]) -> Vec<String> {
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
