//! Limits under fire: crowds, two gateways on one Redis, clients that hang up, Redis away.

use std::sync::Arc;

use config::{FailureMode, Pricing, Rates, Unit};
use gateway::RedisAt;
use serde_json::json;
use tokio::task::JoinSet;

use super::{CENT, ask, budget, cent, let_in, limit, limited, priced, redis, serving, told};
use crate::hangup::{say, send, unattended};
use crate::harness::{Gateway, KEY, model, until};
use crate::upstream::Upstream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_crowd_passes_a_budget_that_two_gateways_share() {
    let usd = limit("usd", Unit::NanoUsd, 50 * CENT);
    let delivery = limited(vec![cent("any")], vec![budget("shared", vec![usd])], Vec::new());
    let redis = redis();
    let both = [
        Arc::new(Gateway::counting_in(redis.clone(), delivery.clone()).await),
        Arc::new(Gateway::counting_in(redis, delivery).await),
    ];
    let mut crowd = JoinSet::new();
    for n in 0..100_usize {
        let gateway = Arc::clone(&both[n % 2]);
        crowd.spawn(async move { let_in(&gateway, KEY, "any", 2).await });
    }
    let answered: usize = crowd.join_all().await.into_iter().sum();
    // Each cost is what was reserved for it, so the limit is met to the cent.
    assert_eq!(answered, 50, "of 200 requests");
}

#[tokio::test]
async fn who_hangs_up_before_the_answer_pays_for_it() {
    let upstream = Upstream::start().await;
    let usd = limit("usd", Unit::NanoUsd, CENT);
    let slow = priced(model("slow", &[&upstream.url()]));
    let gateway = serving(limited(vec![slow], vec![budget("small", vec![usd])], Vec::new())).await;
    let socket = send(&gateway, r#"{"model":"slow","max_tokens":1,"messages":[]}"#).await;
    let mut exchange = upstream.next().await;
    drop(socket);
    unattended(&gateway, 1).await;
    say(&mut exchange, "200 OK", r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#).await;
    unattended(&gateway, 0).await;
    assert_eq!(told(ask(&gateway, KEY, "slow")).await.0, 429, "the cent is spent");
}

#[tokio::test]
async fn places_are_free_again_when_requests_end_however_they_do() {
    let upstream = Upstream::start().await;
    let places = limit("places", Unit::Concurrency, 1);
    let slow = model("slow", &[&upstream.url()]);
    let gateway = serving(limited(vec![slow], vec![budget("one", vec![places])], Vec::new())).await;
    let mut clients = JoinSet::new();
    clients.spawn(ask(&gateway, KEY, "slow").send());
    let mut exchange = upstream.next().await;
    let (status, body) = told(ask(&gateway, KEY, "slow")).await;
    assert_eq!(status, 429, "one at a time: {body}");
    assert!(
        body["error"]["message"].as_str().is_some_and(|why| why.contains("try again when they have ended"))
    );
    exchange.send(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    let answer = clients.join_next().await.expect("one").expect("runs").expect("an answer");
    assert_eq!(answer.status(), 500);
    clients.spawn(ask(&gateway, KEY, "slow").send());
    let exchange = upstream.next().await;
    clients.abort_all();
    // Until then a provider makes its answer.
    drop(exchange);
    until("the place of who hung up", || async {
        let probe =
            tokio::time::timeout(std::time::Duration::from_millis(200), told(ask(&gateway, KEY, "slow")));
        // Let in, it waits for the upstream; else it is refused at once.
        probe.await.is_err()
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_cut_counts_what_was_generated() {
    let upstream = Upstream::start().await;
    let mut slow = priced(model("slow", &[&upstream.url()]));
    let rates =
        Rates { output: Some(u64::from(u32::MAX)), request: Some(CENT * 1_000_000_000), ..Rates::default() };
    slow.deployments[0].pricing =
        Pricing { rates, source: config::PriceSource::Inline, ..Pricing::default() };
    let tokens = limit("tokens", Unit::OutputTokens, 1000);
    let gateway = serving(limited(vec![slow], vec![budget("few", vec![tokens])], Vec::new())).await;
    let body = json!({"model": "slow", "stream": true, "max_tokens": 900, "messages": [{"role": "user", "content": "Hi"}]});
    let running = gateway.chat(body.to_string());
    let mut clients = JoinSet::new();
    clients.spawn(async move {
        let mut answer = running.send().await.expect("an answer");
        let mut seen = String::new();
        while !seen.contains("word") {
            seen += &String::from_utf8_lossy(&answer.chunk().await.expect("readable").expect("more"));
        }
    });
    let mut exchange = upstream.next().await;
    exchange.begin_stream().await;
    let chunk = |delta: serde_json::Value| {
        let chunk = json!({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        format!("data: {chunk}\n\n")
    };
    let said =
        chunk(json!({"role": "assistant", "content": ""})) + &chunk(json!({"content": "word ".repeat(40)}));
    exchange.send(said.as_bytes()).await;
    clients.join_next().await.expect("one").expect("it hangs up after the first words");
    // 900 are free again, but for what was said: some fifty tokens.
    let room = |most: u64| {
        let body =
            json!({"model": "slow", "max_tokens": most, "messages": [{"role": "user", "content": "Hi"}]});
        gateway.chat(body.to_string())
    };
    until("what it came to", || async {
        told(room(980)).await.1["error"]["message"]
            .as_str()
            .is_some_and(|why| !why.contains("900 tokens held"))
    })
    .await;
    let (status, refused) = told(room(980)).await;
    assert_eq!(status, 429, "{refused}");
    let mut clients = JoinSet::new();
    clients.spawn(room(900).send());
    let _taken = upstream.next().await;
}

#[tokio::test]
async fn without_redis_each_limit_is_passed_as_it_says() {
    let nowhere = || RedisAt {
        url: config::Secret::new(b"redis://127.0.0.1:1".to_vec()),
        space: "nowhere".into(),
        patience: std::time::Duration::from_millis(50),
    };
    for (failure_mode, let_in_of_three) in
        [(FailureMode::FailOpen, 3), (FailureMode::FailClosed, 0), (FailureMode::Estimate, 2)]
    {
        let budget = budget("away", vec![limit("usd", Unit::NanoUsd, 2 * CENT)]);
        let budget = config::Budget { failure_mode, ..budget };
        let gateway =
            Gateway::counting_in(Some(nowhere()), limited(vec![cent("any")], vec![budget], Vec::new())).await;
        assert_eq!(let_in(&gateway, KEY, "any", 3).await, let_in_of_three, "{failure_mode:?}");
        if failure_mode == FailureMode::FailClosed {
            let (status, body) = told(ask(&gateway, KEY, "any")).await;
            assert_eq!((status, &body["error"]["code"]), (503, &json!("limits_unavailable")), "{body}");
        }
        // It would wait for Redis until it has been told; nobody is there.
        drop(gateway);
    }
}
