//! Starts gateways, makes configs, and reads the access log.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use config::{
    Config, CredentialRef, Delivery, Deployment, Egress, Header, HttpUpstream, LocalAddresses, Model,
    ObjectName, Secret, Settings, Timeouts, Upstream,
};
use gateway::{Accounts, Dns, Feed, Options, RedisAt, Server, SpoolOptions, Store};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const KEY: &str = "sk-it-0f9a8b7c6d5e";
pub(crate) const UPSTREAM_KEY: &str = "sk-upstream-5ecret";

/// Where no one listens: a port that was free a moment ago could be another test's by now.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1/v1";

/// Each deployment is asked once, whatever it did before.
pub(crate) const PLAIN: config::Routing = config::Routing {
    strategy: config::Strategy::Weighted,
    session_affinity: config::SessionAffinity::Preferred,
    retries: config::Retries { attempts: 3, backoff_ms: 0, max_backoff_ms: 0, budget_percent: 20 },
    cooldown: config::Cooldown {
        failures: 0,
        failure_percent: 0,
        duration_ms: 5_000,
        max_duration_ms: 5_000,
    },
};

const PATIENT: Timeouts =
    Timeouts { connect_ms: 5000, first_byte_ms: 10_000, stream_idle_ms: 10_000, request_ms: 15_000 };

pub(crate) const LIMITS: config::Limits =
    config::Limits { request_body_bytes: 64 << 10, answer_bytes: 128 << 10, stream_event_bytes: 96 << 10 };

/// A running gateway; dropped, it stops.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) admin: String,
    pub(crate) address: SocketAddr,
    /// Where there is a store.
    pub(crate) accounts: Option<Accounts>,
    pub(crate) feed: watch::Sender<Feed>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
}

/// What a gateway is given.
#[derive(Default)]
pub(crate) struct Lasting {
    pub(crate) store: Option<Store>,
    pub(crate) spool: Option<SpoolOptions>,
    pub(crate) redis: Option<RedisAt>,
    pub(crate) dns: Dns,
}

impl Gateway {
    pub(crate) async fn start(models: Vec<Model>) -> Self {
        let feed = Feed { delivery: Some(Arc::new(delivery("r1", models))), problem: None };
        let gateway = Self::empty(watch::Sender::new(feed)).await;
        gateway.wait_for("r1").await;
        gateway
    }

    /// Without a config of its own: `feed` says what there is.
    pub(crate) async fn empty(feed: watch::Sender<Feed>) -> Self {
        let receiver = feed.subscribe();
        Self::on(feed, receiver, Duration::ZERO).await
    }

    /// With what lasts kept in `store`.
    pub(crate) async fn with_store(models: Vec<Model>, store: Option<Store>) -> Self {
        let feed = Feed { delivery: Some(Arc::new(delivery("r1", models))), problem: None };
        let feed = watch::Sender::new(feed);
        let receiver = feed.subscribe();
        let lasting = Lasting { store, ..Lasting::default() };
        let gateway = Self::run(feed, receiver, Duration::ZERO, lasting).await;
        gateway.wait_for("r1").await;
        gateway
    }

    /// With its counters in Redis, or in its own memory.
    pub(crate) async fn counting_in(redis: Option<RedisAt>, delivery: Delivery) -> Self {
        let revision = delivery.revision.clone();
        let feed = watch::Sender::new(Feed { delivery: Some(Arc::new(delivery)), problem: None });
        let receiver = feed.subscribe();
        let gateway =
            Self::run(feed, receiver, Duration::ZERO, Lasting { redis, ..Lasting::default() }).await;
        gateway.wait_for(&revision).await;
        gateway
    }

    /// With all that lasts; `feed` says what there is to serve.
    pub(crate) async fn lasting(feed: watch::Sender<Feed>, lasting: Lasting) -> Self {
        let receiver = feed.subscribe();
        Self::run(feed, receiver, Duration::ZERO, lasting).await
    }

    pub(crate) async fn on(
        feed: watch::Sender<Feed>,
        receiver: watch::Receiver<Feed>,
        drain_delay: Duration,
    ) -> Self {
        Self::run(feed, receiver, drain_delay, Lasting::default()).await
    }

