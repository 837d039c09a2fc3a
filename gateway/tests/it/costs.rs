//! What answers cost: in the headers of whole ones, in the log and the metrics of all.

use catalogue::Dialect;
use config::{Bills, PriceSource, Pricing, Rates, UnknownPrice};
use gateway::Feed;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;

use crate::cells::speaks;
use crate::harness::{Gateway, NOBODY, delivery, logged, mock, model, within};
use crate::upstream::Upstream;

const USAGE: &str = r#""usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":400}}"#;

/// 600 × 2.50 + 400 × 1.25 + 100 × 10 dollars for a million.
const COST: &str = "0.003";

fn priced(url: &str, pricing: Pricing) -> config::Model {
    let mut model = model("m", &[url]);
    model.deployments[0].upstream_model = "gpt-4o".into();
    model.deployments[0].pricing = pricing;
    model
}

fn ask(stream: bool) -> String {
    json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}).to_string()
}

fn answer(usage: &str) -> String {
    format!(
        r#"{{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],{usage}}}"#
    )
}

/// The cost in the headers of a whole answer, and in the log.
async fn whole(pricing: Pricing, usage: &str) -> (Option<String>, Value) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![priced(&upstream.url(), pricing)]).await;
    let body = answer(usage);
    let (told, _) = tokio::join!(gateway.chat(ask(false)).send(), upstream.answer("200 OK", "", &body));
    let told = told.expect("an answer");
    assert_eq!(told.status(), 200);
    let header = |name| told.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
    assert_eq!(header("x-fairlead-cost-usd"), header("x-litellm-response-cost"));
    let line = logged(&header("x-fairlead-request-id").expect("an id")).await;
    (header("x-fairlead-cost-usd"), line["cost_nano_dollars"].clone())
}

#[tokio::test]
async fn a_whole_answer_says_what_it_costs() {
    assert_eq!(whole(Pricing::default(), USAGE).await, (Some(COST.into()), json!(3_000_000)));
    let rates = Rates { request: Some(5_000_000_000_000_000), ..Rates::default() };
    let written = Pricing { rates, source: PriceSource::Inline, ..Pricing::default() };
    assert_eq!(whole(written, USAGE).await, (Some("0.005".into()), json!(5_000_000)));
}

#[tokio::test]
async fn the_tier_that_served_the_answer_decides() {
    let usage = format!(r#""service_tier":"priority",{USAGE}"#);
    // 600 × 4.25 + 400 × 2.125 + 100 × 17.
    assert_eq!(whole(Pricing::default(), &usage).await.0.as_deref(), Some("0.0051"));
}

#[tokio::test]
async fn a_provider_that_bills_is_believed() {
    let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.25}"#;
    let told = Pricing { bills: Bills::Told, ..Pricing::default() };
    assert_eq!(whole(told, usage).await.0.as_deref(), Some("0.25"));
    assert_eq!(whole(Pricing::default(), usage).await.0.as_deref(), Some("0.0000125"));
}

#[tokio::test]
async fn an_answer_without_usage_costs_what_its_estimate_does() {
    // A turn of five tokens, and one of an answer: 5 × 2.50 + 1 × 10.
    let told = whole(Pricing::default(), r#""usage":null"#).await;
    assert_eq!(told, (Some("0.0000225".into()), json!(22_500)));
}

#[tokio::test]
async fn a_translated_answer_costs_the_same() {
    let upstream = Upstream::start().await;
    let mut model = priced(&upstream.url(), Pricing::default());
    (model.deployments[0].provider, model.deployments[0].upstream_model) =
        ("anthropic".into(), "claude-sonnet-4-5".into());
    speaks(&mut model, &[Dialect::Anthropic]);
    let gateway = Gateway::start(vec![model]).await;
    let body = r#"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"cache_creation_input_tokens":50,"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":30},"cache_read_input_tokens":40,"output_tokens":50,"server_tool_use":{"web_search_requests":2}}}"#;
    let (told, _) = tokio::join!(gateway.chat(ask(false)).send(), upstream.answer("200 OK", "", body));
    assert_eq!(told.expect("an answer").headers()["x-litellm-response-cost"], "0.021047");
}

#[tokio::test]
async fn a_stream_is_billed_at_its_end_in_the_log_and_the_metrics() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![priced(&upstream.url(), Pricing::default())]).await;
    let serve = async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        let stop = r#"data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#;
        exchange
            .send(format!("{stop}\n\ndata: {{\"choices\":[],{USAGE}}}\n\ndata: [DONE]\n\n").as_bytes())
            .await;
    };
    let (told, ()) = tokio::join!(gateway.chat(ask(true)).send(), serve);
    let told = told.expect("an answer");
    assert!(!told.headers().contains_key("x-litellm-response-cost"), "nobody knows yet");
    let id = told.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned();
    within("the end", told.bytes()).await.expect("whole");
    assert_eq!(logged(&id).await["cost_nano_dollars"], 3_000_000);
    let page =
        crate::harness::client().get(format!("{}/metrics", gateway.admin)).send().await.expect("a page");
    let page = page.text().await.expect("text");
    let line = r#"fairlead_cost_nano_dollars_total{model="m",deployment="ai/d0"} 3000000"#;
    assert!(page.contains(line), "{page}");
}

/// A gateway that serves nothing without a price.
async fn strict(models: Vec<config::Model>) -> Gateway {
    let mut delivery = delivery("r1", models);
    delivery.config.settings.unknown_price = UnknownPrice::Reject;
    let feed = Feed { delivery: Some(Arc::new(delivery)), problem: None };
    let gateway = Gateway::empty(watch::Sender::new(feed)).await;
    gateway.wait_for("r1").await;
    gateway
}

#[tokio::test]
async fn a_model_without_a_price_is_refused_where_that_matters() {
    let mut unknown = model("m", &[NOBODY]);
    unknown.deployments[0].upstream_model = "made-up".into();
    let gateway = strict(vec![unknown]).await;
    let told = gateway.chat(ask(false)).send().await.expect("an answer");
    assert_eq!(told.status(), 403);
    let body: Value = told.json().await.expect("JSON");
    assert_eq!(body["error"]["code"], "model_price_unknown");
    let why = body["error"]["message"].as_str().expect("a message");
    for sign in ["ai/d0", "made-up", "pricing", "unknownModel: Allow"] {
        assert!(why.contains(sign), "{why}");
    }
}

#[tokio::test]
async fn a_deployment_with_a_price_stands_in_for_one_without() {
    let upstream = Upstream::start().await;
    let mut both = model("m", &[NOBODY, &upstream.url()]);
    both.deployments[0].upstream_model = "made-up".into();
    both.deployments[1].upstream_model = "gpt-4o".into();
    let gateway = strict(vec![both, mock("mocked")]).await;
    let body = answer(USAGE);
    let (told, _) = tokio::join!(gateway.chat(ask(false)).send(), upstream.answer("200 OK", "", &body));
    let told = told.expect("an answer");
    assert_eq!(told.headers()["x-litellm-model-id"], "ai/d1");
    let free = gateway.chat(ask(false).replace("\"m\"", "\"mocked\"")).send().await.expect("an answer");
    assert_eq!(free.headers()["x-litellm-response-cost"], "0", "the mock calls nobody");
}
