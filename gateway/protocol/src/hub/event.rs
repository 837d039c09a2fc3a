//! An answer as it comes: the parts of a stream in any dialect. A buffered answer is the fold of them.

use super::{Body, Citation, Extras, Finish, Seal};
use crate::fault::Reading;
use crate::usage::Usage;

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// First, once.
    Start {
        /// The provider's id of the answer.
        id: String,
        /// The model that answers, as the provider names it.
        model: String,
        /// Seconds since 1970, where the dialect has it.
        created: Option<u64>,
        /// What nobody models.
        extras: Extras,
    },
    /// A block begins. Blocks of one candidate are opened in order; none is opened twice.
    Open(At, Opening),
    /// More text, refusal, or thought of an open block.
    Text(At, String),
    /// More of the arguments of an open call.
    Arguments(At, String),
    /// The seal of an open block. More than one are one, in order.
    Sealed(At, Seal),
    /// A source of an open block.
    Cited(At, Citation),
    /// The block is complete.
    Close(At),
    /// Totals so far; a later one replaces an earlier.
    Usage(Usage),
    /// Why a candidate ended.
    Finish {
        /// Which candidate.
        candidate: usize,
        /// Why.
        finish: Finish,
        /// The text that ended it.
        stop: Option<String>,
        /// What nobody models of this candidate.
        extras: Extras,
    },
    /// What nobody models of the whole answer. Each key replaces an earlier one of its name.
    Extras(Extras),
    /// The provider failed in the middle. Nothing comes after it.
    Fault(Reading),
}

/// Where in an answer: which candidate, which of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// 0 unless the request asked for several.
    pub candidate: usize,
    /// Counted from 0 in the order of opening, whatever the dialect's own numbers are.
    pub part: usize,
}

/// How a block begins: whole, or empty to be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Text, refusal, thinking and calls begin empty or with their first piece; media and foreign blocks are whole.
    pub body: Body,
    /// What nobody models.
    pub extras: Extras,
}
