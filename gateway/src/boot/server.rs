//! Wires a gateway, serves it on two ports, and drains it. A source of config is a channel: a mounted
//! directory and `fairlead up` look the same from here.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use axum::Router;
use axum::serve::ListenerExt;
use config::Secret;
use limits::{Channel, Limiter, Redis, Source};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::{OnceCell, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{database, spending};
use crate::auth::Accounts;
use crate::egress::{Clients, Dns};
use crate::http;
use crate::pipeline::{Gateway, Lasting};
use crate::snapshot::{Change, Current, Feed, MasterKey};
use crate::spend::{Kept, SpoolOptions};

/// A start waits for Redis no longer than this.
const REDIS_STARTS: Duration = Duration::from_secs(2);

/// An end waits no longer until Redis has been told all.
const REDIS_ENDS: Duration = Duration::from_secs(5);

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// For clients. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// For the operator, probes and scrapers. Port 0 takes a free one.
    pub admin_listen: SocketAddr,
    /// For configs that name no master key.
    pub master_key: Option<Secret>,
    /// For what lasts. Without one, what needs it is refused.
    pub store: Option<Store>,
    /// For budgets and rate limits that pods share. Without one, each process counts by itself.
    pub redis: Option<RedisAt>,
    /// Where spend records wait for the store. Without one, none are made.
    pub spool: Option<SpoolOptions>,
    /// How long spend records are kept in the store; for ever if absent.
    pub keeps_spend: Option<Duration>,
    /// Where providers' and webhooks' names are looked up.
    pub dns: Dns,
    /// How long to go on accepting after shutdown began, while readiness already fails.
    pub drain_delay: Duration,
    /// How long to let running requests finish after that.
    pub drain_timeout: Duration,
}

/// A Redis or Redis Cluster.
#[derive(Clone, Debug)]
pub struct RedisAt {
    /// Has a password.
    pub url: Secret,
    /// Whose counters these are there: gateways with the same one share them.
    pub space: String,
    /// The longest that a request waits for it.
    pub patience: Duration,
}

/// A gateway with its ports taken, so that their addresses can be told before it serves.
#[derive(Debug)]
pub struct Server {
    gateway: Arc<Gateway>,
    pools: Clients,
    clients: TcpListener,
    admin: TcpListener,
    options: Options,
}

/// Binds and serves until `shutdown`, then drains. [`Server`] is the same in two steps.
///
/// # Errors
/// See [`Server::bind`] and [`Server::serve`].
pub async fn serve(
    options: Options,
    feed: watch::Receiver<Feed>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    Server::bind(options).await?.serve(feed, shutdown).await
}

impl Server {
    /// Checks the settings and takes the ports. Nothing is answered yet.
    ///
    /// # Errors
    /// A weak master key, a port that is taken, a spool that cannot be written.
    pub async fn bind(options: Options) -> anyhow::Result<Self> {
        let key = options.master_key.as_ref().map(MasterKey::new).transpose();
        let key = key.context("the master key (FAIRLEAD_MASTER_KEY) is refused")?;
        let pools = Clients::default();
        let gateway = Arc::new(Gateway::new(
            Current::new(key).resolving_by(options.dns.clone()),
            pools.clone(),
            unix_seconds,
            Lasting {
                store: options.store.clone(),
                spool: spending::spool(&options)?,
                accounts: accounts(&options)?,
                cooled: channel(&options, "cooled")?,
            },
            limiter(&options)?,
        ));
        let clients = bind(options.listen).await?;
        let admin = bind(options.admin_listen).await?;
        Ok(Self { gateway, pools, clients, admin, options })
    }

    /// Keys and whom they belong to, to be changed while it serves. `None` where there is no store.
    #[must_use]
    pub fn accounts(&self) -> Option<Accounts> {
        self.gateway.desk.accounts.clone()
    }

