//! Counters that pods share, in Redis or a Redis Cluster. Each call is one script, so one round trip and atomic. A counter
//! is a hash for each span of its window, with the entries of a `Book` as fields; a reservation leaves a mark, so that
//! repeating a call changes nothing. All keys have one hash tag, so that a cluster keeps them on one node.

mod address;
mod channel;
mod link;
mod notices;
mod read;
mod rolls;
mod script;
mod warm;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redis::{Cmd, Pipeline, Value};
use tokio::time::timeout;

use crate::ask::{Ask, Held, ReservationId, Settlement};
use crate::backend::{Away, Backend, Verdict};
use crate::book::oldest_expiry_kept;
use crate::count::Source;
use crate::counter::{Counter, Level, whole_ms};
use crate::window::WindowId;

use address::Address;
pub use address::UrlError;
pub use channel::{Channel, Listener};
use link::Link;
use script::Script;
use warm::Warmth;

/// How long a settled reservation is known. A settlement whose answer was lost is repeated within that.
const SETTLED_KNOWN: Duration = Duration::from_secs(300);

/// Counters in Redis.
#[derive(Debug)]
pub struct Redis {
    link: Arc<Link>,
    space: Box<str>,
    prefix: Box<str>,
    warmth: Warmth,
    reserve: Script,
    settle: Script,
    reset: Script,
    roll: Script,
    claim: Script,
    renew: Script,
}

impl Redis {
    /// At `redis://user:password@host:port/db`, or `rediss://` for TLS. Nodes separated by commas, or `?cluster=true`, are
    /// of a Redis Cluster. `space` keeps the counters of one gateway from those of others. It connects by itself, now and
    /// whenever it must; the server need not be there yet. A call waits for at most `patience`. In a Tokio runtime only.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn new(url: &str, space: &str, patience: Duration) -> Result<Self, UrlError> {
        Self::filled_from(None, url, space, patience)
    }

    /// The same. When Redis is new or has lost its data, its counters are filled from `source` first; until they are, it
    /// counts as away.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn filled_from(
        source: Option<Arc<dyn Source>>,
        url: &str,
        space: &str,
        patience: Duration,
    ) -> Result<Self, UrlError> {
        let link = Arc::new(Link::new(Address::new(url, patience)?));
        let prefix: Box<str> = format!("{{fairlead:{}}}", space.replace(['{', '}'], "_")).into();
        Ok(Self {
            warmth: Warmth::new(&link, &prefix, source),
            link,
            space: space.into(),
            prefix,
            reserve: Script::new(include_str!("redis/reserve.lua")),
            settle: Script::new(include_str!("redis/settle.lua")),
            reset: Script::new(include_str!("redis/reset.lua")),
            roll: Script::new(include_str!("redis/roll.lua")),
            claim: Script::new(include_str!("redis/claim.lua")),
            renew: Script::new(include_str!("redis/renew.lua")),
        })
    }

    /// Waits until it answers, but not for longer than that; whether it does.
    pub async fn wait(&self, at_most: Duration) -> bool {
        let ready = async {
            self.link.wait(at_most).await && {
                self.warmth.wait().await;
                true
            }
        };
        timeout(at_most, ready).await.unwrap_or(false)
    }

    /// Whether it answered last, and its counters stand. While not, calls fail at once.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.link.answers() && self.warmth.stands()
    }

    /// As given.
    pub(crate) fn space(&self) -> &str {
        &self.space
    }

    fn mark(&self, id: ReservationId) -> String {
        format!("{}:r:{id}", self.prefix)
    }

    fn place(&self, counter: &Counter, window: WindowId) -> String {
        format!("{}:c:{}:{window}", self.prefix, counter.key().as_str())
    }

    fn keys(&self, ask: &Ask, cmd: &mut Cmd) {
        cmd.arg(ask.parts().len() + 2).arg(self.mark(ask.id()));
        for part in ask.parts() {
            cmd.arg(self.place(&part.counter, part.placement.id));
        }
        cmd.arg(warm::mark(&self.prefix));
    }

    async fn evaluate(&self, script: &Script, fill: impl Fn(&mut Cmd) + Sync) -> Result<Value, Away> {
        script.run(&self.link, fill).await
    }

    /// The same, of a script that looks whether the counters stand.
    async fn count(&self, script: &Script, fill: impl Fn(&mut Cmd) + Sync) -> Result<Value, Away> {
        if !self.warmth.stands() {
            return Err(self.link.lost());
        }
        let answer = script.run(&self.link, fill).await?;
        if read::is_lost(&answer) {
            self.warmth.is_lost();
            return Err(self.link.lost());
        }
        Ok(answer)
    }

    fn fill_reserve(&self, ask: &Ask, cmd: &mut Cmd) {
        let now = ask.id().made();
        self.keys(ask, cmd);
        cmd.arg(now.as_millisecond()).arg(whole_ms(ask.known_for()));
        cmd.arg(ask.expires_ms()).arg(oldest_expiry_kept(now));
        for part in ask.parts() {
            let (placement, hold) = (&part.placement, part.hold());
            cmd.arg(placement.slot).arg(placement.first).arg(placement.oldest_kept());
            cmd.arg(part.counter.amount()).arg(part.room_needed()).arg(u8::from(part.refuses()));
            cmd.arg(hold.spent).arg(hold.reserved).arg(part.kept(ask).map_or(-1, whole_ms));
        }
    }

    fn fill_settle(&self, settlement: &Settlement<'_>, now: Timestamp, cmd: &mut Cmd) {
        let ask = settlement.ask();
        self.keys(ask, cmd);
        cmd.arg(whole_ms(SETTLED_KNOWN)).arg(u8::from(ask.is_forgotten(now))).arg(ask.expires_ms());
        for (part, actual) in settlement.parts() {
            cmd.arg(part.placement.slot).arg(part.hold().reserved);
            cmd.arg(part.charge(actual, Held::Known)).arg(part.charge(actual, Held::Never));
            cmd.arg(part.kept(ask).map_or(-1, whole_ms));
        }
    }
}

impl Backend for Redis {
    async fn reserve(&self, ask: &Ask) -> Result<Verdict, Away> {
        let answer = self.count(&self.reserve, |cmd| self.fill_reserve(ask, cmd)).await?;
        read::verdict(ask, answer).ok_or_else(|| self.link.unreadable())
    }

    async fn settle(&self, settlement: &Settlement<'_>, now: Timestamp) -> Result<(), Away> {
        self.count(&self.settle, |cmd| self.fill_settle(settlement, now, cmd)).await?;
        Ok(())
    }

    async fn levels(&self, counters: &[Arc<Counter>], now: Timestamp) -> Result<Vec<Level>, Away> {
        if counters.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(counters.len());
        for counter in counters {
            pipeline.cmd("HGETALL").arg(self.place(counter, counter.window().placement(now).id));
        }
        let books = self.link.query_all(&pipeline).await.map_err(|error| self.link.away(&error))?;
        let levels = counters.iter().zip(books).map(|(counter, book)| {
            Some(read::book(book)?.level(counter, &counter.window().placement(now), now))
        });
        let levels: Option<Vec<_>> = levels.collect();
        levels.filter(|levels| levels.len() == counters.len()).ok_or_else(|| self.link.unreadable())
    }

    async fn reset(&self, counter: &Counter, now: Timestamp) -> Result<(), Away> {
        let place = self.place(counter, counter.window().placement(now).id);
        self.evaluate(&self.reset, |cmd| {
            cmd.arg(1).arg(&place);
        })
        .await?;
        Ok(())
    }
}
