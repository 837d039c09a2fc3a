//! Counters that lose their data, and somebody who has kept what they counted.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::stream::{self, BoxStream, StreamExt};
use limits::{
    Admission, Ask, Backend, CalendarUnit, Count, Counter, Lease, Limiter, Page, Redis, ReservationId,
    Settlement, Source, Timestamp, Unit, Unread, Window,
};

use crate::away::Server;
use crate::place::{PATIENCE, SERVER};
use crate::setting::{TTL, counter, day, granted, level, minute, rolling, settle};

/// What was counted, and by whom.
#[derive(Debug, Default)]
struct Ledger(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    counts: Vec<Count>,
    settled: Vec<ReservationId>,
    is_away: bool,
}

impl Ledger {
    fn note(&self, counts: Vec<Count>, id: ReservationId) {
        let mut kept = self.0.lock().unwrap();
        kept.counts.extend(counts);
        kept.settled.push(id);
    }

    fn is_away(&self, is_away: bool) {
        self.0.lock().unwrap().is_away = is_away;
    }
}

impl Source for Ledger {
    fn pages(&self) -> BoxStream<'_, Result<Page, Unread>> {
        let kept = self.0.lock().unwrap();
        if kept.is_away {
            return stream::iter([Err(Unread("the test is away".into()))]).boxed();
        }
        // As a database has it: each place once.
        let mut sums = BTreeMap::<_, Count>::new();
        for count in &kept.counts {
            let sum = sums.entry((count.counter.clone(), count.window, count.slot));
            sum.and_modify(|sum| sum.amount += count.amount).or_insert_with(|| count.clone());
        }
        let counts = Page { counts: sums.into_values().collect(), ..Page::default() };
        stream::iter([Ok(counts), Ok(Page { settled: kept.settled.clone(), ..Page::default() })]).boxed()
    }
}

/// A place in the shared server that can lose all that it has.
struct Place {
    space: String,
    ledger: Arc<Ledger>,
}

impl Place {
    fn new() -> Self {
        Self { space: format!("lost-{:032x}", rand::random::<u128>()), ledger: Arc::default() }
    }

    fn redis(&self) -> Redis {
        let source: Arc<dyn Source> = Arc::<Ledger>::clone(&self.ledger);
        Redis::filled_from(Some(source), SERVER, &self.space, PATIENCE).unwrap()
    }

    async fn pod(&self) -> Redis {
        let redis = self.redis();
        assert!(redis.wait(PATIENCE).await, "no Redis at {SERVER}: run scripts/services up");
        redis
    }

    /// In one step, so that nobody meets half of it.
    fn loses_all(&self) {
        let script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end";
        cli(&["EVAL", script, "0", &format!("{{fairlead:{}}}*", self.space)]);
    }
}

fn cli(arguments: &[&str]) {
    let done = Command::new("redis-cli").args(["-u", SERVER]).args(arguments).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stdout));
}

fn ask(counter: &Arc<Counter>, estimate: u64) -> Ask {
    let now = Timestamp::now();
    Ask::new(ReservationId::new(now, rand::random()), vec![(Arc::clone(counter), estimate)], TTL)
}

async fn admitted(limiter: &Limiter, counter: &Arc<Counter>, estimate: u64) -> Lease {
    match limiter.admit(ask(counter, estimate)).await {
        Admission::Admitted(lease) => lease,
        other => panic!("{other:?}"),
    }
}

fn year() -> Window {
    Window::calendar(CalendarUnit::Year, "UTC", None).unwrap()
}

/// Lets a request through that counts so much, and has it kept.
async fn spend(limiter: &Limiter, ledger: &Ledger, counter: &Arc<Counter>, amount: u64) {
    let lease = admitted(limiter, counter, amount).await;
    let id = lease.reservation().unwrap_or_else(|| ReservationId::new(Timestamp::now(), 0));
    ledger.note(lease.counts(|_, _| amount), id);
    lease.settle(|_, _| amount, Timestamp::now());
    assert!(limiter.settled(PATIENCE).await);
}

async fn taken(limiter: &Limiter, counter: &Arc<Counter>) -> (u64, u64) {
    let levels = limiter.levels(&[Arc::clone(counter)], Timestamp::now()).await.unwrap();
    (levels[0].spent, levels[0].reserved)
}

