//! Addresses of a gateway's own machine and of its cloud, where people who write URLs have no business. Private networks
//! are not local: services are there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Url;

/// Clouds' metadata and platform services that no range below has: of Alibaba, Azure and Oracle.
///
/// Sources: alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata,
/// learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16, docs.oracle.com (classic metadata).
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

/// The same of AWS and Google: they lie in networks that are private otherwise.
///
/// Sources: docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html,
/// cloud.google.com/compute/docs/metadata/querying-metadata.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Whether the host of `url` is local by what is written there: no resolver is asked for an IP address, and what it says
/// of `localhost` does not matter. A URL has its addresses in one spelling, however they were written.
#[must_use]
pub fn is_local_url(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => is_local_address(address),
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// Whether `address` is of the machine itself, of its link, of its cloud or of nobody.
#[must_use]
pub fn is_local_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => is_local_v6(address) || embedded(address).is_some_and(is_local_v4),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    // All of 0/8 is this host; Linux takes 0.0.0.0 for loopback.
    address.octets().first() == Some(&0)
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || METADATA_V4.contains(&address)
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unicast_link_local()
        || address.is_multicast()
        || METADATA_V6.contains(&address)
}

/// The IPv4 address that packets for this one end at, on this host or behind a translator.
///
/// Sources: RFC 4291, 2.5.5 (compatible, mapped), RFC 2765 (translated), RFC 6052 and RFC 8215 (NAT64), RFC 3056 (6to4).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => last(high, low),
        _ => None,
    }
}
