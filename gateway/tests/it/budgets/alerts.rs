//! Alerts: one for each threshold, subject and window, however many gateways see it and however often a receiver fails.

use std::sync::Arc;

use config::{Alert, Budget, CredentialRef, Delivery, Limit, Secret, TargetKind, Unit};
use futures::FutureExt;
use gateway::{Dns, Feed};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{CENT, budget, cent, key, let_in, limit, limited, redis, target, told};
use crate::egress::names::Names;
use crate::harness::{Gateway, Lasting, access_log, client, until};
use crate::upstream::Upstream;

/// Of each team ten and a half cents.
fn per_team(alerts: Vec<Alert>) -> Budget {
    let usd = Limit { soft: Some(4 * CENT), ..limit("usd", Unit::NanoUsd, 10 * CENT + CENT / 2) };
    let budget = Budget { per_target: true, uid: "u-1".into(), alerts, ..budget("per-team", vec![usd]) };
    Budget { targets: vec![target(TargetKind::Team, None)], ..budget }
}

fn hook() -> CredentialRef {
    CredentialRef { id: "hook".into(), version: "1".into() }
}

fn posted(at_percent: u16) -> Alert {
    Alert { at_percent, event: false, webhook: Some(hook()) }
}

fn shown(at_percent: u16) -> Alert {
    Alert { at_percent, event: true, webhook: None }
}

fn delivery(alerts: Vec<Alert>, receiver: &str) -> Delivery {
    let mut delivery = limited(vec![cent("any")], vec![per_team(alerts)], vec![key("r", "red")]);
    delivery.credentials.insert(hook().file(), Secret::new(format!("{receiver}\n").into_bytes()));
    delivery
}

