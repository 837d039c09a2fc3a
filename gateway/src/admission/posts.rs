//! Posts alerts to webhooks, some at a time, each again for a while if it fails. No request waits for it, and the
//! addresses are never shown.

use std::sync::Arc;
use std::time::Duration;

use config::ObjectName;
use limits::{Limiter, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::egress::{Clients, Line, LocalHost};
use crate::pipeline::Metrics;
use crate::snapshot::Webhook;

/// Of one attempt.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between attempts, at first; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

const ATTEMPTS: u32 = 6;

/// The longest that all attempts take: each pause doubles.
pub(super) const ATTEMPTS_TAKE: Duration =
    PATIENCE.saturating_mul(ATTEMPTS).saturating_add(PAUSE.saturating_mul(1 << ATTEMPTS));

/// Under way at a time. What finds no place is tried at the next look.
const PLACES: usize = 16;

/// What is under way may finish in that time at shutdown; what does not is told by another pod.
const FINISH: Duration = Duration::from_secs(3);

/// One alert for one webhook.
#[derive(Debug)]
pub(crate) struct Post {
    pub(super) webhook: Webhook,
    /// What this process has claimed.
    pub(super) name: String,
    pub(super) body: String,
    /// How long it need not be told again.
    pub(super) kept: Duration,
    pub(super) budget: ObjectName,
}

/// Those under way.
pub(super) struct Posts {
    clients: Clients,
    limiter: Limiter,
    metrics: Arc<Metrics>,
    running: JoinSet<()>,
}

impl Posts {
    pub(super) fn new(limiter: Limiter, metrics: Arc<Metrics>) -> Self {
        Self { clients: Clients::default(), limiter, metrics, running: JoinSet::new() }
    }

    /// Whether there is a place for another.
    pub(super) fn has_room(&mut self) -> bool {
        while self.running.try_join_next().is_some() {}
        self.running.len() < PLACES
    }

    pub(super) fn start(&mut self, post: Post) {
        let way = post.webhook.way(PATIENCE);
        // The ways of configs before are not needed any more.
        self.clients.keep([way.clone()]);
        let line = match self.clients.get(&way) {
            Ok(line) => line,
            Err(error) => {
                tracing::error!(%error, "no alert can be posted: TLS cannot be set up");
                return self.metrics.alerted(&post.budget, "failed");
            }
        };
        let (limiter, metrics) = (self.limiter.clone(), Arc::clone(&self.metrics));
        self.running.spawn(async move {
            let outcome = match deliver(&line, &post).await {
                Ok(()) => {
                    note(&limiter, &post).await;
                    "posted"
                }
                Err(reason) => {
                    tracing::error!(budget = %post.budget, reason, "an alert could not be posted to its webhook");
                    "failed"
                }
            };
            metrics.alerted(&post.budget, outcome);
        });
    }

    pub(super) async fn finish(mut self) {
        let all = async { while self.running.join_next().await.is_some() {} };
        if timeout(FINISH, all).await.is_err() {
            tracing::warn!(
                alerts = self.running.len(),
                "alerts were not posted: another pod does when it sees them"
            );
        }
    }
}

/// Attempts it until the receiver takes it, or says that it never will.
async fn deliver(line: &Line, post: &Post) -> Result<(), String> {
    let (mut pause, mut reason) = (PAUSE, String::new());
    for attempt in 1..=ATTEMPTS {
        let json = HeaderValue::from_static("application/json");
        let call = line.call(|client| {
            let request = client.post(post.webhook.url()).timeout(PATIENCE);
            request.header(CONTENT_TYPE, json).body(post.body.clone())
        });
        match call.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => {
                let status = answer.status();
                reason = format!("the receiver answers {}", status.as_u16());
                if !is_passing(status) {
                    return Err(reason);
                }
            }
            Err(error) => {
                reason = why(&error).into();
                // It would not move away by itself.
                if LocalHost::cause(&error).is_some() {
                    return Err(reason);
                }
            }
        }
        tracing::debug!(budget = %post.budget, reason, attempt, "an alert was not posted");
        if attempt < ATTEMPTS {
            // Receivers that come back shall not meet all at once.
            sleep(pause.mul_f64(rand::random_range(0.75..1.0))).await;
            pause *= 2;
        }
    }
    Err(reason)
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// In words of ours: the error's own have the address in them.
fn why(error: &reqwest::Error) -> &'static str {
    if LocalHost::cause(error).is_some() {
        "the receiver is at a local address: egress.localAddresses of the ModelGateway allows it"
    } else if error.is_timeout() {
        "the receiver does not answer in time"
    } else if error.is_connect() {
        "the receiver cannot be reached"
    } else {
        "the receiver breaks the connection off"
    }
}

/// Redis may be away for a moment; if it stays away, the receiver may be told twice.
async fn note(limiter: &Limiter, post: &Post) {
    for _ in 0..ATTEMPTS {
        if limiter.told(&post.name, post.kept, Timestamp::now()).await.is_ok() {
            return;
        }
        sleep(PAUSE).await;
    }
    tracing::warn!(budget = %post.budget, "an alert was posted, and others may post it again: Redis is away");
}
