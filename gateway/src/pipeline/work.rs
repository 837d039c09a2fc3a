//! One request, asked of one model: it is let in there, and the model's deployments are tried until one answers. Where none
//! does, it may be asked of another model.

use std::sync::Arc;

use config::Strategy;
use protocol::dialects::Echo;
use protocol::response::Own;
use protocol::usage::Usage;

use super::facts::Facts;
use super::filter::Filter;
use super::thread::{self, Thread};
use super::{Ask, Caller, Fault, Gateway, Outgoing, Record, Reply, Snapshot, Terms, estimate, kept};
use crate::admission::{self, Admitted, Asked, Forecast, Load};
use crate::observe::bill::Account;
use crate::providers;
use crate::routing::{self, Attempt, Route, Tries, Wish};
use crate::snapshot::{Choice, Deployment, Model};

/// A request that is being served.
pub(super) struct Work<'s> {
    pub(super) gateway: &'s Gateway,
    pub(super) now: &'s Snapshot,
    caller: &'s Caller,
    ask: Ask,
    /// What an earlier response makes of it; found out once.
    thread: Option<Thread>,
    /// Of the model that is asked now.
    tries: Tries,
    /// It has a place in the spool.
    is_accounted: bool,
}

impl<'s> Work<'s> {
    pub(super) fn new(gateway: &'s Gateway, now: &'s Snapshot, caller: &'s Caller, ask: Ask) -> Self {
        Self { gateway, now, caller, ask, thread: None, tries: Tries::default(), is_accounted: false }
    }

    /// Asks `model`; if it is a route, one target after the other: first those that stand, then those that failed.
    ///
    /// # Errors
    /// Those of [`admission`] and of [`thread::resume`]; why no deployment of it can answer.
    pub(super) async fn ask(&mut self, model: &Arc<Model>, record: &mut Record) -> Result<Reply, Fault> {
        self.tries = self.tries.renewed();
        if model.legs.is_empty() {
            return self.ask_one(model, false, record).await;
        }
        if self.thread.is_none() {
            let resumed = thread::resume(self.gateway, self.now, self.caller, model, &mut self.ask).await?;
            self.thread = Some(resumed);
        }
        let legs = self.legs(model);
        let passes: &[bool] = if legs.len() > 1 { &[true, false] } else { &[false] };
        let mut said = Fault::NoTarget(model.name.clone());
        let mut full = vec![false; legs.len()];
        for standing_only in passes {
            for (leg, is_full) in legs.iter().zip(&mut full).filter(|(_, is_full)| !**is_full) {
                let fault = match self.ask_one(leg, *standing_only, record).await {
                    Err(fault) if !record.is_abandoned() => fault,
                    ended => return ended,
                };
                *is_full = matches!(fault, Fault::OverLimit(_));
                let goes_on = fault.is_passing() || self.tries.may_differ();
                // The first that says something has the say.
                if matches!(said, Fault::NoTarget(_)) {
                    said = fault;
                }
                if !goes_on {
                    return Err(said);
                }
            }
        }
        Err(said)
    }

    /// The targets of a route that are for the request, in their order; those with nothing that stands come last.
    fn legs(&self, route: &Model) -> Vec<Arc<Model>> {
        let filter = self.filter(route, self.thread.as_ref());
        let open = |choice: &Choice| filter.objection(choice).is_none();
        let order = routing::preview(&self.gateway.health, route, open, self.wish(route), &mut rand::rng());
        let mut places: Vec<usize> = Vec::new();
        for (choice, _) in order {
            if !places.contains(&choice.target) {
                places.push(choice.target);
            }
        }
        places.iter().filter_map(|place| route.legs.get(*place).cloned()).collect()
    }

