//! Which addresses are local, however they are written.

use std::collections::HashMap;
use std::net::IpAddr;

use config::is_local_url;
use futures::future::{BoxFuture, FutureExt};
use reqwest::Url;

use super::*;
use crate::egress::LookUp;

const LOCAL: [&str; 40] = [
    "http://127.0.0.1/v1",
    "http://127.255.255.254",
    "http://127.1",
    "http://0x7f.1",
    "http://0177.0.0.1",
    "http://2130706433",
    "http://0x7f000001:8080",
    "http://127.0.0.1.",
    "http://１２７.0.0.1",
    "http://%31%32%37.0.0.1",
    "http://0",
    "http://0.0.0.0:11434",
    "http://0.1.2.3",
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.170.2",
    "http://2852039166",
    "http://100.100.100.200",
    "http://168.63.129.16",
    "http://192.0.0.192",
    "http://224.0.0.1",
    "http://239.255.255.250",
    "http://255.255.255.255",
    "http://[::]",
    "http://[::1]:4000",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[fe80::1]",
    "http://[febf::1]",
    "http://[ff02::1]",
    "http://[fd00:ec2::254]",
    "http://[fd20:ce::254]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[::127.0.0.1]",
    "http://[::ffff:0:127.0.0.1]",
    "http://[64:ff9b::169.254.169.254]",
    "http://[64:ff9b:1::7f00:1]",
    "http://[2002:7f00:1::]",
    "https://localhost/v1",
    "https://LocalHost.:8443",
    "https://ollama.localhost",
];

const ELSEWHERE: [&str; 15] = [
    "https://api.openai.com/v1",
    "http://localhost.example",
    "http://notlocalhost",
    "http://10.0.0.1",
    "http://172.16.0.1",
    "http://192.168.1.1",
    "http://100.64.0.1",
    "http://128.0.0.1",
    "http://169.253.255.255",
    "http://[fc00::1]",
    "http://[fd00:ec2::253]",
    "http://[fec0::1]",
    "http://[::ffff:10.0.0.1]",
    "http://[64:ff9b::8.8.8.8]",
    "http://[2606:4700::1]",
];

#[test]
fn local_urls_are_found_in_any_spelling() {
    for text in LOCAL {
        assert!(is_local_url(&Url::parse(text).expect(text)), "{text} is local");
    }
    for text in ELSEWHERE {
        assert!(!is_local_url(&Url::parse(text).expect(text)), "{text} is not local");
    }
}

#[derive(Debug)]
struct Table(HashMap<&'static str, Vec<&'static str>>);

impl LookUp for Table {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let found = self.0.get(host).map(|texts| texts.iter().map(|text| text.parse().unwrap()).collect());
        async move { found.ok_or_else(|| io::Error::other("unknown")) }.boxed()
    }
}

async fn addresses(local_addresses: LocalAddresses, host: &str) -> Result<Vec<String>, String> {
    let dns = Dns::of(Table(HashMap::from([
        ("far", vec!["192.0.2.7", "2001:db8::7"]),
        ("mixed", vec!["127.0.0.1", "10.0.0.7", "fe80::1"]),
        ("near", vec!["169.254.169.254", "::1", "::ffff:127.0.0.1"]),
        ("proxy", vec!["127.0.0.1"]),
        ("empty", Vec::new()),
    ])));
    let guard = Guard::new(dns, local_addresses, Some("proxy".into()));
    let found = guard.resolve(host.parse().unwrap()).await.map_err(|error| error.to_string())?;
    Ok(found.map(|address| address.ip().to_string()).collect())
}

#[tokio::test]
async fn what_a_name_has_of_local_addresses_is_left_out() {
    let refused = async |host| addresses(LocalAddresses::Refused, host).await;
    assert_eq!(refused("far").await.unwrap(), ["192.0.2.7", "2001:db8::7"]);
    assert_eq!(refused("mixed").await.unwrap(), ["10.0.0.7"]);
    let told = refused("near").await.unwrap_err();
    assert_eq!(
        told,
        "'near' is at a local address, which this gateway does not call: egress.localAddresses of the \
         ModelGateway allows it"
    );
    assert_eq!(refused("proxy").await.unwrap(), ["127.0.0.1"], "a proxy may run beside the gateway");
    assert_eq!(refused("empty").await.unwrap_err(), "the name has no address");
    assert_eq!(refused("else").await.unwrap_err(), "unknown");
}

#[tokio::test]
async fn where_local_addresses_are_allowed_all_are_called() {
    let allowed = async |host| addresses(LocalAddresses::Allowed, host).await;
    assert_eq!(allowed("mixed").await.unwrap(), ["127.0.0.1", "10.0.0.7", "fe80::1"]);
    assert_eq!(allowed("near").await.unwrap().len(), 3);
}
