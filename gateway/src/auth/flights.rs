//! Questions to the store that are under way: who asks the same at the same time gets the same answer, and only so many
//! are asked at once, so that a flood of unknown keys is none of the database.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::memory::Epoch;

/// Different questions that may wait. Beyond them there is no answer.
const WAITING: usize = 256;

/// A request does not wait longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// There is no answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unanswered;

type Answer<V> = Result<V, Unanswered>;
type Flight<V> = WeakShared<BoxFuture<'static, Answer<V>>>;

/// Questions about `K`.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    /// Since when: what was asked before something was forgotten is no answer for those who come after.
    running: Mutex<HashMap<K, (Epoch, Flight<V>)>>,
    permits: Arc<Semaphore>,
    patience: Duration,
}

impl<K, V> Flights<K, V>
where
    K: Eq + Hash,
    V: Clone + Send + Sync + 'static,
{
    /// So many are asked at once, and nobody waits longer than that.
    pub(super) fn new(at_once: usize, patience: Duration) -> Self {
        Self { running: Mutex::default(), permits: Arc::new(Semaphore::new(at_once)), patience }
    }

    /// The answer of `ask`, or of who asks the same.
    ///
    /// Dropping the future ends the question if nobody else waits for it.
    pub(super) async fn join<F>(&self, key: K, epoch: Epoch, ask: impl FnOnce() -> F + Send) -> Answer<V>
    where
        F: Future<Output = Answer<V>> + Send + 'static,
    {
        let Some(flight) = self.flight(key, epoch, ask) else { return Err(Unanswered) };
        flight.await
    }

    fn flight<F>(
        &self,
        key: K,
        epoch: Epoch,
        ask: impl FnOnce() -> F,
    ) -> Option<Shared<BoxFuture<'static, Answer<V>>>>
    where
        F: Future<Output = Answer<V>> + Send + 'static,
    {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let same = running.get(&key).filter(|(since, _)| *since == epoch);
        if let Some(flight) = same.and_then(|(_, flight)| flight.upgrade()) {
            return Some(flight);
        }
        if running.len() >= WAITING {
            running.retain(|_, (_, flight)| flight.upgrade().is_some_and(|flight| flight.peek().is_none()));
        }
        if running.len() >= WAITING {
            return None;
        }
        let (permits, patience, asked) = (Arc::clone(&self.permits), self.patience, ask());
        let work = async move {
            let asking = async {
                let _permit = permits.acquire().await.map_err(|_| Unanswered)?;
                asked.await
            };
            timeout(patience, asking).await.unwrap_or(Err(Unanswered))
        };
        let flight = work.boxed().shared();
        // It is not done yet, so it can be held weakly.
        if let Some(weak) = flight.downgrade() {
            running.insert(key, (epoch, weak));
        }
        Some(flight)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::super::memory::Memory;
    use super::*;

    /// Others go on meanwhile.
    async fn pause() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_same_is_asked_once_and_others_only_so_many_at_a_time() {
        let (flights, epoch) = (Flights::new(2, PATIENCE), Memory::<u32, u32>::new(1).epoch());
        let [asked, running, most]: [Arc<AtomicUsize>; 3] = Default::default();
        let ask = |key: u32| {
            let (asked, running, most) = (asked.clone(), running.clone(), most.clone());
            flights.join(key % 10, epoch, move || async move {
                asked.fetch_add(1, Ordering::SeqCst);
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                pause().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(key % 10)
            })
        };
        let answers = join_all((0..100).map(ask)).await;
        assert!(answers.iter().zip(0..).all(|(answer, key)| *answer == Ok(key % 10)));
        assert_eq!((asked.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (10, 2));
    }

    #[tokio::test]
    async fn who_waits_is_answered_though_the_first_has_gone() {
        let (flights, epoch) = (Flights::new(1, PATIENCE), Memory::<u32, u32>::new(1).epoch());
        let ask = || async {
            pause().await;
            Ok(7)
        };
        let mut first = Box::pin(flights.join(1, epoch, ask));
        assert!(futures::poll!(&mut first).is_pending());
        let second = flights.join(1, epoch, || async { Ok(8) });
        drop(first);
        assert_eq!(second.await, Ok(8), "nobody was left who waited for the first");
        let mut first = Box::pin(flights.join(2, epoch, ask));
        let mut second = Box::pin(flights.join(2, epoch, || async { Ok(8) }));
        assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await, Ok(7));
    }

    #[tokio::test]
    async fn what_was_asked_before_a_change_is_no_answer_after_it() {
        let (flights, memory) = (Flights::new(2, PATIENCE), Memory::<u32, u32>::new(1));
        let ask = |answer| {
            move || async move {
                pause().await;
                Ok(answer)
            }
        };
        let mut before = Box::pin(flights.join(1, memory.epoch(), ask("before")));
        assert!(futures::poll!(&mut before).is_pending());
        memory.forget_all();
        let after = flights.join(1, memory.epoch(), ask("after"));
        let (before, after) = tokio::join!(before, after);
        assert_eq!((before, after), (Ok("before"), Ok("after")));
    }

    #[tokio::test]
    async fn nobody_waits_for_ever_and_no_crowd_waits() {
        let (flights, epoch) =
            (Flights::<usize, ()>::new(1, Duration::from_millis(50)), Memory::<u32, u32>::new(1).epoch());
        let never = || std::future::pending::<Answer<()>>();
        let mut crowd: Vec<_> = (0..WAITING).map(|key| Box::pin(flights.join(key, epoch, never))).collect();
        for one in &mut crowd {
            assert!(futures::poll!(one).is_pending());
        }
        assert_eq!(flights.join(WAITING, epoch, never).await, Err(Unanswered), "at once");
        assert!(join_all(crowd).await.iter().all(|answer| *answer == Err(Unanswered)));
        let late = flights.join(WAITING, epoch, || async { Ok(()) });
        assert_eq!(late.await, Ok(()));
    }
}
