//! The settings of `fairlead-gateway`: each flag is an environment variable too.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use config::Secret;
use store::Store;

use super::{Options, Probe, RedisAt};
use crate::egress::Dns;
use crate::spend::SpoolOptions;

/// Serves OpenAI's API in front of every provider.
#[derive(Clone, Debug, Parser)]
#[command(name = "fairlead-gateway", version, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub task: Option<Task>,
    /// The mounted directory with the config.
    #[arg(long, env = "FAIRLEAD_CONFIG_DIR", default_value = "/etc/fairlead")]
    pub config_dir: PathBuf,
    /// For clients.
    #[arg(long, env = "FAIRLEAD_LISTEN", default_value = "0.0.0.0:4000")]
    pub listen: SocketAddr,
    /// For the operator, probes and scrapers.
    #[arg(long, env = "FAIRLEAD_ADMIN_LISTEN", default_value = "0.0.0.0:4001")]
    pub admin_listen: SocketAddr,
    /// For gateways whose config names no master key. Only from the environment: arguments can be read by
    /// every process of the machine.
    #[arg(skip = env_secret("FAIRLEAD_MASTER_KEY"))]
    pub master_key: Option<Secret>,
    /// A PostgreSQL database, shared by the gateways of a cluster. Only from the environment: it has a password.
    #[arg(skip = env_secret("FAIRLEAD_DATABASE_URL"))]
    pub database_url: Option<Secret>,
    /// A Redis or Redis Cluster, for budgets and rate limits that the gateways of a cluster share, and to tell each other
    /// of changed keys. Only from the environment: it may have a password.
    #[arg(skip = env_secret("FAIRLEAD_REDIS_URL"))]
    pub redis_url: Option<Secret>,
    /// Whose counters these are in Redis: gateways with the same name share them.
    #[arg(long, env = "FAIRLEAD_LIMITS_SPACE", default_value = "fairlead")]
    pub limits_space: String,
    /// The longest that a request waits for Redis; three waits in vain, and requests pass by each limit's failureMode.
    #[arg(long, env = "FAIRLEAD_REDIS_TIMEOUT", default_value = "50ms", value_parser = duration)]
    pub redis_timeout: Duration,
    /// Where spend records wait for the database. Used only where there is one; it must outlive the process.
    #[arg(long, env = "FAIRLEAD_SPOOL_DIR", default_value = "/var/lib/fairlead/spool")]
    pub spool_dir: PathBuf,
    /// How many bytes may wait there. Beyond them new requests are refused, so that none goes unaccounted.
    #[arg(long, env = "FAIRLEAD_SPOOL_BYTES", default_value_t = 1 << 30)]
    pub spool_bytes: u64,
    /// Sync the spool to the disk with each write: records then outlive a crash of the machine, not only of the process.
    #[arg(long, env = "FAIRLEAD_SPOOL_SYNC")]
    pub spool_sync: bool,
    /// How long the database keeps spend records, as in `90d`; sums by day stay. For ever if not set.
    #[arg(long, env = "FAIRLEAD_SPEND_RETENTION", value_parser = duration)]
    pub spend_retention: Option<Duration>,
    /// How long to go on accepting after SIGTERM, until load balancers have noticed.
    #[arg(long, env = "FAIRLEAD_DRAIN_DELAY", default_value = "5s", value_parser = duration)]
    pub drain_delay: Duration,
    /// How long to let running requests finish after that.
    #[arg(long, env = "FAIRLEAD_DRAIN_TIMEOUT", default_value = "50s", value_parser = duration)]
    pub drain_timeout: Duration,
    /// What to log, as in `info,gateway=debug`.
    #[arg(long, env = "FAIRLEAD_LOG", default_value = "info")]
    pub log: String,
}

/// What the binary can do besides serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Ask a URL once; the exit code tells whether it answered well.
    Probe(Probe),
}

impl Args {
    /// What a server needs of them.
    ///
    /// # Errors
    /// The database URL is none.
    pub fn options(&self) -> anyhow::Result<Options> {
        Ok(Options {
            listen: self.listen,
            admin_listen: self.admin_listen,
            master_key: self.master_key.clone(),
            store: self.database_url.as_ref().map(store_at).transpose()?,
            redis: self.redis_url.clone().map(|url| self.redis_at(url)),
            spool: Some(SpoolOptions {
                folder: self.spool_dir.clone(),
                bytes: self.spool_bytes,
                syncs: self.spool_sync,
            }),
            keeps_spend: self.spend_retention,
            dns: Dns::default(),
            drain_delay: self.drain_delay,
            drain_timeout: self.drain_timeout,
        })
    }
}

impl Args {
    fn redis_at(&self, url: Secret) -> RedisAt {
        RedisAt { url, space: self.limits_space.clone(), patience: self.redis_timeout }
    }
}

/// Not by clap, which could show it in a message. What is no text is refused later, not overlooked here.
fn env_secret(name: &str) -> Option<Secret> {
    Some(Secret::new(std::env::var_os(name)?.into_encoded_bytes()))
}

fn store_at(url: &Secret) -> anyhow::Result<Store> {
    let text = std::str::from_utf8(url.expose()).unwrap_or_default();
    Store::connect(text.trim()).context("FAIRLEAD_DATABASE_URL is refused")
}

/// `500ms`, `5s`, `2m`, `12h`, `90d`, or a bare number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("'{text}' is not a duration such as 5s"))?;
    match text.strip_prefix(digits).unwrap_or_default() {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        "d" => Ok(Duration::from_secs(number.saturating_mul(86_400))),
        unit => Err(format!("'{unit}' is not a unit: use ms, s, m, h or d")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("90d"), Ok(Duration::from_secs(90 * 24 * 3600)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert!(duration("soon").is_err() && duration("5w").is_err());
    }
}
