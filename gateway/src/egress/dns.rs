//! Looks names up, anew for each connection: what moves is found at its new address by the next one.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

/// Whoever knows where names are.
pub trait LookUp: std::fmt::Debug + Send + Sync {
    /// All addresses of `host`, the best first.
    ///
    /// # Errors
    /// The name is unknown, or nobody answers.
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of a process: the system's, or another that tests bring.
#[derive(Clone, Debug)]
pub struct Dns(Arc<dyn LookUp>);

impl Dns {
    /// Names are asked of `resolver` instead of the system.
    #[must_use]
    pub fn of(resolver: impl LookUp + 'static) -> Self {
        Self(Arc::new(resolver))
    }

    pub(super) fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.0.look_up(host)
    }
}

impl Default for Dns {
    fn default() -> Self {
        Self::of(System)
    }
}

/// What `/etc/resolv.conf` and `/etc/hosts` say. It keeps nothing.
#[derive(Debug)]
struct System;

impl LookUp for System {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}
