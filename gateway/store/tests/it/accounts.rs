//! Keys and whom they belong to: what is written is read again, two writers do not undo each other, and every change is
//! told once and in order.

mod changes;
mod holders;

use store::Store;
use store::accounts::{
    Account, Budget, Customer, FormerHash, Key, KeyBy, KeyType, Member, MemberBy, ModelGroup, Page,
    Place as At, SpendWindow, Team, TeamBy, Terms, User, UserBy, Written,
};

use crate::both;
use crate::place::Place;

both!(
    every_account_is_read_as_it_was_written,
    of_two_writers_of_one_account_the_second_is_told,
    what_opens_the_gateway_belongs_to_one_key,
    lists_are_narrowed_and_go_on_where_a_page_ended,
    what_a_newer_release_wrote_is_kept,
    customers_come_with_their_budget,
    customers_come_with_the_groups_that_they_name,
);

fn key(number: i64) -> Key {
    Key { id: format!("k{number}"), hash: format!("{number:064x}"), created_us: number, ..Key::default() }
}

async fn put<A: Account>(store: &Store, account: &A) -> i64 {
    match store.account_put(account).await.unwrap() {
        Written::Done(seq) => seq,
        Written::Conflict => panic!("{} {} is there already", A::KIND.name(), account.id()),
    }
}

async fn get<A: Account>(store: &Store, id: &str) -> A {
    store.account_get(id).await.unwrap().unwrap_or_else(|| panic!("no {id}"))
}