async fn next(receiver: &Upstream, status: &str) -> (String, Value) {
    let exchange = receiver.answer(status, "", "{}").await;
    (exchange.head, serde_json::from_slice(&exchange.body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_crossing_makes_one_post_from_two_gateways_though_the_receiver_fails_at_first() {
    let receiver = Upstream::start().await;
    let url = format!("{}/hook?token=hidden-in-the-url", receiver.url());
    let (redis, delivery) = (redis(), delivery(vec![posted(50), posted(80), posted(90)], &url));
    let one = Gateway::counting_in(redis.clone(), delivery.clone()).await;
    let two = Gateway::counting_in(redis, delivery).await;
    for gateway in [&one, &two] {
        assert_eq!(let_in(gateway, "sk-budgets-r", "any", 3).await, 3);
    }
    let (head, first) = next(&receiver, "503 Later").await;
    assert!(head.starts_with("post /v1/hook?token=hidden-in-the-url "), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let (_, again) = next(&receiver, "200 OK").await;
    assert_eq!(again, first, "the same until it is taken");
    assert_eq!((&first["at_percent"], &first["subject"]), (&json!(50), &json!("team:red")));
    assert_eq!(first["amount"], 10 * CENT + CENT / 2);
    let text = first["text"].as_str().expect("text for Slack and the like");
    let begins = "BudgetPolicy ai/per-team: limit usd for team:red is used to 57 % ($0.06 of $0.105); it begins anew at 20";
    assert!(text.starts_with(begins), "{text}");
    // Both see it reach the next. Had one of them posted the first again, it would come before that.
    assert_eq!(
        let_in(&one, "sk-budgets-r", "any", 2).await + let_in(&two, "sk-budgets-r", "any", 1).await,
        3
    );
    let (_, second) = next(&receiver, "404 Not Found").await;
    assert_eq!((&second["at_percent"], &second["percent"]), (&json!(80), &json!(85)));
    // Who says that it never takes it is not asked again and again.
    assert_eq!(let_in(&two, "sk-budgets-r", "any", 1).await, 1);
    let (_, third) = next(&receiver, "204 No Content").await;
    assert_eq!((&third["at_percent"], &third["spent"]), (&json!(90), &json!(10 * CENT)));
    assert!(!access_log().contains("hidden-in-the-url"), "a webhook's address is a secret");
}

async fn board(gateway: &Gateway) -> Vec<Value> {
    let (_, mut usage) = told(client().get(format!("{}/internal/budgets", gateway.admin))).await;
    usage["budgets"][0]["alerts"].as_array_mut().map(std::mem::take).unwrap_or_default()
}

#[tokio::test]
async fn the_operator_finds_what_to_make_events_of() {
    let alerts = vec![shown(30), shown(100), Alert { at_percent: 20, event: false, webhook: Some(hook()) }];
    let delivery = delivery(alerts, "http://127.0.0.1:1/");
    let gateway = Gateway::counting_in(redis(), delivery.clone()).await;
    assert_eq!(let_in(&gateway, "sk-budgets-r", "any", 4).await, 4);
    until("the first alert", || async { !board(&gateway).await.is_empty() }).await;
    let first = board(&gateway).await;
    assert_eq!((&first[0]["at_percent"], &first[0]["spent"]), (&json!(30), &json!(4 * CENT)));
    // The soft amount is passed now, and half a cent is left, which suffices for nobody.
    assert_eq!(let_in(&gateway, "sk-budgets-r", "any", 6).await, 6);
    until("the other two, once one was refused", || async {
        assert_eq!(let_in(&gateway, "sk-budgets-r", "any", 1).await, 0);
        board(&gateway).await.len() == 3
    })
    .await;
    let all = board(&gateway).await;
    assert_eq!(all[0], first[0], "told once");
    assert!(all.iter().any(|alert| alert["at_percent"].is_null()
        && alert["text"].as_str().is_some_and(|text| text.contains("has passed its soft amount of $0.04"))));
    let full = all.iter().find(|alert| alert["at_percent"] == 100).expect("at 100 %");
    assert!(full["text"].as_str().is_some_and(|text| text.contains("is used up ($0.1 of $0.105)")), "{full}");
}

#[tokio::test]
async fn a_webhook_that_is_no_url_is_refused_without_being_shown() {
    let gateway = Gateway::counting_in(None, delivery(Vec::new(), "http://127.0.0.1:1/")).await;
    let mut bad = delivery(vec![posted(50)], "hidden and no URL");
    bad.revision = "bad".into();
    gateway.deliver(bad);
    let status = gateway.wait_for("bad").await;
    let problem = status["problem"].as_str().expect("a problem");
    assert_eq!(problem, "budget ai/per-team: the webhook of its alert at 50 % is no http or https URL");
}

#[tokio::test]
async fn a_webhook_at_a_local_address_is_refused_without_being_shown() {
    let gateway = Gateway::counting_in(None, delivery(Vec::new(), "http://127.0.0.1:1/")).await;
    let mut bad = delivery(vec![posted(50)], "http://127.1:11434/hidden");
    (bad.revision, bad.config.settings.egress) = ("bad".into(), config::Egress::default());
    gateway.deliver(bad);
    let status = gateway.wait_for("bad").await;
    let problem = status["problem"].as_str().expect("a problem");
    let begins = "budget ai/per-team: the webhook of its alert at 50 % is at a local address, which";
    assert!(problem.starts_with(begins) && problem.contains("egress.localAddresses"), "{problem}");
    assert!(!problem.contains("hidden") && !problem.contains("127"), "{problem}");
}

#[tokio::test]
async fn a_webhook_whose_name_is_at_a_local_address_is_not_called() {
    let (receiver, names) = (Upstream::start().await, Names::default());
    names.set("hook.example", &["127.0.0.1"]);
    let mut delivery =
        delivery(vec![posted(10)], &format!("http://hook.example:{}/hidden-path", receiver.port()));
    // A name that is not another test's, in the log that they share.
    delivery.config.budgets[0].id.name = "local-hook".into();
    delivery.config.settings.egress = config::Egress::default();
    let feed = Feed { delivery: Some(Arc::new(delivery)), problem: None };
    let lasting = Lasting { dns: Dns::of(names), ..Lasting::default() };
    let gateway = Gateway::lasting(watch::Sender::new(feed), lasting).await;
    gateway.wait_for("limited").await;
    assert_eq!(let_in(&gateway, "sk-budgets-r", "any", 2).await, 2);
    let told = || {
        let log = access_log();
        let line =
            log.lines().find(|line| line.contains("local-hook") && line.contains("could not be posted"));
        line.map(str::to_owned)
    };
    until("what became of the alert", || async { told().is_some() }).await;
    let line = told().expect("just seen");
    assert!(line.contains("the receiver is at a local address: egress.localAddresses"), "{line}");
    assert!(receiver.next().now_or_never().is_none(), "it was called");
    assert!(!access_log().contains("hidden-path"), "a webhook's address is a secret");
}