    async fn run(
        feed: watch::Sender<Feed>,
        receiver: watch::Receiver<Feed>,
        drain_delay: Duration,
        lasting: Lasting,
    ) -> Self {
        access_log();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let drain_timeout = Duration::from_secs(10);
        let options = Options {
            listen: any,
            admin_listen: any,
            master_key: None,
            store: lasting.store,
            redis: lasting.redis,
            spool: lasting.spool,
            keeps_spend: None,
            dns: lasting.dns,
            drain_delay,
            drain_timeout,
        };
        let server = Server::bind(options).await.expect("binds");
        let address = server.listen().expect("an address");
        let admin = server.admin_listen().expect("an address");
        let accounts = server.accounts();
        let (shutdown, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let stop = shutdown.clone();
        tasks.spawn(async move { server.serve(receiver, stop).await.expect("serves") });
        Self {
            url: format!("http://{address}"),
            admin: format!("http://{admin}"),
            address,
            accounts,
            feed,
            shutdown,
            tasks,
        }
    }

    pub(crate) fn deliver(&self, delivery: Delivery) {
        self.feed.send_replace(Feed { delivery: Some(Arc::new(delivery)), problem: None });
    }

    /// What `/internal/config` says once `revision` serves or is rejected.
    pub(crate) async fn wait_for(&self, revision: &str) -> Value {
        let url = format!("{}/internal/config?waitFor={revision}&timeout=10", self.admin);
        let answer = client().get(url).send().await.expect("an answer");
        let status: Value = answer.json().await.expect("JSON");
        let named = status["revision"] == revision || status["rejected"] == revision;
        assert!(named, "{revision} did not come: {status}");
        status
    }

    pub(crate) fn chat(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        client().post(format!("{}/v1/chat/completions", self.url)).bearer_auth(KEY).body(body)
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        client().post(format!("{}{path}", self.url)).bearer_auth(KEY)
    }

    pub(crate) fn delete(&self, path: &str) -> reqwest::RequestBuilder {
        client().delete(format!("{}{path}", self.url)).bearer_auth(KEY)
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        client().get(format!("{}{path}", self.url)).bearer_auth(KEY)
    }
}

pub(crate) fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(30));
    client.build().expect("a client")
}

pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(15), work)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Asks until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    within(what, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

fn named(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn credential(id: &str) -> CredentialRef {
    CredentialRef { id: id.into(), version: "1".into() }
}

pub(crate) fn delivery(revision: &str, models: Vec<Model>) -> Delivery {
    let settings = Settings {
        master_key: Some(credential("master")),
        limits: LIMITS,
        timeouts: PATIENT,
        on_loss: config::OnLoss::Report,
        unknown_price: config::UnknownPrice::Allow,
        user_budgets: config::UserBudgets::AllKeys,
        routing: PLAIN,
        default_fallbacks: Vec::new(),
        // What stands in for providers listens on loopback.
        egress: Egress { local_addresses: LocalAddresses::Allowed, ..Egress::default() },
    };
    Delivery {
        revision: revision.into(),
        config: Config {
            gateway: named("it"),
            settings,
            models,
            budgets: Vec::new(),
            keys: Vec::new(),
            routes: Vec::new(),
        },
        credentials: BTreeMap::from([
            (credential("master").file(), Secret::new(format!("{KEY}\n").into_bytes())),
            (credential("up").file(), Secret::new(format!("{UPSTREAM_KEY}\n").into_bytes())),
        ]),
    }
}

/// A model with one deployment for each of `urls`, tried in this order.
pub(crate) fn model(name: &str, urls: &[&str]) -> Model {
    let deployments =
        urls.iter().enumerate().map(|(index, url)| deployment(&format!("d{index}"), index, url));
    Model {
        name: name.into(),
        aliases: Vec::new(),
        deployments: deployments.collect(),
        fallbacks: config::Fallbacks::default(),
    }
}

pub(crate) fn deployment(name: &str, priority: usize, url: &str) -> Deployment {
    let http = HttpUpstream {
        base_url: url.into(),
        dialects: vec![catalogue::Dialect::OpenaiChat],
        embeds: Some(catalogue::EmbeddingDialect::OpenaiEmbeddings),
        keeps_responses: false,
        auth: catalogue::Auth::Bearer,
        credential: Some(credential("up")),
        headers: vec![Header { name: "x-team".into(), value: "blue".into() }],
    };
    Deployment {
        id: named(name),
        uid: "u".into(),
        provider: "openai".into(),
        upstream_model: "up-model".into(),
        upstream: Upstream::Http(http),
        weight: 1,
        priority: priority.try_into().expect("few"),
        timeouts: PATIENT,
        on_loss: config::OnLoss::Report,
        pricing: config::Pricing::default(),
        quirks: catalogue::Quirks::default(),
        parameters: config::Parameters::default(),
        capacity: config::Capacity::default(),
    }
}

pub(crate) fn mock(name: &str) -> Model {
    let deployment =
        Deployment { upstream: Upstream::Mock, provider: "mock".into(), ..deployment("mock", 0, "") };
    Model {
        name: name.into(),
        aliases: vec![format!("alias/{name}")],
        deployments: vec![deployment],
        fallbacks: config::Fallbacks::default(),
    }
}

/// What every gateway of this process has logged so far.
pub(crate) fn access_log() -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    static LINES: OnceLock<Lines> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = gateway::telemetry::subscriber("debug", move || writer.clone()).expect("a filter");
        tracing::subscriber::set_global_default(subscriber).expect("the first");
        lines
    });
    String::from_utf8_lossy(&lines.0.lock().expect("unpoisoned")).into_owned()
}

/// The access log's line that has `sign`, once it is there.
pub(crate) async fn logged(sign: &str) -> Value {
    let find = || {
        access_log()
            .lines()
            .find(|line| line.contains("fairlead::access") && line.contains(sign))
            .map(str::to_owned)
    };
    until("a line in the access log", || async { find().is_some() }).await;
    serde_json::from_str(&find().expect("just seen")).expect("JSON")
}
