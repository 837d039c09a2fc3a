//! A line has one HTTP/2 connection to each host, and counts the calls on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::{Client, RequestBuilder, Response};

/// What calls are made on.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    client: Client,
    calls: Arc<AtomicUsize>,
}

/// A call that is counted until its answer is dropped.
#[derive(Debug)]
pub(crate) struct Call {
    request: RequestBuilder,
    place: Place,
}

/// Of one call.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Line {
    pub(super) fn new(client: Client) -> Self {
        Self { client, calls: Arc::default() }
    }

    /// How many there are.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// A call with the request that `make` makes.
    pub(crate) fn call(&self, make: impl FnOnce(&Client) -> RequestBuilder) -> Call {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Call { request: make(&self.client), place: Place(Arc::clone(&self.calls)) }
    }
}

impl Call {
    /// Sends it, and waits for the head of the answer.
    pub(crate) async fn send(self) -> reqwest::Result<Response> {
        let Self { request, place } = self;
        let mut response = request.send().await?;
        // Extensions can be cloned, and a place is one.
        response.extensions_mut().insert(Arc::new(place));
        Ok(response)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
