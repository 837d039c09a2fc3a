//! One request from top to bottom. Every client surface calls `serve`; later stages go into it, never
//! beside it. `pipeline/call.rs` has the types that the stages pass along, `pipeline/ask.rs` what a client asks,
//! `pipeline/work.rs` asks one model, `pipeline/outgoing.rs` has what one deployment gets; `pipeline/thread.rs` and `pipeline/kept.rs` are for
//! conversations in OpenAI's responses, `pipeline/errand.rs` for what can be done with those that are kept. `pipeline/simulate.rs` only tells what would be done.

mod ask;
mod call;
mod count;
mod embed;
mod errand;
mod estimate;
mod facts;
mod filter;
mod finish;
mod intake;
mod kept;
mod outgoing;
mod simulate;
mod thread;
mod work;

pub(crate) use crate::admission::{Forecast, Load, OverLimit, Said, Tab, Usage};
pub(crate) use crate::auth::Caller;
pub(crate) use crate::observe::metrics::Metrics;
pub(crate) use crate::observe::record::Record;
pub(crate) use crate::observe::wrap::wrap;
pub(crate) use crate::routing::Attempt;
pub(crate) use crate::snapshot::{Current, Shut, Snapshot, Status, Whose};
pub(crate) use ask::Ask;
pub(crate) use call::{
    Call, CannotEmbed, Fault, Intent, Lossy, Named, NoResponse, Piece, Pieces, Question, Reply, ReplyBody,
    Task, UpstreamAnswer, UpstreamFault, Wanted, Why,
};
pub(crate) use errand::{Deed, Errand, run};
pub(crate) use finish::{Finisher, Presence, attend};
pub(crate) use kept::Keep;
pub(crate) use outgoing::{Exchange, Outgoing};
pub(crate) use simulate::{Simulation, simulate};
use work::Work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use limits::{Channel, Limiter};
use reqwest::header::HeaderMap;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::admission::{Averages, Desk, Roll, rounds};
use crate::auth::{self, Accounts};
use crate::providers::Clients;
use crate::routing::{self, Chain, Teller, Told, health::Health};
use crate::snapshot::{Deployment, Limits};
use crate::spend::Spool;
use crate::tokens::Tokenizer;

/// Tells the seconds since 1970.
pub(crate) type Clock = fn() -> u64;

/// What every call of a provider is bound by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
}

/// What lives as long as the process.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) current: Current,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    /// What lasts. It may be away: see `store_answers`.
    pub(crate) store: Option<Store>,
    /// Where requests are let in.
    pub(crate) desk: Desk,
    /// Whether the store did at the last look.
    pub(crate) store_answers: AtomicBool,
    /// Where calls are accounted for, where there is a store for it.
    pub(crate) spool: Option<Spool>,
    /// Calls whose clients have hung up.
    pub(crate) finisher: Finisher,
    /// Hears from other pods which deployments they leave alone.
    told: Option<Arc<Told>>,
    clients: Clients,
    clock: Clock,
    tokenizer: Tokenizer,
    draining: AtomicBool,
}

/// What outlives the process and what pods share, where there is any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lasting {
    pub(crate) store: Option<Store>,
    pub(crate) spool: Option<Spool>,
    /// What the store has of keys.
    pub(crate) accounts: Option<Accounts>,
    /// Where pods tell each other which deployments they leave alone.
    pub(crate) cooled: Option<Channel>,
}

impl Gateway {
    /// A gateway that serves nothing before its first snapshot.
    pub(crate) fn new(
        current: Current,
        clients: Clients,
        clock: Clock,
        lasting: Lasting,
        limiter: Limiter,
    ) -> Self {
        let Lasting { store, spool, accounts, cooled } = lasting;
        let (teller, told) = cooled.map(Teller::new).unzip();
        let health = Health::new(teller.unwrap_or_default());
        let (tokenizer, metrics) = (Tokenizer::default(), Arc::<Metrics>::default());
        let (averages, roll) = (Arc::<Averages>::default(), Arc::<Roll>::default());
        let desk = Desk { limiter, averages, metrics: Arc::clone(&metrics), roll, accounts };
        Self {
            current,
            health,
            metrics,
            store,
            desk,
            store_answers: AtomicBool::new(false),
            spool,
            finisher: Finisher::default(),
            told,
            clients,
            clock,
            tokenizer,
            draining: AtomicBool::new(false),
        }
    }

    /// From now on this process asks for no new requests, but serves those that come.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Keeps track of budgets until `stop`.
    pub(crate) async fn keep_track(&self, stop: CancellationToken) {
        rounds::run(&self.desk, &self.current, stop).await;
    }

