//! How a gateway reaches what it calls, as far as that can be judged before a gateway does.

use config::{Egress, LocalAddresses, MAX_CERTIFICATE_BYTES};
use crds::EgressSpec;

use crate::upstream::{Fault, invalid};

const SCHEMES: [&str; 4] = ["http://", "https://", "socks5://", "socks5h://"];

pub(super) fn egress(spec: &EgressSpec) -> Result<Egress, Fault> {
    if let Some(proxy) = &spec.proxy {
        let place = SCHEMES.iter().find_map(|scheme| proxy.strip_prefix(scheme));
        let is_sound = |place: &str| {
            let place = place.strip_suffix('/').unwrap_or(place);
            !place.is_empty() && !place.contains(|c: char| c.is_whitespace() || "/@?#".contains(c))
        };
        if !place.is_some_and(is_sound) {
            // It may have a password.
            let shape = "an http, https, socks5 or socks5h URL without user and path";
            return Err(invalid(format!("egress.proxy is not {shape}, such as http://proxy.example:3128")));
        }
    }
    certificates(&spec.ca_certificates)?;
    Ok(Egress {
        local_addresses: match spec.local_addresses {
            crds::LocalAddresses::Refused => LocalAddresses::Refused,
            crds::LocalAddresses::Allowed => LocalAddresses::Allowed,
        },
        proxy: spec.proxy.clone(),
        no_proxy: spec.no_proxy.clone(),
        ca_certificates: spec.ca_certificates.clone(),
    })
}

/// A private key would be published in a ConfigMap.
fn certificates(texts: &[String]) -> Result<(), Fault> {
    let bytes: usize = texts.iter().map(String::len).sum();
    if bytes > MAX_CERTIFICATE_BYTES {
        return Err(invalid(format!(
            "egress.caCertificates have {bytes} bytes, more than {MAX_CERTIFICATE_BYTES}: give only what is needed"
        )));
    }
    for (place, text) in texts.iter().enumerate() {
        if text.contains("PRIVATE KEY") {
            return Err(invalid(format!("egress.caCertificates[{place}] has a private key: take it out")));
        }
        if !text.contains("-----BEGIN CERTIFICATE-----") {
            return Err(invalid(format!("egress.caCertificates[{place}] has no certificate in PEM")));
        }
    }
    Ok(())
}
