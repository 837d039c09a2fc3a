//! The limiter that the gateway holds: asks a backend, and knows what to do while it is away. What it admits is a lease,
//! which settles itself.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use jiff::Timestamp;
use scopeguard::ScopeGuard;

use crate::ask::{Ask, Part, Settled};
use crate::backend::{Away, Backend, Verdict};
use crate::count::{Count, Page, Source, Unread};
use crate::counter::{Counter, Level, WhenAway};
use crate::lease::Lease;
use crate::local::Local;
use crate::notice::{Claim, Notice};
use crate::redis::Redis;
use crate::roll::{Fullest, Group};
use crate::settler::Settler;
use crate::shares::Shares;

/// Admits requests and settles them. Clones are the same limiter.
#[derive(Clone, Debug)]
pub struct Limiter {
    pub(crate) keeper: Arc<Keeper>,
}

/// Who keeps the counters.
#[derive(Debug)]
pub(crate) enum Keeper {
    /// This process alone.
    Here(Arc<Local>),
    /// All pods together.
    Shared {
        redis: Arc<Redis>,
        /// What this pod has seen and let through, for counters that are estimated while Redis is away.
        seen: Arc<Local>,
        settler: Arc<Settler>,
        shares: Shares,
    },
}

/// Whether a request may go on.
#[derive(Debug)]
pub enum Admission {
    /// It may. Drop the lease when it has ended.
    Admitted(Lease),
    /// One counter has no room.
    Refused {
        /// Which of those that were asked.
        counter: Arc<Counter>,
        /// Its level, without this request.
        level: Level,
        /// See [`Verdict::Refused`].
        resets_at: Option<Timestamp>,
    },
    /// The backend does not answer, and a counter is not to be passed unchecked.
    Unchecked {
        /// The first such one.
        counter: Arc<Counter>,
        /// Why.
        away: Away,
    },
}

impl Limiter {
    /// Counters of this process.
    #[must_use]
    pub fn local() -> Self {
        Self { keeper: Arc::new(Keeper::Here(Arc::default())) }
    }

    /// Counters that pods share. In a Tokio runtime only.
    #[must_use]
    pub fn shared(redis: Redis) -> Self {
        let redis = Arc::new(redis);
        let settler = Arc::new(Settler::new(Arc::clone(&redis)));
        let seen = Arc::new(Local::new());
        let shares = Shares::new(Arc::clone(&redis), Arc::clone(&settler), Arc::clone(&seen));
        Self { keeper: Arc::new(Keeper::Shared { redis, seen, settler, shares }) }
    }

    /// Reserves what is asked for, if there is room for all of it.
    pub async fn admit(&self, ask: Ask) -> Admission {
        match &*self.keeper {
            Keeper::Here(local) => self.judge(local.reserve_now(&ask), ask),
            Keeper::Shared { redis, seen, settler, shares } => {
                if let Some((taken, levels)) = shares.take(&ask) {
                    return Admission::Admitted(Lease::of_shares(self.clone(), ask, levels, taken));
                }
                let was_sent = redis.answers();
                // Who hangs up meanwhile leaves nothing that Redis would hold until it expires.
                let asking = scopeguard::guard(ask, |ask| settler.push(Settled::nothing(ask)));
                let answer = redis.reserve(&asking).await;
                let ask = ScopeGuard::into_inner(asking);
                match answer {
                    Ok(verdict) => {
                        if let Verdict::Granted(levels) = &verdict {
                            seen.note(&ask, levels);
                            shares.note(&ask, levels);
                        }
                        self.judge(verdict, ask)
                    }
                    Err(away) => match unchecked(seen, &ask, away) {
                        Some(refused) => {
                            if was_sent {
                                settler.push(Settled::nothing(ask));
                            }
                            refused
                        }
                        None => Admission::Admitted(Lease::estimated(self.clone(), ask)),
                    },
                }
            }
        }
    }

