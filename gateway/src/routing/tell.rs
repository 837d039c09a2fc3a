//! Pods tell each other which deployments they leave alone, so that each need not find out by itself. What is lost costs
//! a few calls that fail.

use std::sync::Arc;
use std::time::Duration;

use config::ObjectName;
use limits::Channel;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep, timeout};

use super::health::Health;
use crate::snapshot::Identity;

/// What waits to be told. More at once is an outage that everybody sees.
const WAITING: usize = 256;

/// A message takes no longer.
const TELLING: Duration = Duration::from_secs(1);

/// Before listening anew.
const PAUSE: Duration = Duration::from_secs(1);

/// No pod leaves one alone for longer because another said so.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A deployment that is left alone from now on.
#[derive(Debug)]
pub(crate) struct Cooled {
    pub(crate) identity: Identity,
    pub(crate) lasts: Duration,
}

/// On the wire. Clocks of pods differ, so it says how long and not until when.
#[derive(Debug, Serialize, Deserialize)]
struct Message<'a> {
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
    lasts_ms: u64,
    /// Who says so.
    from: u64,
}

/// Tells other pods, where there are any. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Teller(Option<mpsc::Sender<Cooled>>);

/// What [`Teller`] is told, and where others are.
#[derive(Debug)]
pub(crate) struct Told {
    channel: Channel,
    waiting: Mutex<mpsc::Receiver<Cooled>>,
    /// What it says itself comes back to it, and may be over by then.
    own: u64,
}

impl Teller {
    /// One who tells those on `channel`, once [`Told::run`] runs.
    pub(crate) fn new(channel: Channel) -> (Self, Arc<Told>) {
        let (sender, waiting) = mpsc::channel(WAITING);
        (Self(Some(sender)), Arc::new(Told { channel, waiting: Mutex::new(waiting), own: rand::random() }))
    }

    pub(super) fn tell(&self, cooled: Cooled) {
        if let Some(sender) = &self.0 {
            // With so many waiting, others find out by themselves.
            sender.try_send(cooled).ok();
        }
    }
}

impl Told {
    /// Tells others, and hears them, until it is dropped.
    pub(crate) async fn run(&self, health: &Health) {
        tokio::join!(self.say(), self.listen(health));
    }

    async fn say(&self) {
        let mut waiting = self.waiting.lock().await;
        while let Some(Cooled { identity, lasts }) = waiting.recv().await {
            let Identity { id, uid } = &identity;
            let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
            let message = Message { namespace: &id.namespace, name: &id.name, uid, lasts_ms, from: self.own };
            let Ok(text) = serde_json::to_string(&message) else { continue };
            match timeout(TELLING, self.channel.say(&text)).await {
                Ok(Ok(())) => {}
                Ok(Err(away)) => tracing::debug!(%away, "other pods are not told who is left alone"),
                Err(_) => tracing::debug!("other pods are not told in time who is left alone"),
            }
        }
    }

    async fn listen(&self, health: &Health) {
        loop {
            match self.channel.listen().await {
                Ok(mut listener) => {
                    while let Some(message) = listener.next().await {
                        hear(health, &message, self.own);
                    }
                }
                Err(away) => tracing::debug!(%away, "nobody tells who is left alone"),
            }
            sleep(PAUSE).await;
        }
    }
}

fn hear(health: &Health, text: &str, own: u64) {
    let Ok(Message { namespace, name, uid, lasts_ms, from }) = serde_json::from_str(text) else { return };
    if from == own {
        return;
    }
    let id = ObjectName { namespace: namespace.to_owned(), name: name.to_owned() };
    let lasts = Duration::from_millis(lasts_ms).min(LONGEST);
    health.of(&Identity { id, uid: uid.to_owned() }).cool(Instant::now() + lasts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::cooldown::Standing;

    #[tokio::test]
    async fn who_hears_it_leaves_it_alone_and_nonsense_changes_nothing() {
        let (health, id) = (Health::default(), ObjectName { namespace: "a".into(), name: "b".into() });
        let state = health.of(&Identity { id, uid: "1".into() });
        let says = |uid: &str, from: u64| {
            let lasts = u64::MAX;
            format!(r#"{{"namespace":"a","name":"b","uid":"{uid}","lasts_ms":{lasts},"from":{from}}}"#)
        };
        hear(&health, "{}", 7);
        hear(&health, &says("2", 8), 7);
        hear(&health, &says("1", 7), 7);
        assert_eq!(
            state.standing(Instant::now()),
            Standing::Stands,
            "another object, and what it said itself"
        );
        hear(&health, &says("1", 8), 7);
        let Standing::Cools(until) = state.standing(Instant::now()) else { panic!("it stands") };
        assert!(until <= Instant::now() + LONGEST);
    }
}
