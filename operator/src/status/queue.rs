//! Statuses that wait to be written: the latest of each object, first come, first served. Bounded by the
//! number of objects, so nothing is ever dropped.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crds::{ModelDeployment, ModelGateway, ProviderSecret, StatusConditions};
use crds::{ModelDeploymentStatus, ModelGatewayStatus, ProviderSecretStatus};
use render::{Kind, ObjectRef};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Between two writes to one object for one generation.
const SPACING: Duration = Duration::from_secs(1);

/// A status to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Desired {
    Gateway(ModelGatewayStatus),
    Deployment(ModelDeploymentStatus),
    ProviderSecret(ProviderSecretStatus),
}

/// A kind that has a status.
pub(crate) trait Statused: kube::Resource {
    type Status: StatusConditions + PartialEq + Clone;
    fn status(&self) -> Option<&Self::Status>;
    fn desired(status: Self::Status) -> Desired;
}

macro_rules! statused {
    ($($kind:ty, $status:ty, $variant:ident;)*) => {$(
        impl Statused for $kind {
            type Status = $status;

            fn status(&self) -> Option<&$status> {
                self.status.as_ref()
            }

            fn desired(status: $status) -> Desired {
                Desired::$variant(status)
            }
        }
    )*};
}

statused! {
    ModelGateway, ModelGatewayStatus, Gateway;
    ModelDeployment, ModelDeploymentStatus, Deployment;
    ProviderSecret, ProviderSecretStatus, ProviderSecret;
}

impl Desired {
    pub(super) fn generation(&self) -> i64 {
        match self {
            Self::Gateway(status) => status.observed_generation,
            Self::Deployment(status) => status.observed_generation,
            Self::ProviderSecret(status) => status.observed_generation,
        }
    }
}

/// The queue; clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    added: Notify,
    finished: Notify,
}

#[derive(Debug, Default)]
struct State {
    order: VecDeque<ObjectRef>,
    desired: HashMap<ObjectRef, Desired>,
    /// Being written: one write to an object at a time, or they could arrive in the wrong order.
    busy: HashSet<ObjectRef>,
    /// When and for which generation an object was written last.
    written: HashMap<ObjectRef, (i64, Instant)>,
}

