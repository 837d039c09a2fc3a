//! What requests have counted: in it once, read as of one instant, and gone when it is of no use.

use store::{Count, Counted, SpendRecord, Store};

use crate::both;
use crate::place::Place;

const NOW_US: i64 = 1_795_651_200_000_000;
const HOUR_US: i64 = 3_600_000_000;

both!(
    a_request_is_counted_once_however_often_it_is_sent,
    counts_of_one_place_add_up_and_others_stay_apart,
    what_is_of_no_use_is_not_read_and_goes,
    a_reader_sees_one_instant,
    whose_requests_ended_of_late_is_known_for_a_while,
    writers_of_the_same_counters_do_not_block_each_other,
    what_no_database_takes_is_mended,
);

fn count(counter: &str, amount: i64) -> Count {
    Count { counter: counter.into(), span: "d1".into(), slot: 0, amount, until_us: Some(NOW_US + HOUR_US) }
}

fn record(id: &str, counts: Vec<Count>) -> SpendRecord {
    let counted = Counted { space: "s".into(), reservation: Some(format!("res-{id}")), counts };
    SpendRecord {
        request_id: id.into(),
        started_us: NOW_US,
        counted: Some(counted),
        ..SpendRecord::default()
    }
}

async fn counts(store: &Store, space: &str) -> Vec<(String, i64, i64)> {
    let mut reader = store.counted(space, NOW_US).await.unwrap();
    let mut all = Vec::new();
    loop {
        let page = reader.counts(2).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.into_iter().map(|one| (one.counter, one.slot, one.amount)));
    }
}

fn told(counts: &[(&str, i64, i64)]) -> Vec<(String, i64, i64)> {
    counts.iter().map(|(counter, slot, amount)| ((*counter).to_owned(), *slot, *amount)).collect()
}

async fn a_request_is_counted_once_however_often_it_is_sent(place: &Place) {
    let store = place.open().await;
    let (first, second) = (record("a", vec![count("c", 5)]), record("b", vec![count("c", 7)]));
    assert_eq!(store.spend_insert(std::slice::from_ref(&first)).await.unwrap(), 1);
    let batch = [first.clone(), second.clone(), second];
    assert_eq!(store.spend_insert(&batch).await.unwrap(), 1, "half of it is known, half is there twice");
    assert_eq!(store.spend_insert(&batch).await.unwrap(), 0);
    assert_eq!(counts(&store, "s").await, told(&[("c", 0, 12)]));
    assert_eq!(store.spend_by_request("a").await.unwrap(), [SpendRecord { counted: None, ..first }]);
}

async fn counts_of_one_place_add_up_and_others_stay_apart(place: &Place) {
    let store = place.open().await;
    let slot = |slot, amount| Count { slot, ..count("c", amount) };
    let batch = [
        record("a", vec![slot(1, 10), slot(2, 20), count("d", 30)]),
        record("b", vec![slot(2, 2), count("e", 1), Count { span: "d2".into(), ..count("e", 4) }]),
        SpendRecord {
            counted: Some(Counted { space: "other".into(), reservation: None, counts: vec![slot(1, 1000)] }),
            ..record("c", Vec::new())
        },
    ];
    store.spend_insert(&batch).await.unwrap();
    store.spend_insert(&[record("d", vec![slot(2, 200)])]).await.unwrap();
    let all = [("c", 1, 10), ("c", 2, 222), ("d", 0, 30), ("e", 0, 1), ("e", 0, 4)];
    assert_eq!(counts(&store, "s").await, told(&all));
    assert_eq!(counts(&store, "other").await, told(&[("c", 1, 1000)]));
    assert_eq!(counts(&store, "").await, []);
    let most = (1 << 53) - 1;
    for id in ["f", "g"] {
        store.spend_insert(&[record(id, vec![count("full", most)])]).await.unwrap();
    }
    assert!(counts(&store, "s").await.contains(&("full".to_owned(), 0, most)), "it is full, and not beyond");
}

