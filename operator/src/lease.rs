//! Who leads: one replica at a time, over a `coordination.k8s.io` Lease. A holder that cannot renew stops
//! leading well before anyone else may start. Times of other machines are never compared with ours: a
//! candidate waits until it has itself seen the record unchanged for a whole duration.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::names;

/// How long the others wait after the last renewal.
const DURATION: Duration = Duration::from_secs(15);
/// How long the holder leads after its last renewal. The rest of the duration is for requests under way.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Between two attempts.
const RETRY: Duration = Duration::from_secs(2);
/// Of one request to the API server.
const REQUEST: Duration = Duration::from_secs(4);

/// Where the lease is and who we are.
#[derive(Clone)]
pub(crate) struct LeaseKeeper {
    api: Api<Lease>,
    namespace: String,
    name: String,
    me: String,
    clock: fn() -> Timestamp,
}

/// A replica's part in the competition.
pub(crate) struct Candidacy {
    pub keeper: LeaseKeeper,
    /// Ends the renewals.
    pub renewing: CancellationToken,
}

impl Candidacy {
    /// Competes no more, and gives the lease back if we hold it.
    pub(crate) async fn give_up(&self) {
        if !self.renewing.is_cancelled() {
            self.renewing.cancel();
            self.keeper.release().await;
        }
    }
}

/// Until when we lead, if we do. Ends by itself: no message is needed for it.
pub(crate) type Leadership = watch::Receiver<Option<Instant>>;

/// Whether we lead now.
pub(crate) fn leads(leadership: &Leadership) -> bool {
    leadership.borrow().is_some_and(|until| Instant::now() < until)
}

/// What a candidate remembers of the record: as read or written last, and since when it has not changed.
#[derive(Debug)]
struct Seen {
    lease: Option<Lease>,
    since: Instant,
}

impl Seen {
    fn now(lease: Option<Lease>) -> Self {
        Self { lease, since: Instant::now() }
    }

    fn version(&self) -> Option<&String> {
        self.lease.as_ref().and_then(|lease| lease.metadata.resource_version.as_ref())
    }
}

/// What to do about a record.
#[derive(Debug, PartialEq)]
enum Step {
    /// Somebody else leads.
    Wait,
    /// Write this, as creation or replacement.
    Write(LeaseSpec),
}

impl LeaseKeeper {
    pub(crate) fn new(client: Client, args: &crate::Args, clock: fn() -> Timestamp) -> Self {
        Self {
            api: Api::namespaced(client, &args.namespace),
            namespace: args.namespace.clone(),
            name: args.lease_name.clone(),
            me: args.pod_name.clone(),
            clock,
        }
    }

    /// Competes and renews for ever, and tells `leadership` until when we lead.
    pub(crate) async fn run(&self, leadership: &watch::Sender<Option<Instant>>) {
        let mut seen = Seen::now(None);
        loop {
            let started = Instant::now();
            match timeout(REQUEST, self.attempt(&mut seen)).await {
                Ok(Ok(true)) => drop(leadership.send_replace(Some(started + RENEW_DEADLINE))),
                Ok(Ok(false)) => drop(leadership.send_replace(None)),
                Ok(Err(error)) => tracing::warn!(class = crate::publish::class_of(&error), "lease: {error}"),
                Err(_) => tracing::warn!("lease: the API server did not answer in {REQUEST:?}"),
            }
            sleep(RETRY).await;
        }
    }

    /// Gives the lease back, so that the next holder need not wait for it to expire.
    async fn release(&self) {
        let released = timeout(REQUEST, async {
            let Some(mut lease) = self.api.get_opt(&self.name).await? else { return Ok(()) };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(self.me.as_str()) {
                spec.holder_identity = None;
                spec.renew_time = Some(MicroTime((self.clock)()));
                self.api.replace(&self.name, &params(), &lease).await?;
            }
            Ok::<_, kube::Error>(())
        });
        match released.await {
            Ok(Ok(())) => tracing::info!("lease released"),
            Ok(Err(error)) => tracing::warn!("lease not released: {error}"),
            Err(_) => tracing::warn!("lease not released in {REQUEST:?}"),
        }
    }

