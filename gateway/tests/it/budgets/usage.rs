//! What the operator is told of how full budgets are.

use config::{Budget, Limit, TargetKind, Unit, Window};
use gateway::RedisAt;
use serde_json::{Value, json};

use super::{CENT, ask, budget, cent, key, let_in, limit, limited, redis, target, told};
use crate::harness::{Gateway, client, until};

async fn usage(gateway: &Gateway) -> (u16, Value) {
    told(client().get(format!("{}/internal/budgets", gateway.admin))).await
}

/// The first limit of the first budget, once `is_so`.
async fn limit_told(gateway: &Gateway, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let first = || async { usage(gateway).await.1["budgets"][0]["limits"][0].take() };
    until(what, || async { is_so(&first().await) }).await;
    first().await
}

fn per_team(limits: Vec<Limit>) -> Budget {
    let budget = Budget { per_target: true, uid: "u-1".into(), ..budget("per-team", limits) };
    Budget { targets: vec![target(TargetKind::Team, None)], ..budget }
}

fn teams(redis: Option<RedisAt>, budgets: Vec<Budget>) -> impl Future<Output = Gateway> {
    let keys = vec![key("r", "red"), key("b", "blue")];
    Gateway::counting_in(redis, limited(vec![cent("any")], budgets, keys))
}

async fn the_fullest_subjects_are_told(one: &Gateway, other: &Gateway) {
    assert_eq!(let_in(one, "sk-budgets-r", "any", 2).await, 2);
    assert_eq!(let_in(other, "sk-budgets-b", "any", 4).await, 3, "three cents a year");
    let told = limit_told(one, "both teams", |limit| limit["subjects"] == 2 && limit["exceeded"] == 1).await;
    let window = &told["window"];
    assert_eq!(
        told,
        json!({"name": "usd", "unit": "nano_usd", "amount": 3 * CENT, "window": window,
            "spent": 3 * CENT, "reserved": 0, "remaining": 0, "subjects": 2, "exceeded": 1, "top": [
            {"subject": "team:blue", "spent": 3 * CENT, "reserved": 0},
            {"subject": "team:red", "spent": 2 * CENT, "reserved": 0}]})
    );
    let year = |text: &Value| {
        let year = text.as_str().and_then(|text| text.split('-').next()?.parse::<i32>().ok());
        year.expect("a year")
    };
    assert_eq!(year(&window["end"]), year(&window["start"]) + 1);
}

#[tokio::test]
async fn two_gateways_on_one_redis_tell_the_same_and_one_begins_with_what_others_saw() {
    let (redis, budgets) = (redis(), vec![per_team(vec![limit("usd", Unit::NanoUsd, 3 * CENT)])]);
    let one = teams(redis.clone(), budgets.clone()).await;
    let other = teams(redis.clone(), budgets.clone()).await;
    the_fullest_subjects_are_told(&one, &other).await;
    let (status, told) = usage(&one).await;
    assert_eq!((status, &told["shared"]), (200, &json!(true)));
    assert_eq!(told["budgets"][0]["id"], json!({"namespace": "ai", "name": "per-team"}));
    assert_eq!(told["budgets"][0]["uid"], "u-1");
    let new = teams(redis, budgets).await;
    assert_eq!(usage(&new).await.1, told, "which has served nobody");
}

#[tokio::test]
async fn a_gateway_that_counts_by_itself_tells_what_it_counts() {
    let gateway = teams(None, vec![per_team(vec![limit("usd", Unit::NanoUsd, 3 * CENT)])]).await;
    assert_eq!(usage(&gateway).await.1["shared"], false);
    the_fullest_subjects_are_told(&gateway, &gateway).await;
}

#[tokio::test]
async fn what_all_share_has_one_level_and_what_rolls_has_no_boundaries() {
    let rolling = Limit { window: Window::Rolling { ms: 3_600_000 }, ..limit("rph", Unit::Requests, 9) };
    let gateway = teams(redis(), vec![budget("shared", vec![rolling])]).await;
    let nothing = json!({"name": "rph", "unit": "requests", "amount": 9, "spent": 0, "reserved": 0,
        "remaining": 9, "exceeded": 0, "top": []});
    assert_eq!(usage(&gateway).await.1["budgets"][0]["limits"][0], nothing);
    assert_eq!(let_in(&gateway, "sk-budgets-r", "any", 2).await, 2);
    let told = limit_told(&gateway, "two requests", |limit| limit["spent"] == 2).await;
    assert_eq!((&told["remaining"], &told["top"]), (&json!(7), &json!([])));
}

#[tokio::test]
async fn nobody_can_tell_while_redis_is_away() {
    let url = config::Secret::new(b"redis://127.0.0.1:1".to_vec());
    let patience = std::time::Duration::from_millis(50);
    let nowhere = RedisAt { url, space: "nowhere".into(), patience };
    let gateway = teams(Some(nowhere), vec![per_team(vec![limit("usd", Unit::NanoUsd, CENT)])]).await;
    let (status, body) = usage(&gateway).await;
    assert_eq!((status, &body["error"]["code"]), (503, &json!("limits_unavailable")), "{body}");
    assert_eq!(told(ask(&gateway, "sk-budgets-r", "any")).await.0, 200, "requests do not depend on it");
}
