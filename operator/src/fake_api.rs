//! An API server of ConfigMaps, Secrets and VirtualKeys in memory, for tests: it keeps what is written, in order,
//! refuses stale versions, and can die after so many writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Json, Router};
use kube::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type Key = (String, String);

/// The server; clones share.
#[derive(Clone, Default)]
pub(crate) struct FakeApi(Arc<Mutex<Objects>>);

#[derive(Default)]
struct Objects {
    objects: BTreeMap<Key, Value>,
    version: u64,
    writes: Vec<String>,
    dies_after: Option<usize>,
    /// Aborted with the last clone.
    servers: JoinSet<()>,
}

impl FakeApi {
    /// Serves until the test ends.
    pub(crate) async fn client(&self) -> Client {
        drop(rustls::crypto::ring::default_provider().install_default());
        let routes = Router::new()
            .route("/api/v1/namespaces/{namespace}/{kind}", any(collection))
            .route("/api/v1/namespaces/{namespace}/{kind}/{name}", any(object))
            .route("/apis/fairlead.dev/v1alpha1/namespaces/{namespace}/{kind}/{name}", any(object))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async move { axum::serve(listener, routes).await.unwrap() };
        self.0.lock().unwrap().servers.spawn(serve);
        Client::try_from(kube::Config::new(format!("http://{address}").parse().unwrap())).unwrap()
    }

    /// What was written since the last call, as `verb name`, in order.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().writes)
    }

    /// From now on it dies after so many writes.
    pub(crate) fn die_after(&self, writes: Option<usize>) {
        self.0.lock().unwrap().dies_after = writes;
    }

    /// Writes as somebody else would.
    pub(crate) fn put(&self, kind: &str, name: &str, mut object: Value) {
        let mut state = self.0.lock().unwrap();
        state.version += 1;
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        object["metadata"]["name"] = json!(name);
        state.objects.insert((kind.into(), name.into()), object);
    }

    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.0.lock().unwrap().objects.get(&(kind.into(), name.into())).cloned()
    }
}

async fn collection(
    State(api): State<FakeApi>,
    Path((_, kind)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Response {
    let name = body["metadata"]["name"].as_str().unwrap().to_owned();
    write(&api, (kind, name), body, "create")
}

async fn object(
    State(api): State<FakeApi>,
    Path((_, kind, name)): Path<(String, String, String)>,
    method: Method,
    body: String,
) -> Response {
    if method == Method::GET {
        return api
            .get(&kind, &name)
            .map_or_else(|| failure(StatusCode::NOT_FOUND), |found| Json(found).into_response());
    }
    let body = serde_json::from_str(&body).unwrap();
    if method == Method::PATCH {
        patch(&api, (kind, name), body)
    } else {
        write(&api, (kind, name), body, "replace")
    }
}

/// A merge patch. An apply is one, too, as far as these tests go.
fn patch(api: &FakeApi, key: Key, body: Value) -> Response {
    let Some(mut object) = api.get(&key.0, &key.1) else { return failure(StatusCode::NOT_FOUND) };
    let uid = &body["metadata"]["uid"];
    if !uid.is_null() && *uid != object["metadata"]["uid"] {
        return failure(StatusCode::CONFLICT);
    }
    merge(&mut object, body);
    write(api, key, object, "patch")
}

fn merge(into: &mut Value, from: Value) {
    let Value::Object(fields) = from else { return *into = from };
    for (name, value) in fields {
        if value.is_null() {
            into.as_object_mut().map(|into| into.remove(&name));
        } else {
            if !into[&name].is_object() && value.is_object() {
                into[&name] = json!({});
            }
            merge(&mut into[&name], value);
        }
    }
}

fn write(api: &FakeApi, key: Key, mut body: Value, verb: &str) -> Response {
    let mut state = api.0.lock().unwrap();
    if let Some(left) = &mut state.dies_after {
        if *left == 0 {
            // Not 503: the client would try that again by itself.
            return failure(StatusCode::INTERNAL_SERVER_ERROR);
        }
        *left -= 1;
    }
    let known = state.objects.get(&key).map(|object| object["metadata"]["resourceVersion"].clone());
    match (verb, known) {
        ("create", Some(_)) => return failure(StatusCode::CONFLICT),
        ("replace", None) => return failure(StatusCode::NOT_FOUND),
        ("replace" | "patch", Some(known)) if known != body["metadata"]["resourceVersion"] => {
            return failure(StatusCode::CONFLICT);
        }
        _ => {}
    }
    state.version += 1;
    body["metadata"]["resourceVersion"] = json!(state.version.to_string());
    state.writes.push(format!("{verb} {}", key.1));
    state.objects.insert(key, body.clone());
    Json(body).into_response()
}

fn failure(code: StatusCode) -> Response {
    let reason = if code == StatusCode::CONFLICT { "Conflict" } else { "NotFound" };
    let body = json!({ "kind": "Status", "status": "Failure", "code": code.as_u16(), "reason": reason, "message": "no" });
    (code, Json(body)).into_response()
}