/// Asks until the loss is seen and mended.
async fn mended(limiter: &Limiter, counter: &Arc<Counter>) -> (u64, u64) {
    drop(limiter.admit(ask(counter, 0)).await);
    assert!(limiter.wait(PATIENCE).await);
    assert!(limiter.settled(PATIENCE).await);
    taken(limiter, counter).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_has_lost_is_put_back() {
    let place = Place::new();
    let limiter = Limiter::shared(place.pod().await);
    let counters = [year(), rolling(3600), Window::Forever]
        .map(|window| counter(&format!("{window:?}"), Unit::NanoUsd, 100, window));
    for counter in &counters {
        spend(&limiter, &place.ledger, counter, 25).await;
        spend(&limiter, &place.ledger, counter, 40).await;
    }
    place.loses_all();
    for counter in &counters {
        assert_eq!(mended(&limiter, counter).await, (65, 0), "{counter:?}");
        let refused = limiter.admit(ask(counter, 36)).await;
        assert!(matches!(refused, Admission::Refused { level, .. } if level.spent == 65), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlements_around_the_loss_count_once() {
    let place = Place::new();
    let redis = place.pod().await;
    let usd = counter("usd", Unit::NanoUsd, 1000, year());
    let (kept, unkept, running) = (ask(&usd, 10), ask(&usd, 10), ask(&usd, 10));
    for one in [&kept, &unkept, &running] {
        granted(&redis, one).await;
    }
    settle(&redis, &kept, 1, Timestamp::now()).await;
    settle(&redis, &unkept, 20, Timestamp::now()).await;
    let lease = admitted(&Limiter::local(), &usd, 1).await;
    place.ledger.note(lease.counts(|_, _| 1), kept.id());
    place.loses_all();
    // Its answer was lost with the data, so each is told again.
    let deadline = Instant::now() + PATIENCE;
    for (one, actual) in [(&kept, 1), (&unkept, 20), (&running, 300)] {
        while redis.settle(&Settlement::new(one, |_, _| actual), Timestamp::now()).await.is_err() {
            assert!(Instant::now() < deadline, "it does not come back");
            redis.wait(Duration::from_millis(100)).await;
        }
    }
    assert_eq!(level(&redis, &usd, Timestamp::now()).await, (321, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_counts_as_away_until_what_was_counted_can_be_read() {
    let place = Place::new();
    let redis = place.pod().await;
    let usd = counter("usd", Unit::NanoUsd, 100, year());
    granted(&redis, &ask(&usd, 10)).await;
    place.ledger.is_away(true);
    place.loses_all();
    for _ in 0..3 {
        let told = redis.reserve(&ask(&usd, 1)).await.unwrap_err().to_string();
        assert!(told.contains("is being filled with what was counted"), "{told}");
    }
    assert!(!redis.answers() && !redis.wait(Duration::from_millis(200)).await);
    // Others meet the same.
    assert!(!place.redis().wait(Duration::from_millis(200)).await);
    place.ledger.is_away(false);
    assert!(redis.wait(PATIENCE).await);
    granted(&redis, &ask(&usd, 100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_find_the_loss_at_once_fill_once() {
    let place = Place::new();
    let pods = [place.pod().await, place.pod().await, place.pod().await].map(Limiter::shared);
    let usd = counter("usd", Unit::NanoUsd, 100, year());
    spend(&pods[0], &place.ledger, &usd, 25).await;
    for _ in 0..5 {
        place.loses_all();
        let found = futures::future::join_all(pods.iter().map(|pod| mended(pod, &usd))).await;
        assert_eq!(found, [(25, 0); 3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_empty_is_warm_at_once() {
    let server = Server::start();
    let redis = Redis::new(&server.url(), "first", PATIENCE).unwrap();
    assert!(redis.wait(PATIENCE).await);
    assert_eq!(server.cli(&["EXISTS", "{fairlead:first}:filling"]).trim(), "0", "the lock is given back");
    server.cli(&["FLUSHALL"]);
    let usd = counter("usd", Unit::NanoUsd, 100, year());
    redis.reserve(&ask(&usd, 1)).await.unwrap_err();
    assert!(redis.wait(PATIENCE).await);
    granted(&redis, &ask(&usd, 100)).await;
}

#[tokio::test]
async fn a_process_goes_on_from_what_was_kept() {
    let ledger = Ledger::default();
    let before = Limiter::local();
    let windows = [day(), rolling(86_400), Window::Forever];
    let counters = windows.map(|window| counter(&format!("{window:?}"), Unit::Tokens, 100, window));
    for counter in &counters {
        spend(&before, &ledger, counter, 30).await;
        spend(&before, &ledger, counter, 40).await;
    }
    let after = Limiter::local();
    ledger.is_away(true);
    after.fill(&ledger).await.unwrap_err();
    ledger.is_away(false);
    assert_eq!(after.fill(&ledger).await.unwrap(), 3);
    for counter in &counters {
        assert_eq!(taken(&after, counter).await, (70, 0), "{counter:?}");
        assert!(matches!(after.admit(ask(counter, 31)).await, Admission::Refused { .. }));
    }
}

#[tokio::test]
async fn only_what_is_worth_it_is_kept() {
    let limiter = Limiter::local();
    let kept = async |unit, window: Window, actual: u64| {
        let lease = admitted(&limiter, &counter("c", unit, 100, window), 1).await;
        let counts = lease.counts(|_, _| actual);
        lease.settle(|_, _| 0, Timestamp::now());
        counts.iter().map(|count| (count.amount, count.until.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(kept(Unit::NanoUsd, year(), 7).await, [(7, true)]);
    assert_eq!(kept(Unit::Requests, Window::Forever, 1).await, [(1, false)]);
    assert_eq!(kept(Unit::Requests, rolling(301), 1).await, [(1, true)]);
    assert_eq!(kept(Unit::NanoUsd, year(), 0).await, [], "nothing was used");
    assert_eq!(kept(Unit::Concurrency, Window::Forever, 1).await, [], "it is over");
    assert_eq!(kept(Unit::Tokens, minute(), 9).await, [], "it soon will be");
    assert_eq!(kept(Unit::Tokens, rolling(60), 9).await, []);
}
