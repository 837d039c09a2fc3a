//! What a call's record says to the spool: first what it has cost if the process is killed now, in the end what it has
//! cost. `record.rs` has the rest.

use std::time::{Duration, Instant};

use catalogue::Dialect;
use catalogue::price::Tier;
use protocol::usage::Usage;
use store::{SpendRecord, Tags};

use super::record::{Outcome, Record};
use crate::cost::NanoUsd;
use crate::pipeline::{Caller, Task};
use crate::spend::{Entry, Spool, Written};

/// Between two words on a stream that runs: what a killed process has streamed is known as far.
const BETWEEN_WORDS: Duration = Duration::from_secs(1);

/// How a request ends that nobody has ended.
const KILLED: &str = "killed";

/// The place of a call in the spool.
#[derive(Debug)]
pub(super) struct Bill {
    entry: Entry,
    account: Account,
    started_us: i64,
    told: Instant,
    /// Attempts that failed.
    attempts: Vec<SpendRecord>,
}

/// What of a request only its spend record tells.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The gateway, `namespace/name`.
    pub(crate) gateway: String,
    /// See [`SpendRecord::key_hash`].
    pub(crate) key_hash: Option<String>,
    /// Whom the request is for.
    pub(crate) customer: Option<String>,
    /// By the request and by its key.
    pub(crate) tags: Vec<String>,
    pub(crate) dialect: Dialect,
    pub(crate) task: Task,
}

impl Record {
    /// From now on the call is accounted for, at the place `entry`.
    pub(crate) fn enters(&mut self, spool: &Spool, entry: Entry, account: Account) {
        let since = i64::try_from(self.started.elapsed().as_micros()).unwrap_or_default();
        let started_us = spool.now_us().saturating_sub(since);
        self.bill = Some(Bill { entry, account, started_us, told: Instant::now(), attempts: Vec::new() });
    }

    /// What the call has cost if nothing more is heard of it. Returns when that is written.
    pub(crate) async fn notes(&mut self, usage: Option<Usage>) {
        let Some(word) = self.provisional(usage) else { return };
        let Some(bill) = &mut self.bill else { return };
        bill.told = Instant::now();
        bill.entry.open(&word).await;
    }

    /// The same of a stream that runs, without waiting.
    pub(super) fn mentions(&mut self, usage: Option<Usage>) {
        let Some(word) = self.provisional(usage) else { return };
        let Some(bill) = &mut self.bill else { return };
        bill.told = Instant::now();
        bill.entry.tell(&word);
    }

    /// Whether the last word on a stream that runs is old.
    pub(super) fn is_old(&self) -> bool {
        self.bill.as_ref().is_some_and(|bill| bill.told.elapsed() >= BETWEEN_WORDS)
    }

    /// The call is over. What is returned tells when that is written, and need not be asked.
    pub(super) fn settle(&mut self) -> Option<Written> {
        self.presume();
        let request = self.bill.as_ref().map(|bill| SpendRecord {
            counted: self.counted(self.usage),
            ..self.spend(bill, self.outcome.name(), self.usage)
        });
        self.close_tab();
        let request = request?;
        let Bill { entry, attempts, .. } = self.bill.take()?;
        Some(entry.close(attempts.iter().chain([&request])))
    }

    /// The call is over, and that is written.
    pub(crate) async fn settled(mut self) {
        let written = self.settle();
        drop(self);
        if let Some(written) = written {
            written.wait().await;
        }
    }

    /// The deployment tried last has failed, and another may not.
    pub(super) fn fails(&mut self) {
        let Some(bill) = &self.bill else { return };
        let request = self.spend(bill, Outcome::Refused.name(), None);
        let attempt = SpendRecord {
            attempt: request.attempts,
            status: None,
            cost_nano: None,
            is_estimate: false,
            duration_us: self
                .serving
                .as_ref()
                .map(|serving| micros(serving.since.elapsed()))
                .unwrap_or_default(),
            started_us: self.serving.as_ref().map_or(request.started_us, |serving| {
                request.started_us.saturating_add(micros(serving.since.duration_since(self.started)))
            }),
            ..request
        };
        if let Some(bill) = &mut self.bill {
            bill.attempts.push(attempt);
        }
    }

