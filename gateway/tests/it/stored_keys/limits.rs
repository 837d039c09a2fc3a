//! What keys, teams, users and customers of the store may use: all of it holds at once, beside what BudgetPolicies say.

use config::{Model, Pricing, Rates, Target, TargetKind, UserBudgets};
use gateway::{Accounts, Store};
use serde_json::json;
use store::accounts::{Customer, Key, ModelGroup, Team, Terms, User};

use super::{change, chat, key, put, secret, serving, told};
use crate::harness::{Gateway, client, delivery, mock};

/// A cent in nano-dollars.
const CENT: i64 = 10_000_000;

/// A model of which each request costs a cent.
fn cent(name: &str) -> Model {
    let mut model = mock(name);
    let rates = Rates { request: Some(10_000_000_000_000_000), ..Rates::default() };
    for deployment in &mut model.deployments {
        deployment.pricing = Pricing { rates, source: config::PriceSource::Inline, ..Pricing::default() };
    }
    model
}

async fn gateway(users: UserBudgets) -> (Gateway, Accounts, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).await.expect("a store");
    let mut delivery = delivery("r1", vec![cent("any")]);
    delivery.config.settings.user_budgets = users;
    let gateway = serving(delivery, &store, None).await;
    let accounts = gateway.accounts.clone().expect("accounts");
    (gateway, accounts, folder)
}

fn requests(most: i64) -> Terms {
    Terms { requests_per_minute: Some(most), ..Terms::default() }
}

fn cents(most: i64) -> Terms {
    Terms { max_budget_nano: Some(most * CENT), budget_duration: Some("30d".into()), ..Terms::default() }
}

/// How many of `times` are let in, and what the last one is told.
async fn let_in(gateway: &Gateway, id: &str, times: usize) -> (usize, String) {
    let (mut answered, mut last) = (0, String::new());
    for _ in 0..times {
        let (status, body) = told(chat(gateway, &secret(id), "any")).await;
        answered += usize::from(status == 200);
        last = body["error"]["message"].as_str().unwrap_or_default().to_owned();
    }
    (answered, last)
}

#[tokio::test]
async fn a_keys_own_limits_hold_and_are_told() {
    let (gateway, accounts, _folder) = gateway(UserBudgets::AllKeys).await;
    put(&accounts, &Key { terms: requests(2), alias: Some("bot".into()), ..key("fast") }).await;
    let (answered, why) = let_in(&gateway, "fast", 4).await;
    assert_eq!(answered, 2);
    assert!(why.contains("limit requests-per-minute of key bot has no room: 2 requests of 2"), "{why}");
    put(&accounts, &Key { terms: cents(3), ..key("poor") }).await;
    let (answered, why) = let_in(&gateway, "poor", 5).await;
    assert_eq!(answered, 3);
    assert!(why.contains("limit budget of key sk-...poor has no room: $0.03 of $0.03"), "{why}");
    let (status, body) = told(chat(&gateway, &secret("poor"), "any")).await;
    assert_eq!((status, &body["error"]["type"]), (429, &json!("budget_exceeded")), "{body}");
    let metrics = client().get(format!("{}/metrics", gateway.admin)).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains(r#"owner="store:key",limit="budget",verdict="refused""#), "{metrics}");
}

#[tokio::test]
async fn keys_of_a_team_share_its_budget_and_an_edit_loses_nothing() {
    let (gateway, accounts, _folder) = gateway(UserBudgets::AllKeys).await;
    put(&accounts, &Team { id: "red".into(), terms: cents(3), ..Team::default() }).await;
    for id in ["a", "b"] {
        put(&accounts, &Key { team_id: Some("red".into()), ..key(id) }).await;
    }
    assert_eq!(let_in(&gateway, "a", 2).await.0, 2);
    let (answered, why) = let_in(&gateway, "b", 2).await;
    assert_eq!(answered, 1);
    assert!(why.contains("limit budget of team red"), "{why}");
    super::change::<Team>(&accounts, "red", |team| team.terms = cents(5)).await;
    assert_eq!(let_in(&gateway, "a", 4).await.0, 2, "three of five are used");
}

#[tokio::test]
async fn a_users_budget_holds_for_their_team_keys_unless_the_gateway_says_otherwise() {
    for (users, expected) in [(UserBudgets::AllKeys, 1), (UserBudgets::PersonalKeys, 3)] {
        let (gateway, accounts, _folder) = gateway(users).await;
        put(&accounts, &User { id: "ann".into(), terms: cents(1), ..User::default() }).await;
        put(&accounts, &Team { id: "red".into(), ..Team::default() }).await;
        let ann = || Some("ann".to_owned());
        put(&accounts, &Key { team_id: Some("red".into()), user_id: ann(), ..key("in-team") }).await;
        put(&accounts, &Key { user_id: ann(), ..key("own") }).await;
        assert_eq!(let_in(&gateway, "in-team", 3).await.0, expected, "{users:?}");
        let (own, _) = let_in(&gateway, "own", 3).await;
        assert_eq!(own, if users == UserBudgets::AllKeys { 0 } else { 1 }, "{users:?}");
    }
}

#[tokio::test]
async fn customers_are_held_to_theirs_and_may_be_blocked() {
    let (gateway, accounts, _folder) = gateway(UserBudgets::AllKeys).await;
    put(&accounts, &key("k")).await;
    let asked = async |customer: &str| {
        told(chat(&gateway, &secret("k"), "any").header("x-litellm-customer-id", customer)).await
    };
    assert_eq!(asked("carl").await.0, 200, "nobody knows him yet");
    put(&accounts, &Customer { id: "carl".into(), terms: requests(1), ..Customer::default() }).await;
    put(&accounts, &Customer { id: "dora".into(), blocked: true, ..Customer::default() }).await;
    put(&accounts, &Customer { id: "emil".into(), models: vec!["other".into()], ..Customer::default() })
        .await;
    assert_eq!(asked("carl").await.0, 200);
    let (status, body) = asked("carl").await;
    assert_eq!(status, 429, "{body}");
    assert!(body.to_string().contains("of customer carl"), "{body}");
    let (status, body) = asked("dora").await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("customer_blocked")), "{body}");
    let (status, body) = asked("emil").await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("customer_model_access_denied")), "{body}");
    assert_eq!(asked("nobody").await.0, 200);
}