    async fn ask_one(
        &mut self,
        model: &Arc<Model>,
        standing_only: bool,
        record: &mut Record,
    ) -> Result<Reply, Fault> {
        // What was held for another model would be in its own way.
        record.lets_go();
        let asked = Asked { caller: self.caller, ask: &self.ask };
        let Admitted { model, tab } = self.gateway.desk.admit(self.now, asked, model).await?;
        record.admitted(&model.name, tab);
        self.account(record)?;
        let echo = self.ask.echo(&record.id.replace('-', ""), (self.gateway.clock)());
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => thread::resume(self.gateway, self.now, self.caller, &model, &mut self.ask).await?,
        };
        let own = kept::own(self.gateway, &self.ask, thread.previous.as_deref(), &echo.id);
        let answered = self.try_all((&model, standing_only), &thread, (&echo, own.as_ref()), record).await;
        self.thread = Some(thread);
        let (deployment, reply) = answered?;
        let reply = estimate::complete(self.gateway, &mut self.ask, &deployment, reply).await;
        Ok(match own {
            Some(own) if !self.ask.is_kept_by(&deployment) => {
                kept::keep(self.gateway, self.caller, &self.ask, own, reply).await
            }
            _ => reply,
        })
    }

    /// The other models that the client names itself.
    pub(super) fn wanted(&self) -> Option<&[String]> {
        self.ask.said.fallbacks.as_deref()
    }

    /// The other model that `next` gives. Who has gone gets none; nor does who goes on from what one provider keeps.
    pub(super) fn falls_back(
        &self,
        record: &Record,
        next: impl FnOnce() -> Option<Arc<Model>>,
    ) -> Option<Arc<Model>> {
        let is_bound = self.thread.as_ref().is_some_and(|thread| thread.only.is_some());
        if record.is_abandoned() || is_bound { None } else { next() }
    }

    async fn try_all(
        &mut self,
        (model, standing_only): (&Model, bool),
        thread: &Thread,
        said: (&Echo, Option<&Own>),
        record: &mut Record,
    ) -> Result<(Arc<Deployment>, Reply), Fault> {
        let (wish, tries) = (self.wish(model), std::mem::take(&mut self.tries));
        let filter = self.filter(model, Some(thread));
        let open = |choice: &Choice| filter.objection(choice).is_none();
        let plan = routing::Terms { model, wish, tries, standing_only };
        let mut route = routing::plan(&self.gateway.health, plan, open, &mut rand::rng());
        let answered = self.follow(&mut route, model, said, record).await;
        self.tries = route.tries();
        match answered {
            Ok(None) => Err(route.verdict()),
            Ok(Some(answered)) => Ok(answered),
            Err(fault) => Err(fault),
        }
    }

    /// Tries what `route` gives, until one answers; `None` when it gives no more.
    async fn follow(
        &mut self,
        route: &mut Route<'_>,
        model: &Model,
        (echo, own): (&Echo, Option<&Own>),
        record: &mut Record,
    ) -> Result<Option<(Arc<Deployment>, Reply)>, Fault> {
        let gateway = self.gateway;
        // Who has gone gets no second try.
        while let Some(deployment) = route.next().await.filter(|_| !record.is_abandoned()) {
            let outgoing = match self.prepare(&deployment, echo, own) {
                Ok(outgoing) => outgoing,
                Err(refused) => {
                    route.pass(refused);
                    continue;
                }
            };
            let cooldown = model.routing.cooldown;
            let mut attempt = Attempt::begin(&gateway.health, &deployment, cooldown, self.ask.stream);
            attempt.loads(self.load(model, &deployment).await);
            record.tries(&deployment, attempt);
            // No provider is asked for what the spool does not know.
            record.notes(None).await;
            let terms = Terms { limits: self.now.limits, clock: gateway.clock };
            match providers::call(&gateway.clients, &deployment, outgoing, terms).await {
                Ok(reply) => {
                    record.replies();
                    return Ok(Some((deployment, reply)));
                }
                Err(fault) => {
                    let told = fault.retry_after((gateway.clock)());
                    record.failed(fault.class, told);
                    route.record(&deployment, fault, told, &mut rand::rng())?;
                }
            }
        }
        Ok(None)
    }

    /// Counts the call where that decides whom others ask.
    async fn load(&self, model: &Model, deployment: &Deployment) -> Option<Load> {
        if model.routing.strategy != Strategy::UsageBased {
            return None;
        }
        self.gateway.desk.load(deployment, Forecast::most(&self.ask, model)).await
    }

    fn prepare(
        &mut self,
        deployment: &Deployment,
        echo: &Echo,
        own: Option<&Own>,
    ) -> Result<Outgoing, Fault> {
        if !self.now.lets_serve(deployment) {
            return Err(Fault::unpriced(deployment));
        }
        Outgoing::prepare(&mut self.ask, deployment, echo.clone(), own)
    }

    pub(super) fn filter<'t>(&self, model: &Model, thread: Option<&'t Thread>) -> Filter<'t> {
        Filter::new(model, thread, &Facts::new(&self.ask, self.caller))
    }

    pub(super) fn wish(&self, model: &Model) -> Wish {
        let needs_usage = model.routing.strategy == Strategy::LowestCost;
        let usage = if needs_usage { self.most(model) } else { Usage::default() };
        Wish { is_stream: self.ask.stream, session: self.ask.said.session, usage }
    }

    /// The most that it may use.
    pub(super) fn most(&self, model: &Model) -> Usage {
        let Forecast { input, output, .. } = Forecast::most(&self.ask, model);
        Usage { fresh_input: input, output, ..Usage::default() }
    }

    /// Gives the call a place in the spool.
    ///
    /// # Errors
    /// [`Fault::Unaccountable`].
    fn account(&mut self, record: &mut Record) -> Result<(), Fault> {
        if std::mem::replace(&mut self.is_accounted, true) {
            return Ok(());
        }
        let Self { gateway, now, caller, ask, .. } = self;
        record.questions(Arc::clone(&ask.question));
        let Some(spool) = &gateway.spool else { return Ok(()) };
        let entry = spool.enter(&record.id).map_err(|_full| Fault::Unaccountable)?;
        let account = Account {
            gateway: now.gateway.clone(),
            key_hash: caller.key_hash(),
            customer: ask.said.customer.clone(),
            tags: admission::tags(caller, &ask.said),
            dialect: ask.dialect,
            task: ask.task,
        };
        record.enters(spool, entry, account);
        Ok(())
    }
}