    fn provisional(&mut self, usage: Option<Usage>) -> Option<SpendRecord> {
        let bill = self.bill.as_ref()?;
        let known = self.usage.filter(|_| !self.is_estimate);
        let used = known.or(usage).or_else(|| self.guess());
        let outcome = if self.outcome == Outcome::Answered { Outcome::Answered.name() } else { KILLED };
        let counted = self.counted(used);
        Some(SpendRecord { is_estimate: known.is_none(), counted, ..self.spend(bill, outcome, used) })
    }

    fn spend(&self, bill: &Bill, outcome: &str, usage: Option<Usage>) -> SpendRecord {
        let serving = self.serving.as_ref();
        let cost = usage.and_then(|usage| serving?.tariff.cost(&usage));
        let used = usage.unwrap_or_default();
        let (account, key) = (&bill.account, self.caller.as_ref().and_then(Caller::key));
        SpendRecord {
            request_id: self.id.clone(),
            attempt: 0,
            started_us: bill.started_us,
            duration_us: micros(self.started.elapsed()),
            first_byte_us: self.first_byte.map(micros),
            gateway: Some(account.gateway.clone()),
            key_id: self.caller.as_ref().map(|caller| caller.label().to_owned()),
            key_hash: account.key_hash.clone(),
            team_id: key.and_then(|key| key.team.clone()),
            user_id: key.and_then(|key| key.user.clone()),
            customer_id: account.customer.clone(),
            tags: Tags(account.tags.clone()),
            task: task(account.task).to_owned(),
            dialect: account.dialect.name().to_owned(),
            model: self.model.clone(),
            deployment: serving.map(|serving| serving.label.clone()),
            provider: serving.map(|serving| serving.provider.clone()),
            upstream_model: serving.map(|serving| serving.upstream_model.clone()),
            attempts: i32::try_from(self.attempts).unwrap_or(i32::MAX),
            is_stream: self.is_stream,
            status: self.status.map(i32::from),
            outcome: outcome.to_owned(),
            fault: self.fault.map(str::to_owned),
            bytes_in: i64::try_from(self.bytes_in).unwrap_or(i64::MAX),
            bytes_out: i64::try_from(self.bytes_out).unwrap_or(i64::MAX),
            is_estimate: self.is_estimate,
            cost_nano: cost.map(NanoUsd::nano),
            ..tokens(&used)
        }
    }
}

/// The token buckets of `used`, in a record that has nothing else.
fn tokens(used: &Usage) -> SpendRecord {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    SpendRecord {
        fresh_input: count(used.fresh_input),
        cached_input: count(used.cached_input),
        cache_write: count(used.cache_write),
        cache_write_hour: count(used.cache_write_hour),
        audio_input: count(used.audio_input),
        cached_audio: count(used.cached_audio),
        image_input: count(used.image_input),
        output: count(used.output),
        reasoning: count(used.reasoning),
        audio_output: count(used.audio_output),
        image_output: count(used.image_output),
        searches: count(used.searches),
        tier: tier(used.tier).map(str::to_owned),
        ..SpendRecord::default()
    }
}

fn task(task: Task) -> &'static str {
    match task {
        Task::Answer => "answer",
        Task::Count => "count",
        Task::Embed(_) => "embed",
    }
}

fn tier(tier: Tier) -> Option<&'static str> {
    match tier {
        Tier::Standard => None,
        Tier::Priority => Some("priority"),
        Tier::Flex => Some("flex"),
        Tier::Batch => Some("batch"),
        Tier::Balanced => Some("balanced"),
        Tier::Ultrafast => Some("ultrafast"),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
