//! How a gateway's pods stand: who serves what, seen from one moment. Pure.

use config::ObjectName;
use crds::{LaggingPod, PodState, PodsStatus};

use super::conditions::Verdict;
use crate::board::Heard;
use crate::index::PodView;
use crate::progress::Progress;

/// Lagging pods that a status names.
const NAMED: usize = 50;

/// The pods of one gateway.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// By Ready pod, the number of the publish that it serves, and its refusal of a later one.
    ready: Vec<(u64, Option<String>)>,
    /// Pods that are not Ready because they refused the config.
    refusals: Vec<String>,
    /// Pods that are not Ready because they have no config yet.
    waiting: usize,
    /// Those that do not serve the last publish.
    pub lagging: Vec<LaggingPod>,
}

/// How the pods stand to one publish.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    Yes(Verdict),
    /// It may be a matter of moments.
    NotYet(Verdict),
    /// A pod refused it.
    Refused(Verdict),
}

impl Standing {
    /// Of the pods with what they said; `None` for one that nobody asked yet.
    pub(crate) fn of<'a>(
        progress: &Progress,
        pods: impl Iterator<Item = (&'a ObjectName, &'a PodView, Option<&'a Heard>)>,
    ) -> Self {
        let mut standing = Self::default();
        for (name, pod, heard) in pods {
            let serves = heard.and_then(|heard| heard.serves.as_deref());
            let number = progress.number_of(serves);
            let trouble = heard.and_then(|heard| heard.trouble.as_ref());
            let refusal = trouble.filter(|(state, _)| *state == PodState::Rejected);
            let refusal = refusal.map(|(_, why)| format!("{} refused it: {why}", name.name));
            let waits = serves.is_none() && trouble.is_some_and(|(state, _)| *state == PodState::Lagging);
            match (pod.ready, refusal, pod.running.is_some()) {
                (true, refusal, _) => standing.ready.push((number, refusal)),
                (false, Some(refusal), true) => standing.refusals.push(refusal),
                (false, None, true) if waits => standing.waiting += 1,
                _ => continue,
            }
            if number < progress.current() {
                let (state, reason) = trouble.cloned().unwrap_or((PodState::Lagging, String::new()));
                standing.lagging.push(LaggingPod { name: name.name.clone(), state, reason });
            }
        }
        standing
    }

    /// Whether all Ready pods serve what was published as `number`.
    pub(crate) fn reached(&self, number: u64) -> Reached {
        let behind: Vec<_> = self.ready.iter().filter(|(serves, _)| *serves < number).collect();
        let refusal = behind.iter().find_map(|(_, refusal)| refusal.as_ref());
        if self.ready.is_empty() {
            return match self.refusals.first() {
                Some(refusal) => Reached::Refused(Verdict::no("PodRejectedConfig", refusal.clone())),
                None => Reached::NotYet(Verdict::no("NoReadyPods", "no pod of the gateway is Ready")),
            };
        }
        if let Some(refusal) = refusal {
            return Reached::Refused(Verdict::no("PodRejectedConfig", refusal.clone()));
        }
        if !behind.is_empty() {
            return Reached::NotYet(Verdict::no("PodsLagging", self.summary(number)));
        }
        Reached::Yes(Verdict::yes("AllPodsCurrent", self.summary(number)))
    }

    /// `2/2 pods current`.
    pub(super) fn summary(&self, number: u64) -> String {
        let current = self.ready.iter().filter(|(serves, _)| *serves >= number).count();
        format!("{current}/{} pods current", self.total())
    }

    /// For the status.
    pub(super) fn counts(&self) -> PodsStatus {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let (total, lagging) = (count(self.total()), count(self.lagging.len()));
        PodsStatus { total, current: total - lagging, lagging }
    }

    /// The first of the lagging pods, by name.
    pub(super) fn named(&self) -> Vec<LaggingPod> {
        self.lagging.iter().take(NAMED).cloned().collect()
    }

    /// The publish that all Ready pods serve at least; `None` if none is Ready.
    pub(crate) fn floor(&self) -> Option<u64> {
        self.ready.iter().map(|(serves, _)| *serves).min()
    }

    fn total(&self) -> usize {
        self.ready.len() + self.refusals.len() + self.waiting
    }
}
