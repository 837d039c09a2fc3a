//! What can be done with a response that somebody keeps: fetch it, or its input, delete it, cancel it. The provider
//! that keeps it is asked; for its own the gateway answers itself.

use std::sync::Arc;

use catalogue::Dialect;
use protocol::dialects::Echo;
use protocol::exchange::Exchange;
use protocol::passage::UsageFrame;
use protocol::response::{Order, Page, Stamp, deleted, page};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use store::StoredResponse;

use super::thread::{Home, locate};
use super::{Fault, Gateway, NoResponse, Record, Reply, ReplyBody, Terms, Wanted, Why, kept};
use crate::auth::Caller;
use crate::providers::{self, Visit};
use crate::snapshot::{Model, Seat, Snapshot};

/// What a client wants of a response.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) headers: HeaderMap,
    /// As the client knows it.
    pub(crate) id: String,
    pub(crate) deed: Deed,
    /// Names may come several times.
    pub(crate) query: Vec<(String, String)>,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Fetch,
    Delete,
    Cancel,
    ListInput,
}

/// What of a query is for the provider.
///
/// Source: platform.openai.com/docs/api-reference/responses, read 2026-11-21.
const QUERIES: [&str; 9] = [
    "stream",
    "starting_after",
    "include_obfuscation",
    "include",
    "include[]",
    "after",
    "before",
    "limit",
    "order",
];

/// The API's own bounds of a page.
const PAGE: (usize, usize) = (20, 100);

/// Does one errand.
///
/// # Errors
/// [`Fault`].
pub(crate) async fn run(gateway: &Gateway, errand: Errand, record: &mut Record) -> Result<Reply, Fault> {
    let now = gateway.snapshot()?;
    let caller = gateway.caller(&now, &errand.headers, &errand.path()).await?;
    record.called_by(&caller);
    record.rereads();
    let (seat, id) = match locate(gateway, &now, &caller, (&errand.id, Wanted::Itself)).await? {
        Home::Kept(response) => return own(gateway, &caller, &errand, *response).await,
        Home::Seat(seat, id) => (seat, id),
        Home::Somewhere(id) => (only_keeper(&now, &caller, &errand.id)?, id),
    };
    record.asks(&seat.model.name, errand.streams());
    // It may have been made under the name of a route.
    let serves = |model: &&Arc<Model>| model.deployments.iter().any(|one| Arc::ptr_eq(one, &seat.deployment));
    if !now.models.iter().filter(serves).any(|model| caller.may_ask(model)) {
        caller.asks(&seat.model, &seat.model.name)?;
    }
    let terms = Terms { limits: now.limits, clock: gateway.clock };
    visit(gateway, terms, (&seat, id), errand, record).await
}

/// An id of a provider's own does not say whose it is, so there must be but one. Nor does it say which model made it:
/// any of that provider that the caller may ask will do.
fn only_keeper(now: &Snapshot, caller: &Caller, id: &str) -> Result<Seat, Fault> {
    let none = |why| Fault::NoResponse(NoResponse { id: id.to_owned(), wanted: Wanted::Itself, why });
    let keepers: Vec<_> = now.seats().filter(|seat| seat.deployment.keeps_responses()).collect();
    let [first, others @ ..] = &*keepers else { return Err(none(Why::Unknown)) };
    if !others.iter().all(|other| other.deployment.shares_account(&first.deployment)) {
        return Err(none(Why::ManyProviders));
    }
    let open = keepers.iter().find(|seat| caller.may_ask(&seat.model)).unwrap_or(first);
    Ok(Seat::clone(open))
}

