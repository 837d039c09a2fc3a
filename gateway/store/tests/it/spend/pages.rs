//! Pages of spend records: from the newest back, each record on one of them.

use store::{Cursor, SpendFilter, SpendRecord};

use super::{NOW_US, record};
use crate::both;
use crate::place::Place;

both!(pages_have_each_record_once_from_the_newest_back, filters_narrow, what_comes_later_moves_no_page);

/// Several in one microsecond, and attempts among them.
fn history() -> Vec<SpendRecord> {
    let each = |number: i64| {
        let started_us = NOW_US + number / 3;
        let request = SpendRecord { started_us, ..record(&format!("r{number:03}")) };
        [SpendRecord { attempt: 1, ..request.clone() }, request]
    };
    (0..50).flat_map(each).collect()
}

async fn pages_have_each_record_once_from_the_newest_back(place: &Place) {
    let store = place.open().await;
    let mut history = history();
    store.spend_insert(&history).await.unwrap();
    history.sort_by_key(|one| (one.started_us, one.request_id.clone(), one.attempt));
    history.reverse();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.spend_page(&SpendFilter::default(), before.as_ref(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(Cursor::at(last));
        seen.extend(page);
    }
    assert_eq!(seen, history);
}

async fn filters_narrow(place: &Place) {
    let store = place.open().await;
    let other = SpendRecord {
        key_id: Some("k".into()),
        team_id: Some("t".into()),
        user_id: Some("u".into()),
        customer_id: Some("c".into()),
        model: Some("m".into()),
        started_us: NOW_US + 5,
        ..record("other")
    };
    let nobodys = SpendRecord { request_id: "nobody's".into(), started_us: NOW_US, ..SpendRecord::default() };
    store.spend_insert(&[record("r"), other, nobodys]).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (SpendFilter { key_id: some("k"), ..SpendFilter::default() }, vec!["other"]),
        (SpendFilter { team_id: some("t"), ..SpendFilter::default() }, vec!["other"]),
        (SpendFilter { user_id: some("u"), ..SpendFilter::default() }, vec!["other"]),
        (SpendFilter { customer_id: some("c"), ..SpendFilter::default() }, vec!["other"]),
        (SpendFilter { model: some("m"), ..SpendFilter::default() }, vec!["other"]),
        (SpendFilter { model: some("m"), key_id: some("ai/ann"), ..SpendFilter::default() }, vec![]),
        (SpendFilter { from_us: Some(NOW_US + 5), ..SpendFilter::default() }, vec!["other"]),
        (SpendFilter { until_us: Some(NOW_US + 5), ..SpendFilter::default() }, vec!["r", "nobody's"]),
        (SpendFilter { until_us: Some(i64::MIN), ..SpendFilter::default() }, vec![]),
    ] {
        let page = store.spend_page(&filter, None, 10).await.unwrap();
        let ids: Vec<_> = page.iter().map(|one| one.request_id.as_str()).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
}

async fn what_comes_later_moves_no_page(place: &Place) {
    let store = place.open().await;
    store.spend_insert(&history()).await.unwrap();
    let page = store.spend_page(&SpendFilter::default(), None, 7).await.unwrap();
    let before = Cursor::at(page.last().unwrap());
    let next = store.spend_page(&SpendFilter::default(), Some(&before), 7).await.unwrap();
    store.spend_insert(&[SpendRecord { started_us: NOW_US + 999, ..record("later") }]).await.unwrap();
    assert_eq!(store.spend_page(&SpendFilter::default(), Some(&before), 7).await.unwrap(), next);
}
