//! The way out of the process: who may be called and how. `egress/guard.rs` knows local addresses, `egress/dns.rs` looks
//! names up, `egress/pools.rs` keeps connections, `egress/line.rs` counts calls. What is said on them is for `providers` and `admission/posts.rs`.

mod dns;
mod guard;
mod line;
mod pools;

pub use dns::{Dns, LookUp};
pub(crate) use guard::LocalHost;
pub(crate) use line::{Call, Line};
pub(crate) use pools::{Clients, Way};

use std::sync::Arc;

use config::{LocalAddresses, MAX_CERTIFICATE_BYTES};
use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy, Url};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use guard::Guard;

/// The settings that connections are made by.
#[derive(Debug)]
pub(crate) struct Egress {
    /// Of the settings: equal settings share connections.
    digest: [u8; 32],
    local_addresses: LocalAddresses,
    proxy: Option<Proxy>,
    certificates: Vec<Certificate>,
    guard: Arc<Guard>,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EgressError {
    /// The URL is not shown: it may have a password.
    #[error("egress.proxy is no http, https, socks5 or socks5h URL without user info and path")]
    Proxy,
    #[error("the certificate {place} in egress.caCertificates cannot be read: give it in PEM")]
    Certificate { place: usize },
    #[error("the text {place} in egress.caCertificates has a private key: leave only certificates there")]
    PrivateKey { place: usize },
    #[error(
        "egress.caCertificates have {bytes} bytes, more than {MAX_CERTIFICATE_BYTES}: give only what is needed"
    )]
    TooLong { bytes: usize },
}

impl Egress {
    /// Reads the settings. `dns` looks names up.
    pub(crate) fn new(from: &config::Egress, dns: Dns) -> Result<Self, EgressError> {
        let proxy_url = from.proxy.as_deref().map(proxy_url).transpose()?;
        let proxy = proxy_url.as_ref().map(|url| proxy(url, &from.no_proxy)).transpose()?;
        let proxy_host = proxy_url.as_ref().and_then(Url::host_str).map(str::to_owned);
        Ok(Self {
            digest: digest(from),
            local_addresses: from.local_addresses,
            proxy,
            certificates: certificates(&from.ca_certificates)?,
            guard: Arc::new(Guard::new(dns, from.local_addresses, proxy_host)),
        })
    }

    /// Whether the host of `url` may not be called, as far as its name tells. What its name resolves to is seen when it
    /// is called.
    pub(crate) fn refuses(&self, url: &Url) -> bool {
        self.local_addresses == LocalAddresses::Refused && config::is_local_url(url)
    }

    /// Puts the settings into a client.
    fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        // Else the environment's proxies would be used.
        let builder = builder.no_proxy().dns_resolver(Arc::clone(&self.guard));
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    }
}

fn proxy_url(text: &str) -> Result<Url, EgressError> {
    let url = Url::parse(text).map_err(|_| EgressError::Proxy)?;
    let is_plain = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none();
    if is_plain { Ok(url) } else { Err(EgressError::Proxy) }
}

fn proxy(url: &Url, without: &[String]) -> Result<Proxy, EgressError> {
    let proxy = Proxy::all(url.clone()).map_err(|_| EgressError::Proxy)?;
    Ok(proxy.no_proxy(NoProxy::from_string(&without.join(","))))
}

/// Places are counted from 1, as people do.
fn certificates(texts: &[String]) -> Result<Vec<Certificate>, EgressError> {
    let bytes = texts.iter().map(String::len).sum();
    if bytes > MAX_CERTIFICATE_BYTES {
        return Err(EgressError::TooLong { bytes });
    }
    let (mut all, mut roots) = (Vec::new(), RootCertStore::empty());
    for (place, text) in (1..).zip(texts) {
        if text.contains("PRIVATE KEY-----") {
            return Err(EgressError::PrivateKey { place });
        }
        let unreadable = || EgressError::Certificate { place };
        let before = all.len();
        for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let der = der.map_err(|_| unreadable())?;
            all.push(Certificate::from_der(&der).map_err(|_| unreadable())?);
            // A client would refuse it too, but only when the first call is made.
            roots.add(der).map_err(|_| unreadable())?;
        }
        if all.len() == before {
            return Err(unreadable());
        }
    }
    Ok(all)
}

fn digest(from: &config::Egress) -> [u8; 32] {
    let config::Egress { local_addresses, proxy, no_proxy, ca_certificates } = from;
    let mut digest = Sha256::new();
    let mut list = |texts: &mut dyn Iterator<Item = &String>| {
        for text in texts {
            digest.update([1]);
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        }
        digest.update([0]);
    };
    list(&mut proxy.iter());
    list(&mut no_proxy.iter());
    list(&mut ca_certificates.iter());
    digest.update([u8::from(*local_addresses == LocalAddresses::Allowed)]);
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