/// Asks the provider that keeps it as `id`.
async fn visit(
    gateway: &Gateway,
    terms: Terms,
    (seat, id): (&Seat, String),
    errand: Errand,
    record: &mut Record,
) -> Result<Reply, Fault> {
    let Seat { model, deployment } = seat;
    let stream = errand.streams();
    record.tries(deployment, gateway.errand_at(deployment, stream));
    let query = errand.query.into_iter().filter(|(name, _)| QUERIES.contains(&name.as_str())).collect();
    let visit = Visit { deed: errand.deed, id, query, stream };
    let echo = Echo {
        model: model.name.clone(),
        id: record.id.replace('-', ""),
        created: (gateway.clock)(),
        stream_usage: true,
    };
    let exchange = Exchange {
        client: Dialect::OpenaiResponses,
        provider: Dialect::OpenaiResponses,
        echo,
        usage_frame: UsageFrame::Passed,
        stamp: Some(Stamp::Placed(deployment.tag)),
    };
    providers::visit(&gateway.clients, deployment, &visit, exchange, terms).await.map_err(|fault| {
        record.failed(fault.class, None);
        Fault::upstream(deployment, fault)
    })
}

/// The gateway's own.
async fn own(
    gateway: &Gateway,
    caller: &Caller,
    errand: &Errand,
    response: StoredResponse,
) -> Result<Reply, Fault> {
    let body = match errand.deed {
        Deed::Fetch if errand.is_stream() => {
            let why =
                "this response was not made in the background, so it cannot be streamed again; leave it out";
            return Err(Fault::Query { name: "stream", why: why.to_owned() });
        }
        Deed::Fetch => response.answer,
        Deed::Cancel => return Err(Fault::NotCancellable(response.id)),
        Deed::ListInput => {
            let seed = response.id.trim_start_matches("resp_");
            let listed = page(&response.input, seed, &errand.page()?);
            listed.map_err(|error| Fault::Query { name: "after", why: error.to_string() })?
        }
        Deed::Delete => {
            // Another may have been quicker.
            if !kept::forget(gateway, caller, &response.id).await? {
                let (id, wanted, why) = (response.id, Wanted::Itself, Why::Unknown);
                return Err(Fault::NoResponse(NoResponse { id, wanted, why }));
            }
            deleted(&response.id)
        }
    };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let body = ReplyBody::Whole { body: body.into(), usage: None };
    Ok(Reply::new(headers, body))
}

impl Errand {
    /// What it was called by.
    fn path(&self) -> String {
        let rest = match self.deed {
            Deed::Fetch | Deed::Delete => "",
            Deed::Cancel => "/cancel",
            Deed::ListInput => "/input_items",
        };
        format!("/v1/responses/{}{rest}", self.id)
    }

    fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn is_stream(&self) -> bool {
        matches!(self.asked("stream"), Some("true" | "1"))
    }

    /// Whether a provider answers it with a stream.
    fn streams(&self) -> bool {
        self.deed == Deed::Fetch && self.is_stream()
    }

    fn page(&self) -> Result<Page, Fault> {
        let order = match self.asked("order") {
            None | Some("desc") => Order::Descending,
            Some("asc") => Order::Ascending,
            Some(_) => return Err(Fault::Query { name: "order", why: "must be asc or desc".to_owned() }),
        };
        let (usual, most) = PAGE;
        let limit = self.asked("limit").map_or(Ok(usual), str::parse).ok();
        let limit = limit.filter(|limit| (1..=most).contains(limit)).ok_or_else(|| Fault::Query {
            name: "limit",
            why: format!("must be a number from 1 to {most}"),
        })?;
        Ok(Page { after: self.asked("after").map(str::to_owned), limit, order })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &[(&str, &str)]) -> Result<Page, &'static str> {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let errand = Errand { headers: HeaderMap::new(), id: String::new(), deed: Deed::ListInput, query };
        errand.page().map_err(|fault| match fault {
            Fault::Query { name, .. } => name,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_page_is_the_apis_unless_the_query_says_otherwise() {
        assert_eq!(page(&[]), Ok(Page { after: None, limit: 20, order: Order::Descending }));
        let all = page(&[("after", "x"), ("limit", "100"), ("order", "asc"), ("odd", "")]);
        assert_eq!(all, Ok(Page { after: Some("x".into()), limit: 100, order: Order::Ascending }));
        for limit in ["0", "101", "-1", "many", ""] {
            assert_eq!(page(&[("limit", limit)]), Err("limit"), "{limit}");
        }
        assert_eq!(page(&[("order", "up")]), Err("order"));
    }
}
