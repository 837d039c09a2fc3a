//! A limit that is full may send requests to a cheaper model.

use super::{CENT, ask, budget, cent, key, limit, limited, serving, target, told};
use crate::harness::{KEY, mock};
use config::{Access, OnExceed, TargetKind, Unit};

fn falls_back(of: &str, to: &str) -> config::Budget {
    let mut usd = limit("usd", Unit::NanoUsd, CENT);
    usd.on_exceed = OnExceed::Fallback { model: to.into() };
    let budget = budget(of, vec![usd]);
    config::Budget { targets: vec![target(TargetKind::Model, Some(of))], ..budget }
}

#[tokio::test]
async fn a_cheaper_model_answers_where_there_is_one() {
    let cheap = config::Model { aliases: Vec::new(), ..mock("cheap") };
    let narrow = Access { allow: vec!["dear".into()], deny: Vec::new() };
    let keys = vec![config::Key { models: narrow, ..key("narrow", "red") }];
    let gateway = serving(limited(vec![cent("dear"), cheap], vec![falls_back("dear", "cheap")], keys)).await;
    let answer = ask(&gateway, KEY, "dear").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-fairlead-cost-usd"], "0.01", "the dear one");
    let answer = ask(&gateway, KEY, "dear").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-fairlead-cost-usd"], "0", "the cheap one");
    assert_eq!(told(ask(&gateway, "sk-budgets-narrow", "dear")).await.0, 429, "it may not use the cheap one");
}

#[tokio::test]
async fn models_that_fall_back_to_each_other_end() {
    let budgets = vec![falls_back("a", "b"), falls_back("b", "a")];
    let gateway = serving(limited(vec![cent("a"), cent("b")], budgets, Vec::new())).await;
    for status in [200, 200, 429] {
        assert_eq!(told(ask(&gateway, KEY, "a")).await.0, status);
    }
}
