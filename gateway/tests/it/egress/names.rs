//! A resolver whose answers a test changes.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use gateway::LookUp;

#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Arc<Mutex<HashMap<String, Vec<IpAddr>>>>);

impl Names {
    pub(crate) fn set(&self, host: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        self.0.lock().expect("unpoisoned").insert(host.to_owned(), addresses);
    }
}

impl LookUp for Names {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let found = self.0.lock().expect("unpoisoned").get(host).cloned();
        async move { found.ok_or_else(|| io::Error::other("an unknown name")) }.boxed()
    }
}
