//! How full budgets are: asks the gateways' pods every few seconds, and keeps what statuses show of it. What no pod
//! tells stays as it was. `usage/ask.rs` is the question, `usage/shown.rs` what a status shows of the answer;
//! `status/budgets/live.rs` puts it there.

pub(crate) mod alerts;
mod ask;
mod shown;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::ObjectName;
use futures::StreamExt as _;
use k8s_openapi::jiff::Timestamp;
use rand::seq::SliceRandom as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::leader::Context;
use ask::{Answer, Budget};
pub(crate) use shown::Shown;

/// Between two rounds of questions.
const PACE: Duration = Duration::from_secs(5);
/// Between two changes of one policy's numbers, so that a busy gateway does not keep the API server busy …
const SPACING: Duration = Duration::from_secs(5);
/// … and this long for each policy that there is: ten thousand are not written more often than ten a second.
const SPACING_EACH: Duration = Duration::from_millis(100);
/// Rounds take at most this share of the time.
const SHARE: u32 = 10;
/// Gateways asked at a time.
const CONCURRENT: usize = 4;

/// What was read last of each policy; clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readings(Arc<Mutex<BTreeMap<ObjectName, Reading>>>);

/// Of one policy.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    gateway: ObjectName,
    /// Tells an object from its successor of the same name.
    pub(crate) uid: String,
    pub(crate) shown: Shown,
    /// When it was told.
    pub(crate) at: Timestamp,
    changed: Instant,
}

/// When answers came.
#[derive(Clone, Copy, Debug)]
struct Moment {
    now: Instant,
    at: Timestamp,
}

impl Readings {
    /// Of one policy.
    pub(crate) fn of(&self, policy: &ObjectName) -> Option<Reading> {
        self.lock().get(policy).cloned()
    }

    /// Another replica leads.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Takes what a gateway's pods told; whether anything is to be shown that was not.
    fn take(&self, gateway: &ObjectName, budgets: Vec<Budget>, moment: Moment) -> bool {
        let mut all = self.lock();
        let told: BTreeMap<_, _> = budgets.into_iter().map(|budget| (budget.id.clone(), budget)).collect();
        all.retain(|name, reading| reading.gateway != *gateway || told.contains_key(name));
        let each = SPACING_EACH * u32::try_from(all.len()).unwrap_or(u32::MAX);
        let (spacing, mut is_news) = (SPACING.max(each), false);
        for (name, budget) in told {
            let shown = Shown::of(&budget);
            let may_change = all.get(&name).is_none_or(|before| {
                let is_due = moment.now >= before.changed + spacing || before.uid != budget.uid;
                before.shown != shown && (is_due || before.shown.is_less_urgent_than(&shown))
            });
            if may_change {
                let (gateway, Moment { now, at }) = (gateway.clone(), moment);
                all.insert(name, Reading { gateway, uid: budget.uid, shown, at, changed: now });
                is_news = true;
            }
        }
        is_news
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks until `stop`.
pub(crate) async fn run(context: Context, stop: CancellationToken) {
    loop {
        let started = Instant::now();
        if stop.run_until_cancelled(round(&context)).await.is_none() {
            return;
        }
        // Who takes long to tell is asked less often; and operators that started together do not ask together.
        let pause = PACE.max(started.elapsed() * SHARE).mul_f64(rand::random_range(0.8..1.2));
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// Asks each gateway that has budgets, once.
async fn round(context: &Context) {
    let asked = gateways(context).into_iter().map(|(gateway, pods)| async move {
        let answer = told_by(&context.http, pods).await;
        (gateway, answer)
    });
    let answers: Vec<_> = futures::stream::iter(asked).buffer_unordered(CONCURRENT).collect().await;
    let moment = Moment { now: Instant::now(), at: (context.clock)() };
    let mut is_news = false;
    for (gateway, answer) in answers {
        match answer {
            Some(budgets) => is_news |= context.readings.take(&gateway, budgets, moment),
            None => tracing::debug!(%gateway, "no pod tells how full its budgets are"),
        }
    }
    if is_news {
        context.board.update(|_| ());
    }
}

/// The gateways that have budgets, and where their Ready pods are, in any order.
fn gateways(context: &Context) -> Vec<(ObjectName, Vec<SocketAddr>)> {
    let board = context.board.lock();
    let lines = board.lines.iter().filter(|(_, line)| {
        line.progress.as_ref().is_some_and(|progress| !progress.config.budgets.is_empty())
    });
    let names: Vec<_> = lines.map(|(name, _)| name.clone()).collect();
    drop(board);
    let index = context.index.lock();
    let pods = |gateway: &ObjectName| {
        let own = index.pods.values().filter(|pod| pod.gateway == *gateway && pod.ready);
        let places =
            own.filter_map(|pod| Some(SocketAddr::new(pod.running.as_ref()?.ip, context.admin_port)));
        let mut places: Vec<_> = places.collect();
        places.shuffle(&mut rand::rng());
        places
    };
    names.into_iter().map(|name| (name.clone(), pods(&name))).collect()
}

/// What the pods of one gateway tell: one is enough where they count together, else it is the sum of all that answer.
async fn told_by(http: &reqwest::Client, pods: Vec<SocketAddr>) -> Option<Vec<Budget>> {
    let mut sum: Option<Vec<Budget>> = None;
    for pod in pods {
        match ask::ask(http, pod).await {
            Ok(Answer { shared: true, budgets }) => return Some(budgets),
            Ok(Answer { shared: false, budgets }) => match &mut sum {
                Some(sum) => ask::add(sum, budgets),
                None => sum = Some(budgets),
            },
            Err(reason) => tracing::debug!(%pod, reason, "a pod does not tell how full its budgets are"),
        }
    }
    sum
}

#[cfg(test)]
impl Reading {
    /// One that was just told.
    pub(crate) fn new(uid: &str, shown: Shown, at: Timestamp) -> Self {
        let gateway = ObjectName { namespace: "ai".into(), name: "main".into() };
        Self { gateway, uid: uid.into(), shown, at, changed: Instant::now() }
    }
}

#[cfg(test)]
mod tests;
