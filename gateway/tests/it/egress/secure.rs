//! A provider behind TLS, with a certificate of an authority that nobody else trusts.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::serve::Listener;
use futures::future::join_all;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::names::Names;
use super::{ALLOWED, ANSWER, Egress, started, told, with_egress};
use crate::harness::{model, within};

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// TLS of `secure.example`.
    fn config(&self, protocols: &[&str]) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["secure.example".to_owned()]).expect("a name");
        let leaf = params.signed_by(&key, &self.0).expect("a certificate");
        rustls::crypto::ring::default_provider().install_default().ok();
        let builder = ServerConfig::builder().with_no_client_auth();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut config = builder.with_single_cert(vec![leaf.der().clone()], key).expect("they match");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }
}

/// Answers everything. Dropped, it stops.
pub(crate) struct Secure {
    pub(crate) address: SocketAddr,
    connections: Arc<Mutex<usize>>,
    seen: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Secure {
    pub(crate) async fn start(authority: &Authority) -> Self {
        Self::speaking(authority, &["h2", "http/1.1"], 1).await
    }

    /// Offers these protocols, and answers when so many requests are there together.
    async fn speaking(authority: &Authority, protocols: &[&str], together: usize) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = tcp.local_addr().expect("an address");
        let (connections, seen) = (Arc::<Mutex<usize>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let tls = TlsAcceptor::from(Arc::new(authority.config(protocols)));
        let listener = Tls { tcp, tls, connections: Arc::clone(&connections) };
        let (log, barrier) = (Arc::clone(&seen), Arc::new(Barrier::new(together)));
        let router = Router::new().fallback(move |request: Request| {
            // HTTP/2 has the host in the URL.
            let host = request
                .uri()
                .host()
                .map(str::to_owned)
                .or_else(|| Some(request.headers().get("host")?.to_str().ok()?.to_owned()));
            let line = format!("{:?} {}", request.version(), host.unwrap_or_default());
            log.lock().expect("unpoisoned").push(line);
            let barrier = Arc::clone(&barrier);
            async move {
                // The first is alone, so that the others find a connection.
                if request.uri().query() != Some("alone") {
                    barrier.wait().await;
                }
                ([("content-type", "application/json")], ANSWER)
            }
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { address, connections, seen, _tasks: tasks }
    }

    /// The version and host of each request.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("unpoisoned").clone()
    }

    fn connections(&self) -> usize {
        *self.connections.lock().expect("unpoisoned")
    }

    fn url(&self) -> String {
        format!("https://secure.example:{}/v1", self.address.port())
    }
}

struct Tls {
    tcp: TcpListener,
    tls: TlsAcceptor,
    connections: Arc<Mutex<usize>>,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (socket, address) = self.tcp.accept().await.expect("a connection");
            *self.connections.lock().expect("unpoisoned") += 1;
            // Whoever does not trust it hangs up.
            if let Ok(stream) = self.tls.accept(socket).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

fn names() -> Names {
    let names = Names::default();
    names.set("secure.example", &["127.0.0.1"]);
    names
}

fn trusting(authorities: &[&Authority]) -> Egress {
    Egress { ca_certificates: authorities.iter().map(|authority| authority.pem()).collect(), ..ALLOWED }
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_config_names_it_and_while_it_does() {
    let (ours, other) = (Authority::new(), Authority::new());
    let server = Secure::start(&ours).await;
    let models = || vec![model("m", &[&server.url()])];
    let gateway = started(models(), trusting(&[]), &names()).await;
    let (status, text) = told(&gateway).await;
    assert!(status == 502 && text.contains("TLS failed"), "{status} {text}");
    for (revision, authorities, expected) in
        [("r2", vec![&other, &ours], 200), ("r3", vec![&other], 502), ("r4", vec![&ours], 200)]
    {
        gateway.deliver(with_egress(revision, models(), trusting(&authorities)));
        gateway.wait_for(revision).await;
        let (status, text) = told(&gateway).await;
        assert_eq!(status, expected, "{revision}: {text}");
    }
    assert_eq!(server.seen().len(), 2, "whoever is not trusted gets nothing");
}

#[tokio::test]
async fn where_http_2_is_offered_requests_share_one_connection() {
    let authority = Authority::new();
    let server = Secure::speaking(&authority, &["h2", "http/1.1"], 2).await;
    let models = |query: &str| vec![model("m", &[&format!("{}{query}", server.url())])];
    let gateway = started(models("?alone"), trusting(&[&authority]), &names()).await;
    assert_eq!(told(&gateway).await.0, 200);
    // Reloads close no connections.
    gateway.deliver(with_egress("r2", models(""), trusting(&[&authority])));
    gateway.wait_for("r2").await;
    let both = async { tokio::join!(told(&gateway), told(&gateway)) };
    let (one, two) = within("two at a time", both).await;
    assert_eq!((one.0, two.0), (200, 200), "{one:?} {two:?}");
    assert_eq!(server.connections(), 1);
    assert!(server.seen().iter().all(|seen| seen == "HTTP/2.0 secure.example"), "{:?}", server.seen());
}

#[tokio::test]
async fn more_calls_than_a_connection_may_have_share_several() {
    let authority = Authority::new();
    let server = Secure::speaking(&authority, &["h2"], 101).await;
    let models = |query: &str| vec![model("m", &[&format!("{}{query}", server.url())])];
    let gateway = started(models("?alone"), trusting(&[&authority]), &names()).await;
    assert_eq!(told(&gateway).await.0, 200);
    gateway.deliver(with_egress("r2", models(""), trusting(&[&authority])));
    gateway.wait_for("r2").await;
    let all = within("all at a time", join_all((0..101).map(|_| told(&gateway)))).await;
    assert!(all.iter().all(|(status, _)| *status == 200), "{all:?}");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn where_it_is_not_offered_http_1_is_spoken() {
    let authority = Authority::new();
    let server = Secure::speaking(&authority, &["http/1.1"], 2).await;
    let gateway = started(vec![model("m", &[&server.url()])], trusting(&[&authority]), &names()).await;
    let both = async { tokio::join!(told(&gateway), told(&gateway)) };
    let (one, two) = within("two at a time", both).await;
    assert_eq!((one.0, two.0), (200, 200), "{one:?} {two:?}");
    assert_eq!(server.connections(), 2, "each has a connection of its own");
    assert!(server.seen().iter().all(|seen| seen.starts_with("HTTP/1.1 ")), "{:?}", server.seen());
}
