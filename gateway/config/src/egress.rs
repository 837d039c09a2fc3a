//! How a gateway reaches what it calls: providers, and the webhooks of alerts.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::is_local_url;

/// The longest that [`Egress::ca_certificates`] are together.
pub const MAX_CERTIFICATE_BYTES: usize = 256 << 10;

/// What holds for each connection that a gateway makes to a provider or a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Egress {
    /// Whether addresses may be called that belong to the gateway's own machine or its cloud.
    pub local_addresses: LocalAddresses,
    /// Where all calls go through: an `http`, `https`, `socks5` or `socks5h` URL without user info. Absent means none:
    /// what the process's environment says is never used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// What is called without the proxy: a domain with all below it, an IP address, a network as `10.0.0.0/8`, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_proxy: Vec<String>,
    /// Authorities that are trusted besides the system's, in PEM; each text may have several. They are public, so they
    /// may stand here. Together at most [`MAX_CERTIFICATE_BYTES`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_certificates: Vec<String>,
}

/// What becomes of calls to loopback, link-local, multicast and metadata addresses. Those of private networks are
/// others: services have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalAddresses {
    /// Nobody is called there.
    #[default]
    Refused,
    /// They are like any others.
    Allowed,
}

impl Egress {
    /// Whether the host of `url` may not be called, as far as its name tells.
    #[must_use]
    pub fn refuses(&self, url: &Url) -> bool {
        self.local_addresses == LocalAddresses::Refused && is_local_url(url)
    }

    /// Whether nothing was written for it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_the_default_and_only_what_was_written_is_rendered() {
        let read = |text| serde_json::from_str::<Egress>(text).unwrap();
        assert!(read("{}").is_default());
        let all =
            r#"{"local_addresses":"allowed","proxy":"http://p","no_proxy":["a"],"ca_certificates":["c"]}"#;
        assert_eq!(serde_json::to_string(&read(all)).unwrap(), all);
        assert_eq!(serde_json::to_string(&Egress::default()).unwrap(), r#"{"local_addresses":"refused"}"#);
        for text in [r#"{"proxy":"http://p"}"#, r#"{"no_proxy":["a"]}"#, r#"{"ca_certificates":["c"]}"#] {
            assert!(!read(text).is_default(), "{text}");
        }
    }
}
