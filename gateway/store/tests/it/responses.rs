//! Kept responses: whose they are, and for how long.

use store::StoredResponse;

use crate::both;
use crate::place::Place;

both!(
    a_response_is_its_callers_until_it_expires,
    a_second_insert_changes_nothing,
    the_expired_are_swept_in_steps
);

fn response(id: &str, expires_us: i64) -> StoredResponse {
    StoredResponse {
        id: id.into(),
        caller: "ann".into(),
        model: "gpt".into(),
        created_us: 10,
        expires_us,
        input: r#"[{"role":"user","content":"Grüße 🎉"}]"#.into(),
        answer: r#"{"id":"resp_1"}"#.into(),
    }
}

async fn a_response_is_its_callers_until_it_expires(place: &Place) {
    let (store, other) = (place.open().await, place.open().await);
    let one = response("resp_1", 100);
    store.response_insert(&one).await.unwrap();
    assert_eq!(other.response_get("resp_1", "ann", 99).await.unwrap(), Some(one));
    assert_eq!(store.response_get("resp_1", "ann", 100).await.unwrap(), None);
    assert_eq!(store.response_get("resp_1", "bob", 99).await.unwrap(), None);
    assert_eq!(store.response_get("resp_2' OR '1'='1", "ann", 99).await.unwrap(), None);
    assert!(!store.response_delete("resp_1", "bob").await.unwrap());
    assert!(store.response_delete("resp_1", "ann").await.unwrap());
    assert!(!other.response_delete("resp_1", "ann").await.unwrap());
    assert_eq!(other.response_get("resp_1", "ann", 99).await.unwrap(), None);
}

async fn a_second_insert_changes_nothing(place: &Place) {
    let store = place.open().await;
    let one = response("resp_1", 100);
    store.response_insert(&one).await.unwrap();
    store
        .response_insert(&StoredResponse { answer: "{}".into(), caller: "eve".into(), ..one.clone() })
        .await
        .unwrap();
    assert_eq!(store.response_get("resp_1", "ann", 50).await.unwrap(), Some(one));
    assert_eq!(store.response_get("resp_1", "eve", 50).await.unwrap(), None);
}

async fn the_expired_are_swept_in_steps(place: &Place) {
    let store = place.open().await;
    for number in 0..5 {
        store.response_insert(&response(&format!("resp_{number}"), number)).await.unwrap();
    }
    assert_eq!(store.response_delete_expired(3, 3).await.unwrap(), 3);
    assert_eq!(store.response_delete_expired(3, 3).await.unwrap(), 1);
    assert_eq!(store.response_delete_expired(3, 3).await.unwrap(), 0);
    assert!(store.response_get("resp_4", "ann", 3).await.unwrap().is_some());
}
