//! The ledger: several gateways share a Redis and a PostgreSQL and hold one budget together under a crowd of clients, and
//! what they record is what the provider has billed, to the nano-dollar. Then the same while gateways are killed, Redis
//! restarts with and without its data and PostgreSQL goes away. One process on SQLite has
//! the same in `cli/tests/up/ledger.rs`, with the same clients and provider.
//!
//! `make soak` sets `FAIRLEAD_SOAK`, for more money and longer outages.

mod clients;
mod provider;
mod redis;

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use config::{Delivery, FailureMode, Key, KeyHash, Limit, OnExceed, Rates, Unit, Window};
use limits::Timestamp;
use store::{Cursor, SpendFilter, SpendRecord, Store};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::accounting::database::Database;
use crate::budgets::{budget, key};
use crate::directory::mount_delivery;
use crate::harness::{client, delivery, model, until};
use crate::process::Process;
use clients::{CALLER, Crowd};
use provider::{Entry, Provider};
use redis::RedisServer;

/// A dollar.
const DOLLAR: u64 = 1_000_000_000;

/// What a request reserves at most: its prompt by length, and the longest answer.
const RESERVED: i64 = 1_500_000;

fn is_soak() -> bool {
    std::env::var_os("FAIRLEAD_SOAK").is_some()
}

/// A model of the provider, and a caller with a budget of so many nano-dollars.
fn config(provider: &Provider, amount: u64) -> Delivery {
    let mut model = model("m", &[&provider.url]);
    // Dollars for a million tokens: 2.50 in, 10 out.
    let rates =
        Rates { input: Some(2_500_000_000_000), output: Some(10_000_000_000_000), ..Rates::default() };
    for deployment in &mut model.deployments {
        deployment.pricing.rates = rates;
        deployment.pricing.source = config::PriceSource::Inline;
    }
    let mut delivery = delivery("", vec![model]);
    let limit = Limit {
        name: "dollars".into(),
        unit: Unit::NanoUsd,
        amount,
        window: Window::Rolling { ms: 24 * 3600 * 1000 },
        on_exceed: OnExceed::Reject,
        soft: None,
        except: Vec::new(),
    };
    let mut budget = budget("crowd", vec![limit]);
    budget.reservation_ttl_ms = 10_000;
    // Who counts by itself while Redis is away may let in more.
    budget.failure_mode = FailureMode::FailClosed;
    delivery.config.budgets = vec![budget];
    let caller = Key { hashes: vec![KeyHash::of(CALLER.as_bytes())], ..key("crowd", "red") };
    delivery.config.keys = vec![caller];
    delivery
}

/// Gateways that may be killed and started again, each with a folder of its own.
struct Pods {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    running: Vec<Option<Process>>,
    crowd: Arc<Crowd>,
}

impl Pods {
    fn start(
        count: usize,
        delivery: impl Fn() -> Delivery,
        environment: Vec<(&'static str, String)>,
    ) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut pods = Self { folder, environment, running: Vec::new(), crowd: Arc::default() };
        for pod in 0..count {
            std::fs::create_dir_all(pods.place(pod).join("config")).expect("a folder");
            mount_delivery(&pods.place(pod).join("config"), 1, delivery(), "");
            pods.running.push(None);
            pods.run(pod);
        }
        pods
    }

    fn place(&self, pod: usize) -> std::path::PathBuf {
        self.folder.path().join(pod.to_string())
    }

    fn run(&mut self, pod: usize) {
        let environment: Vec<_> =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.running[pod] = Some(Process::start(&self.place(pod), &environment));
        self.tell();
    }

    fn kill(&mut self, pod: usize) {
        self.running[pod].take().expect("it runs").kill();
        self.tell();
    }

    fn tell(&self) {
        let urls = self.running.iter().flatten().map(|process| process.url.clone()).collect();
        *self.crowd.urls.lock().expect("unpoisoned") = urls;
    }

    /// What running requests hold, in dollars, as the first gateway tells it.
    async fn reserved(&self) -> f64 {
        let process = self.running.iter().flatten().next().expect("one runs");
        let told =
            client().get(format!("{}/internal/budgets", process.admin)).send().await.expect("an answer");
        let told: serde_json::Value = told.json().await.expect("JSON");
        let reserved = &told["budgets"][0]["limits"][0]["reserved"];
        let number = reserved.as_f64().or_else(|| reserved.as_str()?.parse().ok());
        number.unwrap_or_else(|| panic!("{told}"))
    }

    /// Ends all, which ships what they have spooled.
    fn end(self) {
        self.running.into_iter().flatten().for_each(Process::end);
    }
}

fn environment(database: &Database, redis: &RedisServer) -> Vec<(&'static str, String)> {
    vec![
        ("FAIRLEAD_DATABASE_URL", database.url.clone()),
        ("FAIRLEAD_REDIS_URL", redis.url()),
        // A machine that compiles at the same time is slow.
        ("FAIRLEAD_REDIS_TIMEOUT", "2s".into()),
    ]
}

