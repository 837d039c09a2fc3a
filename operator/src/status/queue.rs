//! Statuses that wait to be written: the latest of each object, what people wait for before the rest. Bounded by the
//! number of objects, so nothing is ever dropped.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crds::{
    BudgetPolicy, ModelDeployment, ModelGateway, ModelRoute, ProviderSecret, StatusConditions, VirtualKey,
};
use crds::{
    BudgetPolicyStatus, ModelDeploymentStatus, ModelGatewayStatus, ModelRouteStatus, ProviderSecretStatus,
    VirtualKeyStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use render::ObjectRef;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Between two writes to one object for one generation.
const SPACING: Duration = Duration::from_secs(1);
/// When the same is to be written again and again, somebody else writes something else: do not fight.
const SPACING_MOST: Duration = Duration::from_secs(300);

/// A status to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Desired {
    Gateway(ModelGatewayStatus),
    Deployment(ModelDeploymentStatus),
    Route(ModelRouteStatus),
    ProviderSecret(ProviderSecretStatus),
    BudgetPolicy(BudgetPolicyStatus),
    Key(VirtualKeyStatus),
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
    ModelRoute, ModelRouteStatus, Route;
    ProviderSecret, ProviderSecretStatus, ProviderSecret;
    BudgetPolicy, BudgetPolicyStatus, BudgetPolicy;
    VirtualKey, VirtualKeyStatus, Key;
}

impl Desired {
    pub(super) fn generation(&self) -> i64 {
        match self {
            Self::Gateway(status) => status.observed_generation,
            Self::Deployment(status) => status.observed_generation,
            Self::Route(status) => status.observed_generation,
            Self::ProviderSecret(status) => status.observed_generation,
            Self::BudgetPolicy(status) => status.observed_generation,
            Self::Key(status) => status.observed_generation,
        }
    }

    /// Equal for statuses that say the same, whenever it came to be.
    fn print(&self) -> u64 {
        let mut timeless = self.clone();
        let conditions = match &mut timeless {
            Self::Gateway(status) => &mut status.conditions,
            Self::Deployment(status) => &mut status.conditions,
            Self::Route(status) => &mut status.conditions,
            Self::ProviderSecret(status) => &mut status.conditions,
            Self::BudgetPolicy(status) => &mut status.conditions,
            Self::Key(status) => &mut status.conditions,
        };
        for condition in conditions {
            condition.last_transition_time = Time(Timestamp::UNIX_EPOCH);
        }
        let mut hasher = DefaultHasher::new();
        format!("{timeless:?}").hash(&mut hasher);
        hasher.finish()
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
    /// What was written to an object last, as long as it matters.
    written: HashMap<ObjectRef, Written>,
}

#[derive(Debug)]
struct Written {
    generation: i64,
    print: u64,
    at: Instant,
    /// How often the same was written in a row.
    repeats: u32,
}

impl Written {
    /// When `desired` may be written after this.
    fn next(&self, desired: &Desired) -> Instant {
        if self.generation == desired.generation() { self.at + self.spacing() } else { self.at }
    }

    fn spacing(&self) -> Duration {
        (SPACING * 2_u32.saturating_pow(self.repeats.min(16))).min(SPACING_MOST)
    }
}

/// Where in the queue an object goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Last,
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

    /// Replaces what waits for an object. One that waits already keeps its place, unless it may now go first.
    pub(crate) fn put(&self, object: ObjectRef, desired: Desired, place: Place) {
        let mut state = self.lock();
        let waits = state.desired.insert(object.clone(), desired).is_some();
        match place {
            Place::Last if waits => {}
            Place::Last => state.order.push_back(object),
            Place::First => {
                state.order.retain(|waiting| *waiting != object);
                state.order.push_front(object);
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
        // Twice the spacing, so that a repetition is still recognised when its turn comes.
        state.written.retain(|_, written| now < written.at + written.spacing() * 2);
        let mut earliest: Option<Instant> = None;
        let place = state.order.iter().position(|object| {
            let Some(desired) = state.desired.get(object).filter(|_| !state.busy.contains(object)) else {
                return false;
            };
            let due = state.written.get(object).map_or(now, |written| written.next(desired));
            if due > now {
                earliest = Some(earliest.map_or(due, |before| before.min(due)));
            }
            due <= now
        });
        let Some(object) = place.and_then(|place| state.order.remove(place)) else {
            return Next::At(earliest);
        };
        let Some(desired) = state.desired.remove(&object) else { return Next::At(Some(now)) };
        state.busy.insert(object.clone());
        let (generation, print) = (desired.generation(), desired.print());
        let before = state.written.get(&object);
        let repeats = before
            .filter(|it| (it.generation, it.print) == (generation, print))
            .map_or(0, |it| it.repeats + 1);
        state.written.insert(object.clone(), Written { generation, print, at: now, repeats });
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
    use render::Kind;

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
        for (object, summary, place) in [
            (&a, "old", Place::Last),
            (&b, "b", Place::Last),
            (&main, "main", Place::First),
            (&a, "new", Place::Last),
        ] {
            queue.put(object.clone(), desired(1, summary), place);
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
        queue.put(a.clone(), desired(1, "first"), Place::Last);
        assert_eq!(queue.next(now), write(&a, desired(1, "first")));
        queue.put(a.clone(), desired(1, "second"), Place::Last);
        assert_eq!(queue.next(now), Next::At(None), "the first is still being written");
        queue.finish(&a);
        assert_eq!(queue.next(now), Next::At(Some(now + SPACING)));
        assert_eq!(queue.next(now + SPACING), write(&a, desired(1, "second")));
        queue.finish(&a);
        queue.put(a.clone(), desired(2, "third"), Place::Last);
        assert_eq!(
            queue.next(now + SPACING),
            write(&a, desired(2, "third")),
            "a new generation does not wait"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_somebody_else_keeps_undoing_is_written_ever_more_rarely() {
        let (queue, start) = (Queue::default(), Instant::now());
        let a = object(Kind::ModelDeployment, "a");
        let mut now = start;
        for seconds in [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            now += Duration::from_secs(seconds);
            queue.put(a.clone(), desired(1, "mine"), Place::Last);
            assert_eq!(queue.next(now), write(&a, desired(1, "mine")), "after {seconds} s");
            queue.finish(&a);
            queue.put(a.clone(), desired(1, "mine"), Place::Last);
            assert!(matches!(queue.next(now), Next::At(Some(_))));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn drained_waits_for_the_last_write() {
        let queue = Queue::default();
        queue.drained().await;
        let a = object(Kind::ModelDeployment, "a");
        queue.put(a.clone(), desired(1, ""), Place::Last);
        queue.next(Instant::now());
        let early = tokio::time::timeout(Duration::from_secs(1), queue.drained()).await;
        assert!(early.is_err(), "the write is not over");
        queue.finish(&a);
        queue.drained().await;
    }
}
