//! The sequence by which gateways follow.

use store::Store;
use store::accounts::{Change, Changes, Kind, Team, Written};

use super::{get, key, put};
use crate::both;
use crate::place::Place;

both!(
    every_change_is_told_once_and_in_order,
    writers_at_once_leave_no_gap_and_nobody_waits_for_ever,
    who_has_missed_too_much_is_told_so,
);

async fn all(store: &Store, since: i64) -> Vec<Change> {
    match store.change_since(since).await.unwrap() {
        Changes::All(changes) => changes,
        Changes::Unknown(latest) => panic!("unknown since {since}, latest {latest}"),
    }
}

async fn every_change_is_told_once_and_in_order(place: &Place) {
    let store = place.open().await;
    assert_eq!(all(&store, 0).await, []);
    put(&store, &key(1)).await;
    put(&store, &Team { id: "t".into(), ..Team::default() }).await;
    store.account_delete::<store::accounts::Key>("k1").await.unwrap();
    let change = |seq, kind, id: &str| Change { seq, kind: Some(kind), id: id.to_owned() };
    let told = [change(1, Kind::Key, "k1"), change(2, Kind::Team, "t"), change(3, Kind::Key, "k1")];
    assert_eq!(all(&store, 0).await, told);
    assert_eq!(all(&store, 2).await, told[2..]);
    assert_eq!(all(&store, 3).await, []);
}

async fn writers_at_once_leave_no_gap_and_nobody_waits_for_ever(place: &Place) {
    let (a, b) = (place.open().await, place.open().await);
    let write = async |store: &Store, first: i64| {
        for number in first..first + 20 {
            assert!(matches!(store.account_put(&key(number)).await.unwrap(), Written::Done(_)));
            let team = Team { id: format!("t{number}"), ..Team::default() };
            put(store, &team).await;
            put(store, &Team { blocked: true, ..get(store, &team.id).await }).await;
        }
    };
    let follow = async {
        let (mut seen, mut changes) = (0, 0);
        while changes < 120 {
            for change in all(&a, seen).await {
                assert_eq!(change.seq, seen + 1, "no change is passed over");
                (seen, changes) = (change.seq, changes + 1);
            }
        }
    };
    tokio::join!(write(&a, 0), write(&b, 100), follow);
}

async fn who_has_missed_too_much_is_told_so(place: &Place) {
    let store = place.open().await;
    for number in 1..=3 {
        put(&store, &key(number)).await;
    }
    place.execute("DELETE FROM change WHERE seq = 1").await;
    assert_eq!(store.change_since(0).await.unwrap(), Changes::Unknown(3));
    assert_eq!(all(&store, 1).await.len(), 2);
    assert_eq!(store.change_since(9).await.unwrap(), Changes::Unknown(3), "restored from a backup");
    place.execute("UPDATE change_clock SET seq = 20000").await;
    put(&store, &key(4)).await;
    assert_eq!(store.change_since(3).await.unwrap(), Changes::Unknown(20_001), "old ones are dropped");
}
