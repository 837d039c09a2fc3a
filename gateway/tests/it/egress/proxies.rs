//! Proxies that the config names, and no others.

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::names::Names;
use super::secure::{Authority, Secure};
use super::{ALLOWED, ANSWER, Egress, started, told, with_egress};
use crate::directory::mount_delivery;
use crate::harness::model;
use crate::process::Process;
use crate::upstream::Upstream;

fn through(proxy: String, no_proxy: &[&str]) -> Egress {
    let no_proxy = no_proxy.iter().map(|text| (*text).to_owned()).collect();
    Egress { proxy: Some(proxy), no_proxy, ..Egress::default() }
}

#[tokio::test]
async fn plain_calls_go_through_the_proxy_which_looks_the_name_up() {
    // It is at a local address, which the gateway's settings may name.
    let proxy = Upstream::start().await;
    let egress = through(format!("http://127.0.0.1:{}", proxy.port()), &[]);
    let far = model("m", &["http://far.example/v1"]);
    let gateway = started(vec![far], egress, &Names::default()).await;
    let ((status, text), seen) = tokio::join!(told(&gateway), proxy.answer("200 OK", "", ANSWER));
    assert_eq!(status, 200, "{text}");
    let first = seen.head.lines().next().expect("a line");
    assert_eq!(first, "post http://far.example/v1/chat/completions http/1.1");
    assert!(seen.head.contains("\r\nhost: far.example\r\n"), "{}", seen.head);
}

#[tokio::test]
async fn what_no_proxy_names_is_called_without_it_and_guarded() {
    let (upstream, names) = (Upstream::start().await, Names::default());
    names.set("models.inside.example", &["127.0.0.1"]);
    let models = || vec![model("m", &[&format!("http://models.inside.example:{}/v1", upstream.port())])];
    // Nobody listens there.
    let egress = || through("http://127.0.0.1:1".into(), &["inside.example", "10.0.0.0/8"]);
    let gateway = started(models(), egress(), &names).await;
    let (status, text) = told(&gateway).await;
    assert!(status == 502 && text.contains("'models.inside.example' is at a local address"), "{text}");
    let allowed = Egress { local_addresses: ALLOWED.local_addresses, ..egress() };
    gateway.deliver(with_egress("r2", models(), allowed));
    gateway.wait_for("r2").await;
    let ((status, text), seen) = tokio::join!(told(&gateway), upstream.answer("200 OK", "", ANSWER));
    assert_eq!(status, 200, "{text}");
    assert!(seen.head.starts_with("post /v1/chat/completions http/1.1"), "{}", seen.head);
}

#[tokio::test]
async fn secure_calls_go_through_a_tunnel_and_the_provider_is_still_checked() {
    let authority = Authority::new();
    let (server, listener) = (Secure::start(&authority).await, TcpListener::bind("127.0.0.1:0").await);
    let listener = listener.expect("a port");
    let proxy = format!("http://{}", listener.local_addr().expect("an address"));
    let egress = Egress { ca_certificates: vec![authority.pem()], ..through(proxy, &[]) };
    let far = model("m", &["https://secure.example/v1"]);
    let gateway = started(vec![far], egress, &Names::default()).await;
    let tunnel = async {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(socket.read_buf(&mut head).await.expect("readable") > 0, "no whole head");
        }
        socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.expect("sent");
        let mut end = TcpStream::connect(server.address).await.expect("a connection");
        let passing = Box::pin(async move { copy_bidirectional(&mut socket, &mut end).await });
        (String::from_utf8(head).expect("text"), passing)
    };
    let asking = told(&gateway);
    tokio::pin!(asking);
    let (head, passing) = tokio::select! {
        tunnel = tunnel => tunnel,
        answer = &mut asking => panic!("answered without the proxy: {answer:?}"),
    };
    let (status, text) = tokio::select! {
        answer = &mut asking => answer,
        end = passing => panic!("the tunnel ended: {end:?}"),
    };
    assert_eq!(status, 200, "{text}");
    assert!(head.starts_with("CONNECT secure.example:443 HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("sk-upstream"), "the proxy sees no credential: {head}");
    assert_eq!(server.seen(), ["HTTP/2.0 secure.example"]);
}

#[tokio::test]
async fn the_proxies_of_the_environment_are_not_used() {
    let (place, upstream) = (TempDir::new().expect("a folder"), Upstream::start().await);
    let mount = place.path().join("config");
    std::fs::create_dir(&mount).expect("a folder");
    mount_delivery(&mount, 1, with_egress("", vec![model("m", &[&upstream.url()])], ALLOWED), "");
    let nobody = "http://127.0.0.1:1";
    let environment = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, nobody));
    let process = Process::start(place.path(), &environment);
    let ask = process.ask(r#"{"model":"m"}"#).send();
    let (answer, _) = tokio::join!(ask, upstream.answer("200 OK", "", ANSWER));
    assert_eq!(answer.expect("an answer").status(), 200);
    process.end();
}
