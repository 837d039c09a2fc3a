//! What is wrong with settings, and which are equal.

use super::*;

fn read(settings: &config::Egress) -> Result<Egress, String> {
    Egress::new(settings, Dns::default()).map_err(|error| error.to_string())
}

fn proxied(url: &str) -> config::Egress {
    config::Egress { proxy: Some(url.into()), ..config::Egress::default() }
}

#[test]
fn a_proxy_is_a_plain_url_and_is_not_shown_if_it_is_none() {
    for url in
        ["http://proxy:3128", "https://proxy.example/", "socks5://10.0.0.1:1080", "socks5h://[fd00::1]:1"]
    {
        read(&proxied(url)).expect(url);
    }
    for url in [
        "",
        "proxy:3128",
        "ftp://proxy",
        "http://user:hidden@proxy",
        "http://hidden@proxy",
        "http://proxy/path",
        "http://proxy?q=1",
        "socks5://",
    ] {
        let told = read(&proxied(url)).expect_err(url);
        assert!(told.starts_with("egress.proxy is no http") && !told.contains("hidden"), "{url}: {told}");
    }
}

#[test]
fn certificates_are_read_before_anything_serves() {
    let with = |texts: &[&str]| {
        let ca_certificates = texts.iter().map(|text| (*text).to_owned()).collect();
        config::Egress { ca_certificates, ..config::Egress::default() }
    };
    let good = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
    let (pem, key) = (good.cert.pem(), good.signing_key.serialize_pem());
    let two = format!("# ours\n{pem}\n{pem}");
    assert_eq!(read(&with(&[&pem, &two])).unwrap().certificates.len(), 3);
    for bad in ["", "MIIB", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"] {
        let told = read(&with(&[&pem, bad])).unwrap_err();
        assert_eq!(told, "the certificate 2 in egress.caCertificates cannot be read: give it in PEM");
    }
    let told = read(&with(&[&format!("{pem}{key}")])).unwrap_err();
    assert!(told.contains("has a private key"), "{told}");
    let long = "x".repeat(MAX_CERTIFICATE_BYTES);
    assert!(read(&with(&[&long, "x"])).unwrap_err().contains("have 262145 bytes"));
}

#[test]
fn settings_that_differ_anywhere_share_nothing() {
    let pem = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap().cert.pem();
    let plain = config::Egress::default();
    let lists = |no_proxy: &[&str]| config::Egress {
        no_proxy: no_proxy.iter().map(|text| (*text).to_owned()).collect(),
        ..plain.clone()
    };
    let all = [
        plain.clone(),
        config::Egress { local_addresses: LocalAddresses::Allowed, ..plain.clone() },
        proxied("http://a"),
        proxied("http://b"),
        lists(&["ab", "c"]),
        lists(&["a", "bc"]),
        config::Egress { ca_certificates: vec![pem], ..plain.clone() },
    ];
    let digests: std::collections::BTreeSet<_> = all.iter().map(|one| read(one).unwrap().digest).collect();
    assert_eq!(digests.len(), all.len());
    assert_eq!(read(&all[4]).unwrap().digest, read(&all[4]).unwrap().digest);
}
