//! The way out: which addresses are called, by which names, through which proxies, and whose certificates count.

pub(crate) mod names;
mod proxies;
mod secure;

use std::sync::Arc;

use config::{Delivery, Egress, LocalAddresses, Model};
use futures::FutureExt;
use gateway::{Dns, Feed};
use serde_json::Value;
use tokio::sync::watch;

use crate::harness::{Gateway, Lasting, delivery, mock, model};
use crate::upstream::Upstream;
use names::Names;

const ANSWER: &str = r#"{"choices":[{"message":{"role":"assistant","content":"Ahoy"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

const ALLOWED: Egress = Egress {
    local_addresses: LocalAddresses::Allowed,
    proxy: None,
    no_proxy: Vec::new(),
    ca_certificates: Vec::new(),
};

fn with_egress(revision: &str, models: Vec<Model>, egress: Egress) -> Delivery {
    let mut delivery = delivery(revision, models);
    delivery.config.settings.egress = egress;
    delivery
}

async fn started(models: Vec<Model>, egress: Egress, names: &Names) -> Gateway {
    let first = with_egress("r1", models, egress);
    let feed = watch::Sender::new(Feed { delivery: Some(Arc::new(first)), problem: None });
    let lasting = Lasting { dns: Dns::of(names.clone()), ..Lasting::default() };
    let gateway = Gateway::lasting(feed, lasting).await;
    assert_eq!(gateway.wait_for("r1").await["problem"], Value::Null);
    gateway
}

/// The status and what a client is told.
async fn told(gateway: &Gateway) -> (u16, String) {
    let answer = gateway.chat(r#"{"model":"m"}"#).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test]
async fn a_name_of_local_addresses_is_not_called() {
    let upstream = Upstream::start().await;
    let names = Names::default();
    names.set("inside.example", &["127.0.0.1", "::1"]);
    let url = format!("http://inside.example:{}/v1", upstream.port());
    let gateway = started(vec![model("m", &[&url])], Egress::default(), &names).await;
    let (status, text) = told(&gateway).await;
    assert_eq!(status, 502, "{text}");
    let (sign, way_out) = ("'inside.example' is at a local address", "egress.localAddresses");
    assert!(text.contains(sign) && text.contains(way_out), "{text}");
    assert!(!text.contains("127.0.0.1") && !text.contains("::1"), "no address is told: {text}");
    assert!(upstream.next().now_or_never().is_none(), "it was called");
    // The same once it is allowed.
    gateway.deliver(with_egress("r2", vec![model("m", &[&url])], ALLOWED));
    gateway.wait_for("r2").await;
    let ((status, text), _) = tokio::join!(told(&gateway), upstream.answer("200 OK", "", ANSWER));
    assert!(status == 200 && text.contains("Ahoy"), "{text}");
}

#[tokio::test]
async fn a_local_address_in_a_url_is_refused_before_it_serves() {
    let gateway = started(vec![mock("m")], Egress::default(), &Names::default()).await;
    let urls = [
        ("http://localhost.:11434/v1", "localhost."),
        ("http://2130706433/v1", "127.0.0.1"),
        ("http://0x7f.1/v1", "127.0.0.1"),
        ("http://[::ffff:127.0.0.1]/v1", "[::ffff:7f00:1]"),
        ("http://169.254.169.254/v1", "169.254.169.254"),
    ];
    for (number, (url, host)) in urls.into_iter().enumerate() {
        let revision = format!("bad{number}");
        gateway.deliver(with_egress(&revision, vec![model("m", &[url])], Egress::default()));
        let status = gateway.wait_for(&revision).await;
        let problem = status["problem"].as_str().expect("a problem");
        assert!(
            problem.starts_with(&format!("ai/d0: '{host}' in its base URL is a local address")),
            "{problem}"
        );
        assert!(problem.contains("egress.localAddresses"), "{problem}");
        assert_eq!(status["revision"], "r1", "the last good one stays");
        assert_eq!(told(&gateway).await.0, 200, "and serves");
    }
    let bad = Egress { proxy: Some("proxy:3128".into()), ..Egress::default() };
    gateway.deliver(with_egress("bad", vec![mock("m")], bad));
    let status = gateway.wait_for("bad").await;
    let problem = status["problem"].as_str().expect("a problem");
    assert!(problem.starts_with("the way out of the gateway: egress.proxy is no http"), "{problem}");
}

#[tokio::test]
async fn a_name_that_moves_is_found_by_the_next_connection() {
    // Two machines with one port.
    let (old, new) = loop {
        let old = Upstream::start().await;
        if let Some(new) = Upstream::at(([127, 0, 0, 2], old.port())).await {
            break (old, new);
        }
    };
    let names = Names::default();
    names.set("moving.example", &["127.0.0.1"]);
    let url = format!("http://moving.example:{}/v1", old.port());
    let gateway = started(vec![model("m", &[&url])], ALLOWED, &names).await;
    let ((status, _), _) = tokio::join!(told(&gateway), old.answer("200 OK", "", ANSWER));
    assert_eq!(status, 200);
    names.set("moving.example", &["127.0.0.2"]);
    let ((status, _), _) = tokio::join!(told(&gateway), new.answer("200 OK", "", ANSWER));
    assert_eq!(status, 200);
}