/// What the queue has for a writer.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Write(ObjectRef, Box<Desired>),
    /// Nothing before that time, if ever.
    At(Option<Instant>),
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces what waits for an object. It keeps its place; gateways go first.
    pub(crate) fn put(&self, object: ObjectRef, desired: Desired) {
        let mut state = self.lock();
        if state.desired.insert(object.clone(), desired).is_none() {
            match object.kind {
                Kind::ModelGateway => state.order.push_front(object),
                Kind::ModelDeployment | Kind::ProviderSecret => state.order.push_back(object),
            }
        }
        drop(state);
        self.0.added.notify_one();
    }

    /// An object is as it should be: what waits for it is out of date.
    pub(crate) fn drop_one(&self, object: &ObjectRef) {
        let mut state = self.lock();
        if state.desired.remove(object).is_some() {
            state.order.retain(|waiting| waiting != object);
        }
    }

    /// Drops what waits for objects that are gone.
    pub(crate) fn retain(&self, known: &BTreeSet<ObjectRef>) {
        let mut state = self.lock();
        if state.desired.keys().any(|object| !known.contains(object)) {
            state.desired.retain(|object, _| known.contains(object));
            state.order.retain(|object| known.contains(object));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().desired.len()
    }

    /// Waits until nothing waits and nothing is being written.
    pub(crate) async fn drained(&self) {
        loop {
            let finished = self.0.finished.notified();
            {
                let state = self.lock();
                if state.desired.is_empty() && state.busy.is_empty() {
                    return;
                }
            }
            finished.await;
        }
    }

    /// Waits until something may have been added.
    pub(super) async fn added(&self) {
        self.0.added.notified().await;
    }

    /// Takes the first that may be written now.
    pub(super) fn next(&self, now: Instant) -> Next {
        let mut state = self.lock();
        state.written.retain(|_, (_, at)| now < *at + SPACING);
        let mut earliest: Option<Instant> = None;
        let mut found = None;
        for (place, object) in state.order.iter().enumerate() {
            let Some(desired) = state.desired.get(object) else { continue };
            if state.busy.contains(object) {
                continue;
            }
            match state.written.get(object).filter(|(generation, _)| *generation == desired.generation()) {
                Some((_, at)) => {
                    earliest = Some(earliest.map_or(*at + SPACING, |before| before.min(*at + SPACING)))
                }
                None => {
                    found = Some(place);
                    break;
                }
            }
        }
        let Some(object) = found.and_then(|place| state.order.remove(place)) else {
            return Next::At(earliest);
        };
        let Some(desired) = state.desired.remove(&object) else { return Next::At(Some(now)) };
        state.busy.insert(object.clone());
        state.written.insert(object.clone(), (desired.generation(), now));
        Next::Write(object, Box::new(desired))
    }

    /// A write is over, one way or the other.
    pub(super) fn finish(&self, object: &ObjectRef) {
        self.lock().busy.remove(object);
        self.0.finished.notify_one();
        self.0.added.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use config::ObjectName;

    use super::*;

    fn object(kind: Kind, name: &str) -> ObjectRef {
        ObjectRef { kind, name: ObjectName { namespace: "ns".into(), name: name.into() } }
    }

    fn desired(generation: i64, summary: &str) -> Desired {
        Desired::Deployment(ModelDeploymentStatus {
            observed_generation: generation,
            conditions: Vec::new(),
            gateway: None,
            resolved: None,
            summary: summary.into(),
        })
    }

    fn write(object: &ObjectRef, desired: Desired) -> Next {
        Next::Write(object.clone(), Box::new(desired))
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_of_each_object_is_written_and_gateways_go_first() {
        let (queue, now) = (Queue::default(), Instant::now());
        let (a, b, main) = (
            object(Kind::ModelDeployment, "a"),
            object(Kind::ModelDeployment, "b"),
            object(Kind::ModelGateway, "main"),
        );
        for (object, summary) in [(&a, "old"), (&b, "b"), (&main, "main"), (&a, "new")] {
            queue.put(object.clone(), desired(1, summary));
        }
        assert_eq!(queue.next(now), write(&main, desired(1, "main")));
        assert_eq!(queue.next(now), write(&a, desired(1, "new")));
        assert_eq!(queue.next(now), write(&b, desired(1, "b")));
        assert_eq!(queue.next(now), Next::At(None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_is_written_once_at_a_time_and_once_a_second_for_one_generation() {
        let (queue, now) = (Queue::default(), Instant::now());
        let a = object(Kind::ModelDeployment, "a");
        queue.put(a.clone(), desired(1, "first"));
        assert_eq!(queue.next(now), write(&a, desired(1, "first")));
        queue.put(a.clone(), desired(1, "second"));
        assert_eq!(queue.next(now), Next::At(None), "the first is still being written");
        queue.finish(&a);
        assert_eq!(queue.next(now), Next::At(Some(now + SPACING)));
        assert_eq!(queue.next(now + SPACING), write(&a, desired(1, "second")));
        queue.finish(&a);
        queue.put(a.clone(), desired(2, "third"));
        assert_eq!(
            queue.next(now + SPACING),
            write(&a, desired(2, "third")),
            "a new generation does not wait"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn drained_waits_for_the_last_write() {
        let queue = Queue::default();
        queue.drained().await;
        let a = object(Kind::ModelDeployment, "a");
        queue.put(a.clone(), desired(1, ""));
        queue.next(Instant::now());
        let early = tokio::time::timeout(Duration::from_secs(1), queue.drained()).await;
        assert!(early.is_err(), "the write is not over");
        queue.finish(&a);
        queue.drained().await;
    }
}