    /// Where clients are served.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn listen(&self) -> std::io::Result<SocketAddr> {
        self.clients.local_addr()
    }

    /// Where the operator, probes and scrapers are served.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn admin_listen(&self) -> std::io::Result<SocketAddr> {
        self.admin.local_addr()
    }

    /// Serves what `feed` brings until `shutdown` is cancelled, then drains: readiness fails at once, new
    /// requests are taken for the delay, running ones may finish until the timeout. The admin port is last.
    ///
    /// # Errors
    /// None yet.
    pub async fn serve(self, feed: watch::Receiver<Feed>, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { gateway, pools, clients, admin, options } = self;
        tracing::info!(listen = ?clients.local_addr().ok(), admin = ?admin.local_addr().ok(), "serving");
        let (stop_clients, stop_admin) = (CancellationToken::new(), CancellationToken::new());
        // Large, and held to the end.
        let ((begun, is_begun), redis) = (oneshot::channel(), OnceCell::const_new());
        let client_side = Box::pin(async {
            tokio::join!(spending::begun(is_begun), redis.get_or_init(|| meet_redis(&gateway)));
            run(clients, http::client_router(Arc::clone(&gateway)), stop_clients.clone()).await;
            // What providers still make for clients that have gone.
            gateway.finisher.idle().await;
        });
        let admin_side = async {
            redis.get_or_init(|| meet_redis(&gateway)).await;
            run(admin, http::admin_router(Arc::clone(&gateway)), stop_admin.clone()).await;
        };
        let reloading = stop_admin.run_until_cancelled(reload(&gateway, &pools, feed));
        let keeping = Box::pin(stop_admin.run_until_cancelled(keep(&gateway, options.keeps_spend)));
        let telling = Box::pin(tell(&gateway, &stop_admin, begun));
        let draining = async {
            shutdown.cancelled().await;
            drain(&gateway, options.drain_delay).await;
            stop_clients.cancel();
        };
        let clients_done = async {
            tokio::pin!(client_side);
            tokio::select! {
                () = &mut client_side => {}
                () = draining => {
                    if timeout(options.drain_timeout, &mut client_side).await.is_err() {
                        tracing::warn!(running = gateway.metrics.in_flight.get(), "drain timeout: requests are cut");
                    }
                }
            }
            gateway.finisher.stop().await;
            stop_admin.cancel();
        };
        let admin_done = async {
            tokio::pin!(admin_side);
            tokio::select! {
                () = &mut admin_side => {}
                // A caller that waits for a revision must not hold the process.
                () = async { stop_admin.cancelled().await; sleep(Duration::from_secs(1)).await } => {}
            }
        };
        tokio::join!(clients_done, admin_done, reloading, keeping, telling);
        leave_redis(&gateway).await;
        if let Some(store) = options.store {
            store.close().await;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Takes what still comes until load balancers have noticed.
async fn drain(gateway: &Gateway, delay: Duration) {
    gateway.drain();
    tracing::info!(?delay, "draining");
    sleep(delay).await;
}

/// Looks after what lasts, until it is dropped.
async fn keep(gateway: &Gateway, keeps_spend: Option<Duration>) {
    tokio::join!(
        database::keep(gateway),
        database::sweep(gateway),
        spending::keep_up(gateway, keeps_spend),
        follow(gateway),
        gateway.keep_company(),
    );
}

/// Tells others what is spent, until `stop`, and then to the end what it has begun.
async fn tell(gateway: &Gateway, stop: &CancellationToken, begun: oneshot::Sender<()>) {
    tokio::join!(spending::ship(gateway, stop, begun), gateway.keep_track(stop.clone()));
}

/// Takes in what other processes do with keys.
async fn follow(gateway: &Gateway) {
    if let Some(accounts) = &gateway.desk.accounts {
        accounts.follow(unix_seconds).await;
    }
}

/// The first requests shall not meet a connection that is still being made.
async fn meet_redis(gateway: &Gateway) {
    if !gateway.desk.limiter.wait(REDIS_STARTS).await {
        tracing::error!("Redis does not answer: requests are let in or not by each limit's failureMode");
    }
}

async fn leave_redis(gateway: &Gateway) {
    if !gateway.desk.limiter.settled(REDIS_ENDS).await {
        let (waiting, _) = gateway.desk.limiter.backlog();
        tracing::error!(waiting, "Redis was not told what the last requests came to");
    }
}

fn limiter(options: &Options) -> anyhow::Result<Limiter> {
    let Some(RedisAt { url, space, patience }) = &options.redis else { return Ok(Limiter::local()) };
    let kept = options.store.clone().filter(|_| options.spool.is_some());
    let source = kept.map(|store| Arc::new(Kept::new(store, space, unix_micros)) as Arc<dyn Source>);
    let text = std::str::from_utf8(url.expose()).unwrap_or_default();
    let redis =
        Redis::filled_from(source, text.trim(), space, *patience).context("FAIRLEAD_REDIS_URL is refused")?;
    Ok(Limiter::shared(redis))
}

fn accounts(options: &Options) -> anyhow::Result<Option<Accounts>> {
    let Some(store) = options.store.clone() else { return Ok(None) };
    Ok(Some(Accounts::new(store, channel(options, "accounts")?, unix_seconds())))
}

/// Where the pods of one gateway talk about `topic`, if they have a Redis.
fn channel(options: &Options, topic: &str) -> anyhow::Result<Option<Channel>> {
    let channel = options.redis.as_ref().map(|RedisAt { url, space, .. }| {
        let text = std::str::from_utf8(url.expose()).unwrap_or_default();
        Channel::new(text.trim(), space, topic).context("FAIRLEAD_REDIS_URL is refused")
    });
    channel.transpose()
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Serves one port until `stop`, and then what is still open. Errors of single connections end those only.
fn run(listener: TcpListener, router: Router, stop: CancellationToken) -> impl Future<Output = ()> {
    let listener = listener.tap_io(|stream| {
        // Frames are small, and each must go out when it comes.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
    });
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    async move {
        if let Err(error) = serving.into_future().await {
            tracing::error!(%error, "the listener has stopped");
        }
    }
}

/// Takes in what the source brings, until it is gone.
async fn reload(gateway: &Gateway, pools: &Clients, mut feed: watch::Receiver<Feed>) {
    loop {
        let seen = feed.borrow_and_update().clone();
        take(gateway, pools, &seen);
        if feed.changed().await.is_err() {
            return;
        }
    }
}

fn take(gateway: &Gateway, pools: &Clients, feed: &Feed) {
    let change = gateway.current.take(feed);
    let status = gateway.current.status().borrow().clone();
    match (change, gateway.current.load()) {
        (Change::Installed, Some(now)) => {
            gateway.health.keep(&now);
            pools.keep(now.ways());
            gateway.metrics.installed(&now.revision, i64::try_from(unix_seconds()).unwrap_or(i64::MAX));
            tracing::info!(revision = now.revision, models = now.models.len(), "config serves");
        }
        (Change::Rejected, _) => {
            // That there is none yet is a problem, but not a refusal.
            if status.rejected.is_some() {
                gateway.metrics.rejected();
            }
            tracing::warn!(problem = status.problem, rejected = status.rejected, "config not taken");
        }
        _ => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "boot is where the clock comes from")]
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[expect(clippy::disallowed_methods, reason = "boot is where the clock comes from")]
pub(super) fn unix_micros() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
