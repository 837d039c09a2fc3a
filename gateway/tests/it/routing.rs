//! Deployments that fail in every way, and what becomes of requests.

mod cooling;
mod fallbacks;
mod matrix;
mod retries;
mod routes;
mod shaky;
mod simulate;

use config::{Cooldown, Delivery, Deployment, Model, Retries, Routing, Timeouts};
use serde_json::{Value, json};

use crate::harness::{Gateway, PLAIN, deployment, model};

/// Short, so that what hangs is found out, but not on a machine that is busy.
const SHORT: Timeouts =
    Timeouts { connect_ms: 2000, first_byte_ms: 2000, stream_idle_ms: 2000, request_ms: 3000 };

/// As the default, but quick.
const QUICK: Routing = Routing {
    retries: Retries { attempts: 3, backoff_ms: 10, max_backoff_ms: 40, budget_percent: 20 },
    cooldown: Cooldown { failures: 3, failure_percent: 50, duration_ms: 60_000, max_duration_ms: 60_000 },
    ..PLAIN
};

/// A model with a deployment for each of `urls`, which share its traffic.
fn even(name: &str, urls: &[&str]) -> Model {
    named(Model { deployments: Vec::new(), ..model(name, &[]) }, urls, |_| 0)
}

/// The same, tried in this order.
fn in_order(name: &str, urls: &[&str]) -> Model {
    named(Model { deployments: Vec::new(), ..model(name, &[]) }, urls, |place| place)
}

fn named(mut model: Model, urls: &[&str], priority: impl Fn(usize) -> usize) -> Model {
    let deployments = urls.iter().enumerate().map(|(place, url)| Deployment {
        timeouts: SHORT,
        ..deployment(&format!("{}-{place}", model.name), priority(place), url)
    });
    model.deployments = deployments.collect();
    model
}

fn delivery(routing: Routing, models: Vec<Model>) -> Delivery {
    let mut delivery = crate::harness::delivery("r1", models);
    delivery.config.settings.routing = routing;
    delivery
}

/// A gateway that routes so.
async fn gateway(routing: Routing, models: Vec<Model>) -> Gateway {
    Gateway::counting_in(None, delivery(routing, models)).await
}

/// What a client sees of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    text: String,
    retries: Option<String>,
    fallbacks: Option<String>,
    by: Option<String>,
}

impl Seen {
    /// A whole answer, or a stream that came to its end.
    fn is_good(&self) -> bool {
        self.status == 200 && self.text.contains("fine") && !self.text.contains("error")
    }
}

async fn ask(gateway: &Gateway, model: &str, stream: bool) -> Seen {
    ask_with(gateway, json!({"model": model, "stream": stream})).await
}

async fn ask_with(gateway: &Gateway, mut body: Value) -> Seen {
    body["messages"] = json!([{"role": "user", "content": "Hello"}]);
    let answer = gateway.chat(body.to_string()).send().await.expect("an answer");
    let header =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
    let (retries, fallbacks) =
        (header("x-litellm-attempted-retries"), header("x-litellm-attempted-fallbacks"));
    let (status, by) = (answer.status().as_u16(), header("x-litellm-model-id"));
    Seen { status, retries, fallbacks, by, text: answer.text().await.expect("to its end") }
}