/// By their users.
async fn records(store: &Store) -> HashMap<String, SpendRecord> {
    let mut all = HashMap::new();
    let mut after = None;
    loop {
        let page = store.spend_page(&SpendFilter::default(), after.as_ref(), 1000).await.expect("a page");
        let Some(last) = page.last() else { return all };
        after = Some(Cursor::at(last));
        for record in page {
            assert_eq!(record.attempt, 0, "no attempt fails: {record:?}");
            let customer = record.customer_id.clone().expect("a user");
            let twice = all.insert(customer, record);
            assert_eq!(twice, None, "recorded twice");
        }
    }
}

/// Each call of the provider has one record that says the same, but for those that a kill cut off: those are estimated.
/// What those were billed in all.
fn compare(records: &HashMap<String, SpendRecord>, ledger: &HashMap<String, Entry>) -> i64 {
    let mut killed = 0;
    for (user, entry) in ledger {
        let record = records.get(user).unwrap_or_else(|| panic!("{user} is lost"));
        assert_eq!(entry.calls, 1, "{user} was asked twice");
        if record.outcome == "killed" {
            killed += entry.cost_nano;
        } else {
            assert_eq!(record.cost_nano, Some(entry.cost_nano), "{user}: {record:?}");
        }
    }
    for (user, record) in records {
        assert!(ledger.contains_key(user) || record.outcome == "killed", "nobody was asked for {record:?}");
    }
    killed
}

fn total(ledger: &HashMap<String, Entry>) -> i64 {
    ledger.values().map(|entry| entry.cost_nano).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_gateways_hold_a_dollar_together_and_record_what_the_provider_bills() {
    let (provider, database, redis) = (Provider::start().await, Database::make().await, RedisServer::start());
    let store = database.store().await;
    let environment = environment(&database, &redis);
    let pods = Pods::start(3, || config(&provider, DOLLAR), environment);
    pods.crowd.may_end.store(true, Ordering::Relaxed);
    let answered = pods.crowd.ask(&client(), 200).await;
    until("nothing to be held", || async { pods.reserved().await == 0.0 }).await;
    pods.end();
    let ledger = provider.entries();
    let limit = i64::try_from(DOLLAR).expect("fits");
    assert!(total(&ledger) <= limit, "{} of {limit} nano-dollars", total(&ledger));
    assert!(total(&ledger) > limit - RESERVED, "{} of {limit} nano-dollars", total(&ledger));
    assert_eq!(answered, u64::try_from(ledger.len()).expect("few"), "whoever asked the provider answered");
    assert_eq!(compare(&records(&store).await, &ledger), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_counted_twice_while_everything_around_fails() {
    let (amount, away) = if is_soak() { (20 * DOLLAR, 60) } else { (3 * DOLLAR, 4) };
    let (provider, database) = (Provider::start().await, Database::make().await);
    let (store, mut redis) = (database.store().await, RedisServer::start());
    let environment = environment(&database, &redis);
    let mut pods = Pods::start(3, || config(&provider, amount), environment);
    let crowd = Arc::clone(&pods.crowd);
    let mut clients = JoinSet::new();
    clients.spawn(async move { crowd.ask(&client(), if is_soak() { 200 } else { 60 }).await });
    let pause = async |seconds: u64| tokio::time::sleep(Duration::from_secs(seconds)).await;
    let mut lost_at = Vec::new();
    for round in 0..3 {
        pause(1).await;
        pods.kill(round);
        pause(1).await;
        pods.run(round);
        redis.restart(redis::Data::Kept);
        pause(1).await;
        lost_at.push(Timestamp::now().as_microsecond());
        redis.restart(redis::Data::Lost);
        pause(1).await;
    }
    database.shut();
    pause(away).await;
    database.open();
    pods.crowd.may_end.store(true, Ordering::Relaxed);
    clients.join_all().await;
    // What a killed gateway held is free again when it expires.
    tokio::time::timeout(Duration::from_secs(30), async {
        while pods.reserved().await > 0.0 {
            pause(1).await;
        }
    })
    .await
    .expect("no reservation outlives its time");
    pods.end();
    let (ledger, records) = (provider.entries(), records(&store).await);
    let killed = compare(&records, &ledger);
    // Lost with Redis' data: what it had settled and the database had not, and what ran.
    let around = |record: &&SpendRecord| {
        let end = record.started_us + record.duration_us;
        lost_at.iter().any(|at| (*at - 3_000_000..*at + 3_000_000).contains(&end))
    };
    let unknown: i64 = records.values().filter(around).filter_map(|record| record.cost_nano).sum();
    let shares = 3 * i64::try_from(amount / 64).expect("fits");
    let limit = i64::try_from(amount).expect("fits");
    let bound = limit + killed + unknown + shares;
    let (total, of) = (total(&ledger), format!("{limit}, {killed} killed, {unknown} around losses"));
    assert!(total <= bound, "{total} nano-dollars of {of}");
    writeln!(std::io::stderr(), "{total} nano-dollars of {of}").expect("told");
}
