//! Old records go, sums stay; in PostgreSQL by whole months that are made ahead.

use sqlx::{Connection, PgConnection};
use store::{SpendFilter, SpendRecord, Store};

use super::{NOW_US, record, total};
use crate::both;
use crate::place::Place;

both!(old_records_go_and_sums_stay, months_may_be_made_by_anyone_at_any_time);

const DAY_US: i64 = 86_400_000_000;

fn at(request_id: &str, started_us: i64) -> SpendRecord {
    SpendRecord { started_us, ..record(request_id) }
}

async fn ids(store: &Store) -> Vec<String> {
    let page = store.spend_page(&SpendFilter::default(), None, 1000).await.unwrap();
    page.into_iter().map(|one| one.request_id).collect()
}

/// As the gateway does it: in small steps until nothing is left.
async fn delete_before(store: &Store, before_us: i64) -> u64 {
    let mut deleted = 0;
    loop {
        match store.spend_delete_before(before_us, 2).await.unwrap() {
            0 => return deleted,
            more => deleted += more,
        }
    }
}

/// Three months ago, with a month made for it; then last month; then without a month.
async fn old_records_go_and_sums_stay(place: &Place) {
    let store = place.open().await;
    store.spend_prepare(NOW_US - 90 * DAY_US).await.unwrap();
    store.spend_prepare(NOW_US).await.unwrap();
    let old = (0..5).map(|number| at(&format!("old{number}"), NOW_US - 90 * DAY_US));
    let ancient = (0..3).map(|number| at(&format!("ancient{number}"), NOW_US - 900 * DAY_US));
    let kept = [at("last month", NOW_US - 31 * DAY_US), at("now", NOW_US)];
    let all: Vec<_> = old.chain(ancient).chain(kept).collect();
    store.spend_insert(&all).await.unwrap();
    let before = total(&store).await;
    let deleted = delete_before(&store, NOW_US - 55 * DAY_US).await;
    // A month without records counts as one.
    assert!((8..=9).contains(&deleted), "{deleted}");
    assert_eq!(ids(&store).await, ["now", "last month"]);
    assert_eq!(total(&store).await, before);
    assert_eq!(delete_before(&store, NOW_US - 55 * DAY_US).await, 0);
    store.spend_insert(&[at("late", NOW_US - 90 * DAY_US)]).await.unwrap();
    assert_eq!(ids(&store).await, ["now", "last month", "late"], "a spool that was found late");
}

async fn months_may_be_made_by_anyone_at_any_time(place: &Place) {
    let (a, b, c) = (place.open().await, place.open().await, place.open().await);
    a.spend_insert(&[at("early", NOW_US), at("next", NOW_US + 31 * DAY_US)]).await.unwrap();
    let (one, two, three) =
        tokio::join!(a.spend_prepare(NOW_US), b.spend_prepare(NOW_US), c.spend_prepare(NOW_US));
    for made in [one, two, three] {
        made.unwrap();
    }
    a.spend_prepare(NOW_US + 40 * DAY_US).await.unwrap();
    assert_eq!(ids(&b).await, ["next", "early"]);
    assert_eq!(a.spend_insert(&[at("early", NOW_US)]).await.unwrap(), 0, "known in whichever month it is");
    assert_eq!(total(&b).await.0, 2);
}

#[tokio::test]
async fn records_move_to_their_month_and_go_with_it() {
    let place = Place::postgres().await;
    let store = place.open().await;
    store.spend_insert(&[at("early", NOW_US), at("ancient", 0)]).await.unwrap();
    assert_eq!(rows(&place, "spend_default").await, 2);
    store.spend_prepare(NOW_US).await.unwrap();
    assert_eq!((rows(&place, "spend_default").await, rows(&place, "spend_2026_11").await), (1, 1));
    assert_eq!(rows(&place, "spend_2027_01").await, 0);
    // Within the month: it stays whole.
    delete_before(&store, NOW_US + DAY_US).await;
    assert_eq!(ids(&store).await, ["early"]);
    delete_before(&store, NOW_US + 10 * DAY_US).await;
    assert_eq!(ids(&store).await, Vec::<String>::new());
    assert_eq!(tables(&place).await, ["spend_2026_12", "spend_2027_01", "spend_default"]);
}

/// A record may find its month made while it is on its way: then it goes again, and is not lost.
#[tokio::test]
async fn months_are_made_under_the_feet_of_writers() {
    let place = Place::postgres().await;
    let (store, other) = (place.open().await, place.open().await);
    let writing = async {
        for number in 0..60 {
            let batch = [at(&format!("r{number}"), NOW_US + number % 12 * 30 * DAY_US)];
            while let Err(error) = store.spend_insert(&batch).await {
                assert!(!error.is_lasting(), "{error}");
            }
        }
    };
    let making = async {
        for month in 0..12 {
            while let Err(error) = other.spend_prepare(NOW_US + month * 30 * DAY_US).await {
                assert!(!error.is_lasting(), "{error}");
            }
        }
    };
    tokio::join!(writing, making);
    assert_eq!((ids(&store).await.len(), total(&store).await.0), (60, 60));
    assert_eq!(rows(&place, "spend_default").await, 0);
}

async fn connect(place: &Place) -> PgConnection {
    match place {
        Place::Url(url) => PgConnection::connect(url).await.unwrap(),
        Place::Folder(_) => unreachable!("only a server has months"),
    }
}

async fn rows(place: &Place, table: &str) -> i64 {
    let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(count).fetch_one(&mut connect(place).await).await.unwrap()
}

async fn tables(place: &Place) -> Vec<String> {
    let select =
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'spend'::regclass ORDER BY 1";
    sqlx::query_scalar(select).fetch_all(&mut connect(place).await).await.unwrap()
}
