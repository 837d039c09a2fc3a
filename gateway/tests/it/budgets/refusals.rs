//! What holds for whom, and what a client is told when there is no room.

use config::{Enforcement, KeyLimits, OnExceed, TargetKind, Unit, Window};
use serde_json::json;

use super::{CENT, ask, budget, cent, key, let_in, limit, limited, serving, target, told};
use crate::harness::{KEY, client};
use crate::speakers::ALL;

#[tokio::test]
async fn a_spent_budget_is_told_in_every_language() {
    let usd = limit("usd", Unit::NanoUsd, 2 * CENT);
    let gateway = serving(limited(vec![cent("any")], vec![budget("small", vec![usd])], Vec::new())).await;
    assert_eq!(let_in(&gateway, KEY, "any", 3).await, 2, "two cents");
    let answer = ask(&gateway, KEY, "any").send().await.expect("an answer");
    assert_eq!(answer.status(), 429);
    let retry_after: u64 = answer.headers()["retry-after"].to_str().expect("text").parse().expect("a number");
    assert!(retry_after <= 366 * 24 * 3600, "{retry_after}");
    assert_eq!(answer.headers()["x-should-retry"] == "false", retry_after > 60);
    let body: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body["error"]["type"], &body["error"]["code"]),
        (&json!("budget_exceeded"), &json!("budget_exceeded"))
    );
    let message = body["error"]["message"].as_str().expect("a message");
    assert!(
        message.starts_with("limit usd of ai/small has no room: $0.02 of $0.02 used, $0 held"),
        "{message}"
    );
    assert!(message.contains("may need $0.01; there is room again at 20"), "{message}");
    for speaker in ALL {
        let url = format!("{}{}", gateway.url, (speaker.path)(false));
        let ask = client().post(url).bearer_auth(KEY).body((speaker.ask)(false).to_string());
        let (status, body) = told(ask).await;
        assert_eq!(status, 429, "{}: {body}", speaker.dialect.name());
        assert!(body["error"]["message"].as_str().is_some_and(|why| why.contains("ai/small")), "{body}");
    }
}

#[tokio::test]
async fn each_subject_has_its_own_counter_or_all_share_one() {
    let per_team = budget("per-team", vec![limit("usd", Unit::NanoUsd, 2 * CENT)]);
    let mut per_team = config::Budget { per_target: true, ..per_team };
    per_team.targets = vec![target(TargetKind::Team, None)];
    let mut shared = budget("shared", vec![limit("usd", Unit::NanoUsd, 3 * CENT)]);
    shared.targets = vec![target(TargetKind::Team, Some("red")), target(TargetKind::Team, Some("blue"))];
    let keys = vec![key("r", "red"), key("r2", "red"), key("b", "blue"), key("g", "green")];
    let gateway = serving(limited(vec![cent("any")], vec![per_team, shared], keys)).await;
    assert_eq!(let_in(&gateway, "sk-budgets-r", "any", 1).await, 1);
    assert_eq!(let_in(&gateway, "sk-budgets-r2", "any", 2).await, 1, "keys of a team share its two cents");
    assert_eq!(let_in(&gateway, "sk-budgets-b", "any", 2).await, 1, "red and blue share three");
    assert_eq!(let_in(&gateway, "sk-budgets-g", "any", 3).await, 2, "green has two of its own");
    assert_eq!(let_in(&gateway, KEY, "any", 4).await, 4, "the master key is of no team");
    let (_, refused) = told(ask(&gateway, "sk-budgets-g", "any")).await;
    assert!(
        refused["error"]["message"].as_str().is_some_and(|why| why.contains("for team:green")),
        "{refused}"
    );
}

