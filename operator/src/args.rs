//! The operator's settings, as flags and environment variables.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use clap::Parser;

/// Watches Fairlead's custom resources and keeps its gateways' config current.
#[derive(Clone, Debug, Parser)]
#[command(name = "fairlead-operator", version)]
pub struct Args {
    /// Namespaces whose objects are read, comma-separated. Empty: all of them (cluster scope).
    #[arg(long, env = "FAIRLEAD_WATCH_NAMESPACES", value_delimiter = ',')]
    pub watch_namespaces: Vec<String>,
    /// Namespaces where gateways and their pods may live, comma-separated. Empty: the operator's own.
    #[arg(long, env = "FAIRLEAD_GATEWAY_NAMESPACES", value_delimiter = ',')]
    pub gateway_namespaces: Vec<String>,
    /// The operator's own namespace: its lease is here.
    #[arg(long, env = "FAIRLEAD_NAMESPACE")]
    pub namespace: String,
    /// The operator's own name, which the lease shows while it leads.
    #[arg(long, env = "FAIRLEAD_POD_NAME")]
    pub pod_name: String,
    /// The lease that replicas compete for.
    #[arg(long, env = "FAIRLEAD_LEASE_NAME", default_value = "fairlead-operator")]
    pub lease_name: String,
    /// Where /healthz, /readyz and /metrics answer.
    #[arg(long, env = "FAIRLEAD_LISTEN", default_value = "0.0.0.0:8081")]
    pub listen: SocketAddr,
    /// The port of the gateway pods' admin endpoint.
    #[arg(long, env = "FAIRLEAD_GATEWAY_ADMIN_PORT", default_value_t = 4001)]
    pub gateway_admin_port: u16,
    /// What to log, as a `tracing` filter.
    #[arg(long, env = "FAIRLEAD_LOG", default_value = "info")]
    pub log: String,
}

/// Which namespaces are read and which hold gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// `None` is the whole cluster.
    pub watched: Option<BTreeSet<String>>,
    /// Never empty.
    pub gateways: BTreeSet<String>,
}

impl Args {
    /// The scope that the flags ask for. Gateways' namespaces are always read as well.
    pub(crate) fn scope(&self) -> Scope {
        let mut gateways = named(&self.gateway_namespaces);
        if gateways.is_empty() {
            gateways.insert(self.namespace.clone());
        }
        let mut watched = named(&self.watch_namespaces);
        if watched.is_empty() {
            return Scope { watched: None, gateways };
        }
        watched.extend(gateways.iter().cloned());
        Scope { watched: Some(watched), gateways }
    }
}

/// An empty environment variable reads as one empty name.
fn named(namespaces: &[String]) -> BTreeSet<String> {
    namespaces.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(extra: &[&str]) -> Scope {
        let base = ["fairlead-operator", "--namespace=ops", "--pod-name=op-0"];
        Args::parse_from(base.iter().chain(extra)).scope()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn without_flags_the_scope_is_the_cluster_and_gateways_live_beside_the_operator() {
        assert_eq!(scope(&["--watch-namespaces="]), Scope { watched: None, gateways: set(&["ops"]) });
    }

    #[test]
    fn gateways_namespaces_are_watched_too() {
        let scope = scope(&["--watch-namespaces=a,b", "--gateway-namespaces=gw"]);
        assert_eq!(scope, Scope { watched: Some(set(&["a", "b", "gw"])), gateways: set(&["gw"]) });
    }
}
