//! Where Redis is.

use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::{Client, ConnectionInfo, IntoConnectionInfo, RedisError};

/// A client for it; none of them holds a connection yet.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) server: Server,
    /// For messages: without user and password.
    pub(super) place: String,
    /// The longest that a call waits.
    pub(super) patience: Duration,
}

pub(super) enum Server {
    One(Box<Client>),
    Cluster(Box<ClusterClient>),
}

/// Why a URL is none. It never shows the URL, which has a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not of the form.
    #[error("not a Redis URL: write redis://user:password@host:6379/0, or rediss:// for TLS ({0})")]
    Form(String),
    /// Nodes that cannot be of one cluster.
    #[error(
        "not the nodes of a Redis Cluster: all need the same user, password and TLS, and database 0 ({0})"
    )]
    Nodes(String),
}

const CLUSTER: &str = "cluster=true";

impl Address {
    pub(super) fn new(url: &str, patience: Duration) -> Result<Self, UrlError> {
        let nodes = url.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
        let place = place(&nodes);
        let is_cluster = nodes.len() > 1 || nodes.iter().any(|(_, is_cluster)| *is_cluster);
        let mut infos = nodes.into_iter().map(|(info, _)| info);
        let server = match (is_cluster, infos.next()) {
            (false, Some(info)) => {
                Server::One(Box::new(Client::open(info).map_err(|error| UrlError::Form(kind(&error)))?))
            }
            (_, first) => Server::Cluster(Box::new(cluster(first.into_iter().chain(infos), patience)?)),
        };
        Ok(Self { server, place, patience })
    }
}

/// Each node of it by itself, and all of them for messages.
pub(super) fn nodes(url: &str) -> Result<(Vec<Client>, String), UrlError> {
    let nodes = url.split(',').map(node).collect::<Result<Vec<_>, _>>()?;
    let place = place(&nodes);
    let clients = nodes.into_iter().map(|(info, _)| Client::open(info));
    let clients = clients.collect::<Result<_, _>>().map_err(|error| UrlError::Form(kind(&error)))?;
    Ok((clients, place))
}

fn place(nodes: &[(ConnectionInfo, bool)]) -> String {
    let places: Vec<_> = nodes.iter().map(|(info, _)| info.addr().to_string()).collect();
    format!("Redis at {}", places.join(", "))
}

fn cluster(
    nodes: impl Iterator<Item = ConnectionInfo>,
    patience: Duration,
) -> Result<ClusterClient, UrlError> {
    let client = ClusterClient::builder(nodes)
        .connection_timeout(super::link::CONNECTING)
        .response_timeout(patience)
        .retries(1)
        .build();
    client.map_err(|error| UrlError::Nodes(kind(&error)))
}

/// And whether it says that it is of a cluster.
fn node(url: &str) -> Result<(ConnectionInfo, bool), UrlError> {
    let url = url.trim();
    let (bare, query) = url.split_once('?').unwrap_or((url, ""));
    let (ours, theirs): (Vec<_>, Vec<_>) = query.split('&').partition(|pair| *pair == CLUSTER);
    let theirs = theirs.join("&");
    let url = if theirs.is_empty() { bare.to_owned() } else { format!("{bare}?{theirs}") };
    Ok((url.into_connection_info().map_err(|error| UrlError::Form(kind(&error)))?, !ours.is_empty()))
}

/// Its text could show the URL.
fn kind(error: &RedisError) -> String {
    format!("{:?}", error.kind())
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::One(_) => "One",
            Self::Cluster(_) => "Cluster",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> (String, String) {
        let address = Address::new(url, Duration::ZERO).unwrap_or_else(|error| panic!("{url}: {error}"));
        (address.place, format!("{:?}", address.server))
    }

    #[test]
    fn one_server_several_nodes_and_a_cluster_behind_one_name() {
        let one = place("redis://user:s3cret@redis.local:7000/2");
        assert_eq!(one, ("Redis at redis.local:7000".into(), "One".into()));
        let nodes = place("redis://:s3cret@a:1, redis://:s3cret@b:2");
        assert_eq!(nodes, ("Redis at a:1, b:2".into(), "Cluster".into()));
        let named = place("redis://a?protocol=resp3&cluster=true");
        assert_eq!(named, ("Redis at a:6379".into(), "Cluster".into()));
        assert_eq!(place("rediss://a:1").1, "One");
    }

    #[test]
    fn a_refusal_tells_the_way_out_and_no_password() {
        for url in
            ["http://user:s3cret@a", "redis://user:s3cret@a:port", "", "redis://:s3cret@a,redis://:other@b"]
        {
            let error =
                Address::new(url, Duration::ZERO).map(|address| address.place).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
            assert!(error.contains("redis://") || error.contains("same user"), "{error}");
        }
    }
}
