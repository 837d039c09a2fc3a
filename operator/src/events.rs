//! Kubernetes events, on transitions only. They are for people and never matter for correctness: what does
//! not fit in the queue is dropped and counted.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::names;

/// Events that may wait.
const QUEUE: usize = 1_024;
/// Between two events: a large apply must not drown the API server in them.
const PAUSE: Duration = Duration::from_millis(50);
/// Of one request.
const REQUEST: Duration = Duration::from_secs(4);

/// What happened to an object.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub object: ObjectReference,
    pub good: bool,
    pub reason: String,
    pub note: String,
}

/// Takes news; clones share one queue.
#[derive(Clone)]
pub(crate) struct Herald {
    queue: mpsc::Sender<News>,
    metrics: Metrics,
    /// The lease, and who we are.
    lease: ObjectReference,
    me: String,
}

/// Sends what was taken.
pub(crate) struct Messenger {
    queue: mpsc::Receiver<News>,
    recorder: Recorder,
    metrics: Metrics,
}

/// Both ends of the queue.
pub(crate) fn channel(client: Client, args: &crate::Args, metrics: Metrics) -> (Herald, Messenger) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let lease = ObjectReference {
        api_version: Some("coordination.k8s.io/v1".into()),
        kind: Some("Lease".into()),
        namespace: Some(args.namespace.clone()),
        name: Some(args.lease_name.clone()),
        ..ObjectReference::default()
    };
    let reporter = Reporter { controller: names::MANAGER.into(), instance: Some(args.pod_name.clone()) };
    let herald = Herald { queue: sender, metrics: metrics.clone(), lease, me: args.pod_name.clone() };
    (herald, Messenger { queue: receiver, recorder: Recorder::new(client, reporter), metrics })
}

impl Herald {
    /// Never waits.
    pub(crate) fn tell(&self, news: News) {
        if self.queue.try_send(news).is_err() {
            self.metrics.event("dropped");
        }
    }

    /// This replica leads from now on.
    pub(crate) fn leads(&self) {
        let note = format!("{} leads", self.me);
        self.tell(News { object: self.lease.clone(), good: true, reason: "LeaderElected".into(), note });
    }
}

impl Messenger {
    /// Sends one after the other, until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while let Some(Some(news)) = stop.run_until_cancelled(self.queue.recv()).await {
            let event = Event {
                type_: if news.good { EventType::Normal } else { EventType::Warning },
                reason: news.reason,
                note: Some(news.note.chars().take(1_000).collect()),
                action: "Reconcile".into(),
                secondary: None,
            };
            match timeout(REQUEST, self.recorder.publish(&event, &news.object)).await {
                Ok(Ok(())) => self.metrics.event("sent"),
                Ok(Err(error)) => {
                    self.metrics.event("failed");
                    tracing::debug!("event not sent: {error}");
                }
                Err(_) => self.metrics.event("failed"),
            }
            sleep(PAUSE).await;
        }
    }
}
