//! What a stream has used so far. Chunks tell it again and again, and not all of it each time.

use crate::usage::Usage;

/// The counts as last told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    usage: Option<Usage>,
    searches: u64,
}

impl Tally {
    /// Takes what a chunk tells, and gives the sum if it is news. The chunk that tells the searches may come before or
    /// after the one that tells the tokens.
    pub(super) fn take(&mut self, told: Option<Usage>, searches: u64) -> Option<Usage> {
        if told.is_none() && searches <= self.searches {
            return None;
        }
        self.searches = self.searches.max(searches);
        self.usage = told.map(|told| self.totals(told)).or(self.usage);
        self.usage.map(|usage| Usage { searches: self.searches, ..usage })
    }

    /// A chunk that counts nothing written says nothing of what was written before it.
    fn totals(&self, told: Usage) -> Usage {
        let (before, mut usage) = (self.usage.unwrap_or_default(), told);
        if told.generated() == told.reasoning {
            (usage.output, usage.audio_output) = (before.output, before.audio_output);
            usage.image_output = before.image_output;
        }
        if told.reasoning == 0 {
            usage.reasoning = before.reasoning;
        }
        usage
    }
}
