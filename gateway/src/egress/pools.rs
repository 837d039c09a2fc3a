//! Pools of connections. They outlive reloads, but not for long: a connection goes on to the address that its name had
//! when it was made, so a pool makes way for a new one, and its connections end with the requests on them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Client, redirect};
use tokio::time::Instant;

use super::{Egress, Line};

/// How long a pool takes requests. What a name resolves to, and the system's authorities, are followed that fast.
const LIFE: Duration = Duration::from_secs(300);

/// A connection that nobody uses is closed after that.
const IDLE: Duration = Duration::from_secs(60);

/// So many HTTP/1 connections of one host may wait for requests. More are closed when they are free.
const IDLE_CONNECTIONS: usize = 256;

/// Servers of HTTP/2 let so many calls run on a connection, as RFC 9113 (5.1.2) recommends; more would wait for one of
/// them to end, which may take minutes here.
const CALLS: usize = 100;

/// A pool has no more lines. If all are full, calls wait as said.
const LINES: usize = 64;

/// How often a peer is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(10);

/// What connections are made by: those of one way are shared.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) egress: Arc<Egress>,
    /// For the TCP and TLS handshake.
    pub(crate) connect: Duration,
}

impl Way {
    fn name(&self) -> Name {
        (self.egress.digest, self.connect)
    }
}

/// Equal for ways that share connections.
type Name = ([u8; 32], Duration);

/// A pool for each way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(Arc<Mutex<HashMap<Name, Pool>>>);

#[derive(Debug)]
struct Pool {
    /// Never empty, but until the first is made.
    lines: Vec<Line>,
    until: Instant,
}

impl Clients {
    /// A line of the pool for `way`, which is made if there is none.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn get(&self, way: &Way) -> reqwest::Result<Line> {
        self.get_at(way, Instant::now())
    }

    fn get_at(&self, way: &Way, now: Instant) -> reqwest::Result<Line> {
        let name = way.name();
        let old = {
            let mut pools = self.lock();
            let pool = pools.entry(name).or_insert_with(|| Pool { lines: Vec::new(), until: now + LIFE });
            // What is made under the lock is shared by all who come at the same time.
            let line = pool.line(way)?;
            if now < pool.until {
                return Ok(line);
            }
            // Others go on with it while this one reads the system's authorities.
            pool.until = now + LIFE;
            line
        };
        match build(way) {
            Ok(client) => {
                let line = Line::new(client);
                if let Some(pool) = self.lock().get_mut(&name) {
                    pool.lines = vec![line.clone()];
                }
                Ok(line)
            }
            Err(error) => {
                tracing::warn!(%error, "a connection pool could not be made anew: the old one goes on");
                Ok(old)
            }
        }
    }

    /// Drops all pools but those for `ways`. Requests that are on them go on.
    pub(crate) fn keep(&self, ways: impl IntoIterator<Item = Way>) {
        let wanted: HashSet<_> = ways.into_iter().map(|way| way.name()).collect();
        self.lock().retain(|name, _| wanted.contains(name));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Pool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// The first line with room, so that few connections do all the work; if there is none, another.
    fn line(&mut self, way: &Way) -> reqwest::Result<Line> {
        if let Some(line) = self.lines.iter().find(|line| line.calls() < CALLS) {
            return Ok(line.clone());
        }
        match self.lines.iter().min_by_key(|line| line.calls()) {
            Some(line) if self.lines.len() >= LINES => Ok(line.clone()),
            _ => {
                let line = Line::new(build(way)?);
                self.lines.push(line.clone());
                Ok(line)
            }
        }
    }
}

/// HTTP/2 is spoken where a server offers it in the TLS handshake. A redirect would carry what is sent to a place that
/// nobody configured, so none is followed.
fn build(way: &Way) -> reqwest::Result<Client> {
    // Another provider may be in place already, and either will do.
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = || {
        let builder = Client::builder()
            .connect_timeout(way.connect)
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .tcp_keepalive(PING)
            .tcp_keepalive_interval(PONG)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_timeout(PONG)
            .http2_keep_alive_while_idle(true);
        way.egress.apply(builder)
    };
    let certificates = || way.egress.certificates.clone();
    builder().tls_certs_merge(certificates()).build().or_else(|error| {
        // An image without CA certificates can still reach plain HTTP upstreams.
        tracing::warn!(%error, "no CA certificates were found: only those of egress.caCertificates are trusted");
        builder().tls_certs_only(certificates()).build()
    })
}

#[cfg(test)]
mod tests;