#[tokio::test]
async fn customers_tags_models_and_parents_are_counted() {
    let mut customers = budget("customers", vec![limit("requests", Unit::Requests, 1)]);
    (customers.per_target, customers.targets) = (true, vec![target(TargetKind::Customer, None)]);
    let mut tag = budget("tag", vec![limit("requests", Unit::Requests, 1)]);
    tag.targets = vec![target(TargetKind::Tag, Some("batch"))];
    let mut dear = budget("dear", vec![limit("requests", Unit::Requests, 5)]);
    dear.targets = vec![target(TargetKind::Model, Some("dear"))];
    dear.parent = Some(config::ObjectName { namespace: "ai".into(), name: "top".into() });
    let mut top = budget("top", vec![limit("usd", Unit::NanoUsd, 2 * CENT)]);
    top.targets.clear();
    let models = vec![cent("any"), cent("dear")];
    let gateway = serving(limited(models, vec![customers, tag, dear, top], Vec::new())).await;
    for (user, status) in [("ann", 200), ("bob", 200), ("ann", 429)] {
        let body = json!({"model": "any", "user": user, "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(told(gateway.chat(body.to_string())).await.0, status, "{user}");
    }
    for status in [200, 429] {
        let tagged = ask(&gateway, KEY, "any").header("x-litellm-tags", "nightly, batch");
        assert_eq!(told(tagged).await.0, status);
    }
    assert_eq!(let_in(&gateway, KEY, "dear", 4).await, 2, "its parent has two cents");
    assert_eq!(let_in(&gateway, KEY, "any", 4).await, 4, "others do not count there");
}

#[tokio::test]
async fn a_key_s_own_limits_are_told_in_headers() {
    let limits = KeyLimits { requests_per_minute: Some(2), ..KeyLimits::default() };
    let keys = vec![config::Key { limits, ..key("slow", "red") }];
    let gateway = serving(limited(vec![cent("any")], Vec::new(), keys)).await;
    assert_eq!(let_in(&gateway, "sk-budgets-slow", "any", 2).await, 2);
    let answer = ask(&gateway, "sk-budgets-slow", "any").send().await.expect("an answer");
    assert_eq!(answer.status(), 429);
    let headers = answer.headers().clone();
    assert_eq!(headers["x-ratelimit-limit-requests"], "2");
    assert_eq!(headers["x-ratelimit-remaining-requests"], "0");
    let wait: u64 = headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=64).contains(&wait), "{wait}");
    let body: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    assert!(
        body["error"]["message"].as_str().is_some_and(|why| why.contains("requests-per-minute of ai/slow"))
    );
    let messages = json!({"model": "any", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let ask = client().post(format!("{}/v1/messages", gateway.url)).header("x-api-key", "sk-budgets-slow");
    let answer = ask.body(messages.to_string()).send().await.expect("an answer");
    assert_eq!(answer.headers()["anthropic-ratelimit-requests-limit"], "2");
    let body: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"]["type"], "rate_limit_error");
}

#[tokio::test]
async fn warnings_and_shadows_count_and_let_in() {
    let mut warns = limit("warns", Unit::Requests, 1);
    warns.on_exceed = OnExceed::Warn;
    let mut shadow = budget("shadow", vec![limit("shadows", Unit::Requests, 1)]);
    shadow.enforcement = Enforcement::Shadow;
    let budgets = vec![budget("open", vec![warns]), shadow];
    let gateway = serving(limited(vec![cent("any")], budgets, Vec::new())).await;
    assert_eq!(let_in(&gateway, KEY, "any", 3).await, 3);
    let page = client().get(format!("{}/metrics", gateway.admin)).send().await.expect("a page");
    let page = page.text().await.expect("text");
    for line in [
        r#"fairlead_limited_total{owner="ai/open",limit="warns",verdict="warned"} 2"#,
        r#"fairlead_limited_total{owner="ai/shadow",limit="shadows",verdict="shadow"} 2"#,
    ] {
        assert!(page.contains(line), "{line} is not in:\n{page}");
    }
}

#[tokio::test]
async fn a_reload_and_another_amount_keep_what_is_spent_and_a_reset_does_not() {
    let small = |amount, reset_at| {
        let budget = budget("small", vec![limit("usd", Unit::NanoUsd, amount)]);
        limited(vec![cent("any")], vec![config::Budget { reset_at, ..budget }], Vec::new())
    };
    let gateway = serving(small(2 * CENT, None)).await;
    assert_eq!(let_in(&gateway, KEY, "any", 3).await, 2);
    for (revision, amount, reset_at, room) in
        [("r2", 3 * CENT, None, 1), ("r3", 2 * CENT, None, 0), ("r4", 2 * CENT, Some(7), 2)]
    {
        let delivery = config::Delivery { revision: revision.into(), ..small(amount, reset_at) };
        gateway.deliver(delivery);
        gateway.wait_for(revision).await;
        assert_eq!(let_in(&gateway, KEY, "any", 3).await, room, "{revision}");
    }
}

#[tokio::test]
async fn throttled_requests_wait_for_room() {
    let mut throttles = limit("throttles", Unit::Requests, 1);
    (throttles.on_exceed, throttles.window) = (OnExceed::Throttle, Window::Rolling { ms: 1000 });
    let gateway =
        serving(limited(vec![cent("any")], vec![budget("slow", vec![throttles])], Vec::new())).await;
    let begun = std::time::Instant::now();
    assert_eq!(let_in(&gateway, KEY, "any", 3).await, 3);
    assert!(begun.elapsed() >= std::time::Duration::from_secs(2), "one a second: {:?}", begun.elapsed());
}