    /// How full the counters are.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn levels(&self, counters: &[Arc<Counter>], now: Timestamp) -> Result<Vec<Level>, Away> {
        match &*self.keeper {
            Keeper::Here(local) => local.levels(counters, now).await,
            Keeper::Shared { redis, .. } => redis.levels(counters, now).await,
        }
    }

    /// Forgets what a counter has spent.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn reset(&self, counter: &Counter, now: Timestamp) -> Result<(), Away> {
        match &*self.keeper {
            Keeper::Here(local) => local.reset(counter, now).await,
            Keeper::Shared { redis, seen, .. } => {
                seen.reset(counter, now).await?;
                redis.reset(counter, now).await
            }
        }
    }

    /// Notes what members of a group have used; what has used nothing is no member.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn note(&self, group: &Group, seen: &[(&str, u64)], now: Timestamp) -> Result<(), Away> {
        match &*self.keeper {
            Keeper::Here(local) => {
                local.rolls.note(group, seen, now);
                Ok(())
            }
            Keeper::Shared { redis, .. } => redis.note(group, seen, now).await,
        }
    }

    /// The fullest of a group, at most so many of them. Full is what has used `full_at`.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn fullest(
        &self,
        group: &Group,
        full_at: u64,
        most: usize,
        now: Timestamp,
    ) -> Result<Fullest, Away> {
        match &*self.keeper {
            Keeper::Here(local) => Ok(local.rolls.fullest(group, full_at, most, now)),
            Keeper::Shared { redis, .. } => redis.fullest(group, full_at, most, now).await,
        }
    }

    /// Claims a notice, to tell it.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn claim(&self, notice: &Notice<'_>, now: Timestamp) -> Result<Claim, Away> {
        match &*self.keeper {
            Keeper::Here(local) => Ok(local.notices.claim(notice, now)),
            Keeper::Shared { redis, .. } => redis.claim(notice).await,
        }
    }

    /// A notice that was claimed is told, and nobody needs to tell it for so long.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn told(&self, name: &str, kept: Duration, now: Timestamp) -> Result<(), Away> {
        match &*self.keeper {
            Keeper::Here(local) => {
                local.notices.told(name, kept, now);
                Ok(())
            }
            Keeper::Shared { redis, .. } => redis.told(name, kept).await,
        }
    }

    /// If it was told, it needs not be told again for so long from now on.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn renew(&self, name: &str, kept: Duration, now: Timestamp) -> Result<(), Away> {
        match &*self.keeper {
            Keeper::Here(local) => {
                local.notices.renew(name, kept, now);
                Ok(())
            }
            Keeper::Shared { redis, .. } => redis.renew(name, kept).await,
        }
    }

    /// The last twenty entries of a board, the newest last.
    ///
    /// # Errors
    /// [`Away`].
    pub async fn board(&self, board: &str, now: Timestamp) -> Result<Vec<String>, Away> {
        match &*self.keeper {
            Keeper::Here(local) => Ok(local.notices.board(board, now)),
            Keeper::Shared { redis, .. } => redis.board(board).await,
        }
    }

    /// Takes in what was counted before this process, and says how many counts there were. Those in Redis take in their own.
    ///
    /// # Errors
    /// [`Unread`]: then none is taken.
    pub async fn fill(&self, source: &dyn Source) -> Result<usize, Unread> {
        let Keeper::Here(local) = &*self.keeper else { return Ok(0) };
        let pages: Vec<Page> = source.pages().try_collect().await?;
        let counts: Vec<Count> = pages.into_iter().flat_map(|page| page.counts).collect();
        let taken = counts.len();
        local.fill(counts);
        Ok(taken)
    }

    /// Whose counters they are in Redis, if they are there.
    pub(crate) fn space(&self) -> Option<&str> {
        match &*self.keeper {
            Keeper::Here(_) => None,
            Keeper::Shared { redis, .. } => Some(redis.space()),
        }
    }

    /// Whether pods count together.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(&*self.keeper, Keeper::Shared { .. })
    }

    /// Whether the counters answer. Those of one process always do.
    #[must_use]
    pub fn answers(&self) -> bool {
        match &*self.keeper {
            Keeper::Here(_) => true,
            Keeper::Shared { redis, .. } => redis.answers(),
        }
    }

    /// Waits until the counters answer, but not for longer than that; whether they do.
    pub async fn wait(&self, at_most: Duration) -> bool {
        match &*self.keeper {
            Keeper::Here(_) => true,
            Keeper::Shared { redis, .. } => redis.wait(at_most).await,
        }
    }

    /// Settlements that wait for Redis, and how many were given up because too many waited.
    #[must_use]
    pub fn backlog(&self) -> (usize, u64) {
        match &*self.keeper {
            Keeper::Here(_) => (0, 0),
            Keeper::Shared { settler, .. } => settler.backlog(),
        }
    }

    /// Waits until all that has ended is settled, but not for longer than that; whether it is.
    pub async fn settled(&self, at_most: Duration) -> bool {
        match &*self.keeper {
            Keeper::Here(_) => true,
            Keeper::Shared { settler, shares, .. } => {
                shares.close();
                settler.settled(at_most).await
            }
        }
    }

    fn judge(&self, verdict: Verdict, ask: Ask) -> Admission {
        match (refusal(&verdict, &ask), verdict) {
            (Some(refused), _) => refused,
            (None, Verdict::Granted(levels)) => Admission::Admitted(Lease::new(self.clone(), ask, levels)),
            // No backend refuses for a counter that it was not asked about.
            (None, Verdict::Refused { .. }) => Admission::Admitted(Lease::new(self.clone(), ask, Vec::new())),
        }
    }
}

/// Redis is away: each counter says what then. `None` if all let the request in.
fn unchecked(seen: &Local, ask: &Ask, away: Away) -> Option<Admission> {
    let is_closed = |part: &&Part| part.refuses() && part.counter.when_away() == WhenAway::FailClosed;
    if let Some(part) = ask.parts().iter().find(is_closed) {
        return Some(Admission::Unchecked { counter: Arc::clone(&part.counter), away });
    }
    let estimated = ask.estimated();
    refusal(&seen.reserve_now(&estimated), &estimated)
}

fn refusal(verdict: &Verdict, ask: &Ask) -> Option<Admission> {
    let Verdict::Refused { which, level, resets_at } = verdict else { return None };
    let counter = Arc::clone(ask.counter(*which)?);
    Some(Admission::Refused { counter, level: *level, resets_at: *resets_at })
}