async fn every_account_is_read_as_it_was_written(place: &Place) {
    let store = place.open().await;
    let rest = serde_json::from_str(r#"{"guardrails":["pii"]}"#).unwrap();
    let terms = Terms {
        max_budget_nano: Some(9_007_199_000_000_001),
        budget_duration: Some("30d".into()),
        windows: vec![SpendWindow { max_budget_nano: 5, budget_duration: "1d".into() }],
        models: [(
            "m".to_owned(),
            store::accounts::ModelTerms { requests_per_minute: Some(1), ..Default::default() },
        )]
        .into(),
        ..Terms::default()
    };
    let full = Key {
        former: Some(FormerHash { hash: "f".into(), until_us: 7 }),
        alias: Some("a 'quoted' ✓ name".into()),
        team_id: Some("t".into()),
        key_type: KeyType::LlmApi,
        terms: terms.clone(),
        tags: vec!["x".into()],
        rest,
        ..key(1)
    };
    let seq = put(&store, &full).await;
    assert_eq!(get::<Key>(&store, "k1").await, Key { seq, ..full });
    let team = Team { id: "t".into(), terms: terms.clone(), ..Team::default() };
    let seq = put(&store, &team).await;
    assert_eq!(get::<Team>(&store, "t").await, Team { seq, ..team });
    let member = Member { team_id: "t".into(), user_id: "u/\"1".into(), ..Member::default() };
    let seq = put(&store, &member).await;
    assert_eq!(get::<Member>(&store, &member.id()).await, Member { seq, ..member });
    let user = User { id: "u".into(), email: Some("u@x.org".into()), ..User::default() };
    let seq = put(&store, &user).await;
    assert_eq!(get::<User>(&store, "u").await, User { seq, ..user });
    let group =
        ModelGroup { id: "g".into(), name: "fast".into(), models: vec!["m*".into()], ..Default::default() };
    let seq = put(&store, &group).await;
    assert_eq!(get::<ModelGroup>(&store, "g").await, ModelGroup { seq, ..group });
    assert!(store.account_delete::<Team>("t").await.unwrap().is_some());
    assert_eq!(store.account_delete::<Team>("t").await.unwrap(), None);
    assert_eq!(store.account_get::<Team>("t").await.unwrap(), None);
}

async fn of_two_writers_of_one_account_the_second_is_told(place: &Place) {
    let (store, other) = (place.open().await, place.open().await);
    put(&store, &key(1)).await;
    assert_eq!(store.account_put(&key(1)).await.unwrap(), Written::Conflict, "it is there already");
    let (mut mine, mut theirs) = (get::<Key>(&store, "k1").await, get::<Key>(&other, "k1").await);
    (mine.blocked, theirs.alias) = (true, Some("x".into()));
    let seq = put(&store, &mine).await;
    assert_eq!(other.account_put(&theirs).await.unwrap(), Written::Conflict);
    let now = get::<Key>(&other, "k1").await;
    assert_eq!((now.blocked, now.alias.as_deref(), now.seq), (true, None, seq));
    store.account_delete::<Key>("k1").await.unwrap();
    assert_eq!(other.account_put(&now).await.unwrap(), Written::Conflict, "it would come back");
}

async fn what_opens_the_gateway_belongs_to_one_key(place: &Place) {
    let store = place.open().await;
    put(&store, &key(1)).await;
    let twin = Key { id: "other".into(), ..key(1) };
    assert_eq!(store.account_put(&twin).await.unwrap(), Written::Conflict);
    assert_eq!(store.change_latest().await.unwrap(), 1, "what was not written is no change");
}

async fn lists_are_narrowed_and_go_on_where_a_page_ended(place: &Place) {
    let store = place.open().await;
    for number in 1..=7 {
        let team_id = Some(if number % 2 == 0 { "even" } else { "odd" }.to_owned());
        put(&store, &Key { team_id, created_by: Some("ann".into()), ..key(number) }).await;
    }
    let page = |after: Option<&Key>| Page {
        by: vec![(KeyBy::Team, "odd".to_owned()), (KeyBy::Creator, "ann".to_owned())],
        after: after.map(At::at),
        at_most: 3,
    };
    let ids = |keys: &[Key]| keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    let first: Vec<Key> = store.account_list(page(None)).await.unwrap();
    assert_eq!(ids(&first), ["k7", "k5", "k3"]);
    let second: Vec<Key> = store.account_list(page(first.last())).await.unwrap();
    assert_eq!(ids(&second), ["k1"]);
    assert_eq!(store.account_count::<Key>(vec![(KeyBy::Team, "odd".to_owned())]).await.unwrap(), 4);
    assert_eq!(store.account_count::<Key>(Vec::new()).await.unwrap(), 7);
    put(&store, &Team { id: "t".into(), alias: Some("red".into()), ..Team::default() }).await;
    assert_eq!(store.account_count::<Team>(vec![(TeamBy::Alias, "red".to_owned())]).await.unwrap(), 1);
    assert_eq!(store.account_count::<Member>(vec![(MemberBy::User, "u".to_owned())]).await.unwrap(), 0);
    assert_eq!(store.account_count::<User>(vec![(UserBy::Role, "r".to_owned())]).await.unwrap(), 0);
}

async fn what_a_newer_release_wrote_is_kept(place: &Place) {
    let store = place.open().await;
    put(&store, &key(1)).await;
    let newer = r#"{"id":"k1","hash":"h","colour":"red","terms":{"max_concurrent":3}}"#;
    place.execute(&format!("UPDATE api_key SET doc = '{newer}' WHERE id = 'k1'")).await;
    let read: Key = get(&store, "k1").await;
    assert_eq!((read.terms.max_concurrent, read.rest["colour"].as_str()), (Some(3), Some("red")));
    put(&store, &Key { blocked: true, ..read }).await;
    assert_eq!(get::<Key>(&store, "k1").await.rest["colour"], "red");
}

async fn customers_come_with_their_budget(place: &Place) {
    let store = place.open().await;
    assert!(!store.customer_exists().await.unwrap());
    let budget = Budget { id: "b".into(), ..Budget::default() };
    put(&store, &budget).await;
    let customer = Customer { id: "c".into(), budget_id: Some("b".into()), ..Customer::default() };
    let seq = put(&store, &customer).await;
    assert!(store.customer_exists().await.unwrap());
    assert_eq!(
        store.customer_resolve("c").await.unwrap(),
        Some((Customer { seq, ..customer }, Some(budget), Vec::new()))
    );
    assert_eq!(store.customer_resolve("d").await.unwrap(), None);
}

async fn customers_come_with_the_groups_that_they_name(place: &Place) {
    let store = place.open().await;
    for (id, name) in [("g1", "fast"), ("g2", "slow"), ("g3", "other")] {
        put(&store, &ModelGroup { id: id.into(), name: name.into(), ..ModelGroup::default() }).await;
    }
    let customer = Customer {
        id: "c".into(),
        models: vec!["fast".into(), "gpt-*".into()],
        model_groups: vec!["g2".into(), "gone".into()],
        ..Customer::default()
    };
    put(&store, &customer).await;
    let (_, budget, groups) = store.customer_resolve("c").await.unwrap().unwrap();
    let mut names: Vec<_> = groups.into_iter().map(|group| group.name).collect();
    names.sort();
    assert_eq!((budget, names), (None, vec!["fast".to_owned(), "slow".to_owned()]));
}