    /// Tells other pods which deployments are left alone, and hears it from them, until it is dropped.
    pub(crate) async fn keep_company(&self) {
        if let Some(told) = &self.told {
            told.run(&self.health).await;
        }
    }

    /// A call of `deployment` about what it keeps: what comes of it says little of other calls.
    fn errand_at(&self, deployment: &Arc<Deployment>, is_stream: bool) -> Attempt {
        Attempt::visit(&self.health, deployment, is_stream)
    }

    /// Whether [`Self::drain`] was called.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The one configuration that a request sees.
    ///
    /// # Errors
    /// [`Fault::NotReady`] before the first.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, Fault> {
        self.current.load().ok_or(Fault::NotReady)
    }

    /// Lets those who may call pass, for surfaces that have no model to ask for.
    ///
    /// # Errors
    /// Those of [`auth::identify`], [`Caller::calls`] and [`Self::snapshot`].
    pub(crate) async fn identified(
        &self,
        headers: &HeaderMap,
        path: &str,
    ) -> Result<(Arc<Snapshot>, Caller), Fault> {
        let now = self.snapshot()?;
        let caller = self.caller(&now, headers, path).await?;
        Ok((now, caller))
    }

    /// Who calls `path`, if they may.
    ///
    /// # Errors
    /// Those of [`auth::identify`] and [`Caller::calls`].
    async fn caller(&self, now: &Snapshot, headers: &HeaderMap, path: &str) -> Result<Caller, Fault> {
        let accounts = self.desk.accounts.as_ref();
        let caller = auth::identify(accounts, now, headers, (self.clock)()).await?;
        caller.calls(path).map(|()| caller)
    }

    /// Lets pass whoever holds the master key, for what tells of more than a caller's own.
    ///
    /// # Errors
    /// Those of [`auth::identify`] and [`Self::snapshot`], and [`Fault::MasterOnly`].
    pub(crate) async fn mastered(&self, headers: &HeaderMap) -> Result<Arc<Snapshot>, Fault> {
        let now = self.snapshot()?;
        let accounts = self.desk.accounts.as_ref();
        let caller = auth::identify(accounts, &now, headers, (self.clock)()).await?;
        caller.must_be_master().map(|()| now)
    }
}

/// Serves one call, from raw request to the first bytes of an answer. The order here is the contract.
///
/// Dropping the future is a normal ending: the upstream call is dropped with it, and `record` tells.
///
/// # Errors
/// [`Fault`], when nothing of an answer has been sent.
pub(crate) async fn serve(gateway: &Gateway, call: Call, record: &mut Record) -> Result<Reply, Fault> {
    let now = gateway.snapshot()?;
    let (caller, ask) = receive(gateway, &now, call, record).await?;
    let model = now.model(&ask.model).ok_or_else(|| Fault::UnknownModel(ask.model.clone()))?;
    record.asks(&model.name, ask.stream);
    caller.asks(model, &ask.model)?;
    if ask.task == Task::Count {
        return count::reply(gateway, ask).await;
    }
    routing::arrives(&gateway.health, model);
    let mut work = Work::new(gateway, &now, &caller, ask);
    let fault = match work.ask(model, record).await {
        Ok(reply) => return Ok(reply),
        Err(fault) => fault,
    };
    let mut chain = Chain::new(model, work.wanted());
    // Of several models that fail, the one that was asked for has the say.
    let (mut model, mut cause) = (Arc::clone(model), None);
    while let Some(next) =
        work.falls_back(record, || chain.next(&now, &model, cause.as_ref().unwrap_or(&fault)))
    {
        if caller.asks(&next, &next.name).is_ok() {
            record.falls_back();
            match work.ask(&next, record).await {
                Ok(reply) => return Ok(reply),
                Err(later) => cause = Some(later),
            }
        }
        model = next;
    }
    Err(fault)
}

/// Who calls, and what is asked.
///
/// # Errors
/// Those of [`Gateway::caller`], [`intake::read`] and [`Ask::scan`].
async fn receive(
    gateway: &Gateway,
    now: &Snapshot,
    call: Call,
    record: &mut Record,
) -> Result<(Caller, Ask), Fault> {
    let caller = gateway.caller(now, &call.headers, call.uri.path()).await?;
    record.called_by(&caller);
    let body = intake::read(&call.headers, call.body, now.limits.request_body_bytes).await?;
    record.received(body.len());
    Ok((caller, Ask::scan(call.intent, &call.headers, body)?))
}
