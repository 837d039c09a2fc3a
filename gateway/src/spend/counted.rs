//! What the store has kept of what was counted, as the limiter takes it in.

use futures::stream::{self, BoxStream, StreamExt};
use limits::{Count, CounterKey, Page, Source, Timestamp, Unread};
use store::{CountReader, Store, StoreError};

/// Rows of one page.
const PAGE: u32 = 1000;

/// The counts of one space.
#[derive(Debug)]
pub(crate) struct Kept {
    store: Store,
    space: String,
    clock: fn() -> i64,
}

/// How far the reading is.
enum Reading {
    Begins,
    Counts(CountReader),
    Reservations(CountReader),
}

impl Kept {
    /// Those of `space`, which is empty for a process that counts by itself. `clock` tells the microseconds since 1970.
    pub(crate) fn new(store: Store, space: &str, clock: fn() -> i64) -> Self {
        Self { store, space: space.to_owned(), clock }
    }

    async fn next(&self, reading: Reading) -> Result<Option<(Page, Reading)>, StoreError> {
        let mut reader = match reading {
            Reading::Begins => self.store.counted(&self.space, (self.clock)()).await?,
            Reading::Counts(reader) => reader,
            Reading::Reservations(reader) => return settled(reader).await,
        };
        let counts = reader.counts(PAGE).await?;
        if counts.is_empty() {
            return settled(reader).await;
        }
        let counts = counts.into_iter().filter_map(count).collect();
        Ok(Some((Page { counts, settled: Vec::new() }, Reading::Counts(reader))))
    }
}

impl Source for Kept {
    fn pages(&self) -> BoxStream<'_, Result<Page, Unread>> {
        let next = |reading| async { self.next(reading).await.map_err(|error| Unread(error.to_string())) };
        stream::try_unfold(Reading::Begins, next).boxed()
    }
}

async fn settled(mut reader: CountReader) -> Result<Option<(Page, Reading)>, StoreError> {
    let settled = reader.reservations(PAGE).await?;
    if settled.is_empty() {
        return Ok(None);
    }
    let settled = settled.iter().filter_map(|id| id.parse().ok()).collect();
    Ok(Some((Page { counts: Vec::new(), settled }, Reading::Reservations(reader))))
}

/// `None` for what a later release may have written.
fn count(kept: store::Count) -> Option<Count> {
    Some(Count {
        counter: CounterKey::new(&kept.counter),
        window: kept.span.parse().ok()?,
        slot: kept.slot,
        amount: u64::try_from(kept.amount).ok()?,
        until: match kept.until_us {
            Some(until) => Some(Timestamp::from_microsecond(until).ok()?),
            None => None,
        },
    })
}
