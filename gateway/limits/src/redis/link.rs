//! The connection, and what becomes of calls while there is none. A call does not wait for long. After three failures in a
//! row calls fail at once, and a task of ours, never a call, finds out when Redis answers again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterConfig;
use redis::cluster_async::ClusterConnection;
use redis::{Client, Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::address::{Address, Server};
use crate::backend::Away;

/// For a connection, and for a sign of life over a new one.
pub(super) const CONNECTING: Duration = Duration::from_secs(2);

/// Failures in a row after which Redis counts as away: one slow answer is not the end of it.
const FAILURES: u32 = 3;

/// Between two looks whether it answers again.
const PACE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Link {
    line: Arc<Line>,
    /// Ends with the link.
    _watcher: JoinSet<()>,
}

struct Line {
    server: Server,
    place: Arc<str>,
    patience: Duration,
    connection: ArcSwap<Connection>,
    failures: AtomicU32,
    answers: watch::Sender<bool>,
}

#[derive(Clone)]
enum Connection {
    One(ConnectionManager),
    Cluster(ClusterConnection),
    /// The client refuses to make one.
    Never(RedisError),
}

impl Link {
    pub(super) fn new(address: Address) -> Self {
        let connection = ArcSwap::from_pointee(Connection::new(&address.server, address.patience));
        let line = Arc::new(Line {
            server: address.server,
            place: address.place.into(),
            patience: address.patience,
            connection,
            failures: AtomicU32::new(0),
            answers: watch::Sender::new(false),
        });
        let mut watcher = JoinSet::new();
        watcher.spawn(watch(Arc::clone(&line)));
        Self { line, _watcher: watcher }
    }

    pub(super) fn answers(&self) -> bool {
        *self.line.answers.borrow()
    }

    pub(super) async fn wait(&self, at_most: Duration) -> bool {
        let mut answers = self.line.answers.subscribe();
        let answered = timeout(at_most, answers.wait_for(|answers| *answers)).await;
        matches!(answered, Ok(Ok(_)))
    }

    pub(super) async fn query(&self, cmd: &Cmd) -> RedisResult<Value> {
        let connection = self.open()?;
        self.noted(timeout(self.line.patience, connection.query(cmd)).await)
    }

    pub(super) async fn query_all(&self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        let connection = self.open()?;
        self.noted(timeout(self.line.patience, connection.query_all(pipeline)).await)
    }

    pub(super) fn away(&self, error: &RedisError) -> Away {
        let reason = match error.is_timeout() {
            true => "does not answer in time".into(),
            false => format!("does not answer: {error}").into(),
        };
        Away { place: Arc::clone(&self.line.place), reason }
    }

    /// It answers, and has lost its data.
    pub(super) fn lost(&self) -> Away {
        Away { place: Arc::clone(&self.line.place), reason: "is being filled with what was counted".into() }
    }

    pub(super) fn unreadable(&self) -> Away {
        let reason = "answers what is not of these counters: give the gateway a database of its own".into();
        Away { place: Arc::clone(&self.line.place), reason }
    }

    fn open(&self) -> RedisResult<Connection> {
        if !self.answers() {
            return Err((ErrorKind::Io, "waiting for it to come back").into());
        }
        Ok(Connection::clone(&self.line.connection.load()))
    }

    fn noted<T>(&self, answered: Result<RedisResult<T>, tokio::time::error::Elapsed>) -> RedisResult<T> {
        let answered =
            answered.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        match &answered {
            Ok(_) => self.line.failures.store(0, Ordering::Relaxed),
            // It is there, and does not have the script yet.
            Err(error) if is_unknown_script(error) => {}
            Err(error) => {
                let failures = self.line.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= FAILURES && self.line.answers.send_replace(false) {
                    tracing::warn!(place = &*self.line.place, %error, "limits are without Redis");
                }
            }
        }
        answered
    }
}

pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whenever Redis is away, looks until it answers.
async fn watch(line: Arc<Line>) {
    let mut answers = line.answers.subscribe();
    loop {
        if answers.wait_for(|answers| !answers).await.is_err() {
            return;
        }
        while !line.is_alive().await {
            // A connection that hangs would hang for long; a new one finds a server that is back, or another.
            line.connection.store(Arc::new(Connection::new(&line.server, line.patience)));
            sleep(PACE).await;
        }
        line.failures.store(0, Ordering::Relaxed);
        line.answers.send_replace(true);
        tracing::info!(place = &*line.place, "limits are kept in Redis");
    }
}

impl Line {
    async fn is_alive(&self) -> bool {
        let connection = Connection::clone(&self.connection.load());
        // A read that a server refuses while it loads its data, and that a cluster sends to one of its nodes.
        let mut look = redis::cmd("EXISTS");
        look.arg("{fairlead}");
        matches!(timeout(CONNECTING, connection.query(&look)).await, Ok(Ok(_)))
    }
}

impl Connection {
    /// It connects when it is used first.
    fn new(server: &Server, patience: Duration) -> Self {
        match server {
            Server::One(client) => {
                let config = ConnectionManagerConfig::new()
                    .set_number_of_retries(1)
                    .set_connection_timeout(Some(CONNECTING))
                    .set_response_timeout(Some(patience));
                ConnectionManager::new_lazy_with_config(Client::clone(client), config)
                    .map_or_else(Self::Never, Self::One)
            }
            Server::Cluster(client) => {
                Self::Cluster(client.get_pending_async_connection_with_config(ClusterConfig::new()))
            }
        }
    }

    async fn query(self, cmd: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(mut connection) => cmd.query_async(&mut connection).await,
            Self::Cluster(mut connection) => cmd.query_async(&mut connection).await,
            Self::Never(error) => Err(error),
        }
    }

    async fn query_all(self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        match self {
            Self::One(mut connection) => pipeline.query_async(&mut connection).await,
            Self::Cluster(mut connection) => pipeline.query_async(&mut connection).await,
            Self::Never(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("place", &self.place)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}