    /// Whether we hold the lease now.
    async fn attempt(&self, seen: &mut Seen) -> kube::Result<bool> {
        // A holder knows the record: if not, its renewal is refused, and it reads again.
        if !seen.lease.as_ref().is_some_and(|lease| self.holds(lease)) {
            let found = self.api.get_opt(&self.name).await?;
            let version = found.as_ref().and_then(|lease| lease.metadata.resource_version.as_ref());
            if version != seen.version() || version.is_none() {
                *seen = Seen::now(found);
            }
        }
        let spec = seen.lease.as_ref().and_then(|lease| lease.spec.as_ref());
        let Step::Write(spec) = decide(spec, &self.me, seen.since.elapsed(), (self.clock)()) else {
            return Ok(false);
        };
        let written = match seen.lease.take() {
            Some(lease) => {
                let lease = Lease { spec: Some(spec), ..lease };
                self.api.replace(&self.name, &params(), &lease).await
            }
            None => self.api.create(&params(), &self.fresh(spec)).await,
        };
        match written {
            Ok(lease) => {
                *seen = Seen::now(Some(lease));
                Ok(true)
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn holds(&self, lease: &Lease) -> bool {
        lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_ref()) == Some(&self.me)
    }

    fn fresh(&self, spec: LeaseSpec) -> Lease {
        let metadata = ObjectMeta {
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            ..ObjectMeta::default()
        };
        Lease { metadata, spec: Some(spec) }
    }
}

fn params() -> PostParams {
    PostParams { field_manager: Some(names::MANAGER.into()), ..PostParams::default() }
}

/// What `me` does about a record that has not changed for `unchanged`.
fn decide(record: Option<&LeaseSpec>, me: &str, unchanged: Duration, now: Timestamp) -> Step {
    let before = record.cloned().unwrap_or_default();
    let holder = before.holder_identity.as_deref().filter(|holder| !holder.is_empty());
    let promised = u64::try_from(before.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
    let mine = holder == Some(me);
    if holder.is_some() && !mine && unchanged < Duration::from_secs(promised) {
        return Step::Wait;
    }
    let changes = before.lease_transitions.unwrap_or(0);
    Step::Write(LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
        renew_time: Some(MicroTime(now)),
        acquire_time: before.acquire_time.filter(|_| mine).or(Some(MicroTime(now))),
        lease_transitions: Some(if mine || record.is_none() { changes } else { changes.saturating_add(1) }),
        ..before
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_by(holder: &str) -> LeaseSpec {
        let now = MicroTime(Timestamp::UNIX_EPOCH);
        LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: Some(15),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: Some(4),
            ..LeaseSpec::default()
        }
    }

    fn written(step: Step) -> LeaseSpec {
        let Step::Write(spec) = step else { panic!("must write") };
        spec
    }

    const NOW: Timestamp = Timestamp::MAX;

    #[test]
    fn anothers_lease_is_taken_only_after_it_stood_still_for_its_duration() {
        let record = held_by("other");
        assert_eq!(decide(Some(&record), "me", Duration::from_secs(14), NOW), Step::Wait);
        let taken = written(decide(Some(&record), "me", Duration::from_secs(15), NOW));
        assert_eq!((taken.holder_identity.as_deref(), taken.lease_transitions), (Some("me"), Some(5)));
        assert_eq!(taken.acquire_time, Some(MicroTime(NOW)));
    }

    #[test]
    fn a_released_lease_is_taken_at_once() {
        for holder in [None, Some(String::new())] {
            let record = LeaseSpec { holder_identity: holder, ..held_by("") };
            assert_eq!(
                written(decide(Some(&record), "me", Duration::ZERO, NOW)).holder_identity.as_deref(),
                Some("me")
            );
        }
    }

    #[test]
    fn a_renewal_keeps_the_time_of_acquisition() {
        let renewed = written(decide(Some(&held_by("me")), "me", Duration::ZERO, NOW));
        assert_eq!(renewed.acquire_time, Some(MicroTime(Timestamp::UNIX_EPOCH)));
        assert_eq!((renewed.renew_time, renewed.lease_transitions), (Some(MicroTime(NOW)), Some(4)));
    }

    #[test]
    fn the_holder_stops_before_others_may_start_even_with_a_request_under_way() {
        assert!(RENEW_DEADLINE + REQUEST < DURATION);
    }
}
