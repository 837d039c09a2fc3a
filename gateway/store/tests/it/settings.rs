//! Settings are made once.

use crate::both;
use crate::place::Place;

both!(a_setting_outlives_the_process_and_is_made_once, processes_that_start_at_once_agree);

async fn a_setting_outlives_the_process_and_is_made_once(place: &Place) {
    let store = place.open().await;
    let first = store.setting_get_or_insert("key", || "one".into()).await.unwrap();
    let second = store.setting_get_or_insert("key", || "two".into()).await.unwrap();
    store.close().await;
    let store = place.open().await;
    let third = store.setting_get_or_insert("key", || "three".into()).await.unwrap();
    assert_eq!([first, second, third], ["one", "one", "one"]);
}

async fn processes_that_start_at_once_agree(place: &Place) {
    let (a, b, c) = tokio::join!(place.open(), place.open(), place.open());
    let (a, b, c) = tokio::join!(
        a.setting_get_or_insert("key", || "a".into()),
        b.setting_get_or_insert("key", || "b".into()),
        c.setting_get_or_insert("key", || "c".into()),
    );
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    assert_eq!((&a, &b), (&b, &c));
}
