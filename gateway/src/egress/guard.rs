//! Keeps calls away from the gateway's own machine and its cloud's metadata, where people who write base URLs have no
//! business. Private networks are not local: services are there.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use config::{LocalAddresses, is_local_address};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Dns;

/// A name that has local addresses only. They are not told.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{host}' is at a local address, which this gateway does not call: egress.localAddresses of the ModelGateway allows it"
)]
pub(crate) struct LocalHost {
    host: String,
}

impl LocalHost {
    /// Whether this is why a call failed.
    pub(crate) fn cause(error: &reqwest::Error) -> Option<&Self> {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = cause {
            if let Some(local) = error.downcast_ref() {
                return Some(local);
            }
            cause = error.source();
        }
        None
    }
}

/// Looks names up and leaves out what is local.
#[derive(Debug)]
pub(super) struct Guard {
    dns: Dns,
    local_addresses: LocalAddresses,
    /// Whoever set up the gateway chose it, and it may run beside it.
    proxy_host: Option<String>,
}

impl Guard {
    pub(super) fn new(dns: Dns, local_addresses: LocalAddresses, proxy_host: Option<String>) -> Self {
        Self { dns, local_addresses, proxy_host }
    }

    fn lets_pass(&self, host: &str) -> bool {
        self.local_addresses == LocalAddresses::Allowed || self.proxy_host.as_deref() == Some(host)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (host, looking) = (name.as_str().to_owned(), self.dns.look_up(name.as_str()));
        let lets_pass = self.lets_pass(&host);
        Box::pin(async move {
            let found = looking.await?;
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            let kept = found.into_iter().filter(|address| lets_pass || !is_local_address(*address));
            let kept: Vec<_> = kept.map(|address| SocketAddr::new(address, 0)).collect();
            if kept.is_empty() {
                return Err(LocalHost { host }.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
