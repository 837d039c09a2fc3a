//! How a gateway reaches providers and webhooks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a gateway reaches what it calls: providers, and the webhooks of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EgressSpec {
    /// Whether names may lead to loopback, link-local, multicast and metadata addresses. Refused: they are not called.
    /// Allowed: like any others. Addresses of private networks are always called.
    #[serde(default)]
    pub local_addresses: LocalAddresses,
    /// Where all calls go through: an http, https, socks5 or socks5h URL without a user. Default: none; what the pod's
    /// environment says is never used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^(https?|socks5h?)://[^\s/@]+/?$"))]
    pub proxy: Option<String>,
    /// What is called without the proxy: a domain with all below it, an IP address, a network such as 10.0.0.0/8, or "*".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub no_proxy: Vec<String>,
    /// Authorities that are trusted besides the system's, in PEM. Each text may have several; at most 256 KiB together.
    /// Never a private key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 262_144)))]
    pub ca_certificates: Vec<String>,
}

/// What becomes of calls to loopback, link-local, multicast and metadata addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LocalAddresses {
    /// Nobody is called there.
    #[default]
    Refused,
    /// They are like any others.
    Allowed,
}