#[tokio::test]
async fn a_customers_models_may_be_a_group_and_change_with_it() {
    let (gateway, accounts, _folder) = gateway(UserBudgets::AllKeys).await;
    put(&accounts, &key("k")).await;
    put(&accounts, &ModelGroup { id: "g".into(), name: "cheap".into(), ..ModelGroup::default() }).await;
    put(&accounts, &Customer { id: "carl".into(), models: vec!["cheap".into()], ..Customer::default() })
        .await;
    put(&accounts, &Customer { id: "dora".into(), model_groups: vec!["g".into()], ..Customer::default() })
        .await;
    let asked = async |customer: &str| {
        told(chat(&gateway, &secret("k"), "any").header("x-litellm-customer-id", customer)).await.0
    };
    assert_eq!((asked("carl").await, asked("dora").await), (403, 403));
    change::<ModelGroup>(&accounts, "g", |group| group.models = vec!["any".into()]).await;
    assert_eq!((asked("carl").await, asked("dora").await), (200, 200));
}

#[tokio::test]
async fn budget_policies_count_keys_of_the_store_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).await.expect("a store");
    let mut delivery = delivery("r1", vec![cent("any")]);
    let target = |kind, name: Option<&str>| Target { kind, name: name.map(str::to_owned), namespace: None };
    let limit = |most| vec![crate::budgets::limit("rpm", config::Unit::Requests, most)];
    let team = config::Budget {
        targets: vec![target(TargetKind::Team, Some("red"))],
        ..crate::budgets::budget("team", limit(3))
    };
    let each = config::Budget {
        targets: vec![target(TargetKind::VirtualKey, None)],
        per_target: true,
        ..crate::budgets::budget("each", limit(2))
    };
    delivery.config.budgets = vec![each, team];
    let gateway = serving(delivery, &store, None).await;
    let accounts = gateway.accounts.clone().expect("accounts");
    for id in ["a", "b"] {
        put(&accounts, &Key { team_id: Some("red".into()), ..key(id) }).await;
    }
    let (answered, why) = let_in(&gateway, "a", 3).await;
    assert_eq!(answered, 2, "{why}");
    assert!(why.contains("for key:a"), "{why}");
    assert_eq!(let_in(&gateway, "b", 3).await.0, 1, "the team has three");
}