async fn what_is_of_no_use_is_not_read_and_goes(place: &Place) {
    let store = place.open().await;
    let until = |counter, until_us| Count { until_us, ..count(counter, 1) };
    let all = vec![
        until("ends now", Some(NOW_US)),
        until("ended", Some(NOW_US - HOUR_US)),
        until("ends later", Some(NOW_US + 1)),
        until("never ends", None),
    ];
    store.spend_insert(&[record("a", all)]).await.unwrap();
    let left = told(&[("ends later", 0, 1), ("never ends", 0, 1)]);
    assert_eq!(counts(&store, "s").await, left);
    // The later end holds.
    store.spend_insert(&[record("b", vec![until("ends later", Some(NOW_US + HOUR_US))])]).await.unwrap();
    store.spend_insert(&[record("c", vec![until("ends later", Some(NOW_US - HOUR_US))])]).await.unwrap();
    let mut gone = 0;
    while let more @ 1.. = store.counted_tidy(NOW_US + 1, 1).await.unwrap() {
        gone += more;
    }
    assert_eq!(gone, 2);
    assert_eq!(counts(&store, "s").await, told(&[("ends later", 0, 3), ("never ends", 0, 1)]));
}

async fn a_reader_sees_one_instant(place: &Place) {
    let store = place.open().await;
    store.spend_insert(&[record("a", vec![count("c", 1), count("e", 1)])]).await.unwrap();
    let mut reader = store.counted("s", NOW_US).await.unwrap();
    assert_eq!(reader.counts(1).await.unwrap().len(), 1);
    let other = place.open().await;
    other.spend_insert(&[record("b", vec![count("e", 10), count("z", 10)])]).await.unwrap();
    let rest = reader.counts(9).await.unwrap();
    assert_eq!(rest.iter().map(|one| one.amount).collect::<Vec<_>>(), [1]);
    assert_eq!(reader.reservations(9).await.unwrap(), ["res-a"]);
    drop(reader);
    assert_eq!(counts(&store, "s").await, told(&[("c", 0, 1), ("e", 0, 11), ("z", 0, 10)]));
}

async fn whose_requests_ended_of_late_is_known_for_a_while(place: &Place) {
    let store = place.open().await;
    let minutes = |minutes: i64| minutes * 60_000_000;
    let ended = |id: &str, ago| SpendRecord {
        started_us: NOW_US - ago - minutes(10),
        duration_us: minutes(10),
        ..record(id, vec![count("c", 1)])
    };
    let batch = [ended("a", minutes(14)), ended("b", minutes(16)), ended("c", 0)];
    store.spend_insert(&batch).await.unwrap();
    let late = async || {
        let mut reader = store.counted("s", NOW_US).await.unwrap();
        let mut all = Vec::new();
        while let [one] = reader.reservations(1).await.unwrap().as_slice() {
            all.push(one.clone());
        }
        all
    };
    assert_eq!(late().await, ["res-a", "res-c"]);
    assert_eq!(store.counted_tidy(NOW_US, 9).await.unwrap(), 1);
    assert_eq!(late().await, ["res-a", "res-c"]);
}

async fn writers_of_the_same_counters_do_not_block_each_other(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let write = async |store: &Store, writer: &str| {
        for round in 0..20 {
            let batch: Vec<_> = (0..20)
                .map(|number| {
                    let counts =
                        (0..5).map(|counter| count(&format!("c{}", (number + counter) % 5), 1)).collect();
                    record(&format!("{writer}-{round}-{number}"), counts)
                })
                .collect();
            store.spend_insert(&batch).await.unwrap();
        }
    };
    tokio::join!(write(&one, "one"), write(&two, "two"));
    let found = counts(&one, "s").await;
    assert_eq!(found.iter().map(|(_, _, amount)| *amount).collect::<Vec<_>>(), [800; 5]);
}

async fn what_no_database_takes_is_mended(place: &Place) {
    let store = place.open().await;
    let odd = [count("a\0b", -5), count(&"é".repeat(5000), 3), count(&"🎉".repeat(300), 4)];
    store.spend_insert(&[record("a", odd.to_vec())]).await.unwrap();
    let found = counts(&store, "s").await;
    let mut lengths: Vec<_> = found.iter().map(|(counter, _, amount)| (counter.len(), *amount)).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [(5, 0), (1200, 4), (1536, 3)], "{found:?}");
}
