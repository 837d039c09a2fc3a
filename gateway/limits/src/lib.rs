//! Counters that hold. An ask reserves its estimate in all of its counters or in none; settling puts what was really used
//! in its place; what is never settled expires. `window.rs` has the time that a counter counts over, `counter.rs` and
//! `ask.rs` the words, `backend.rs` what a backend does, `book.rs` the arithmetic, `local.rs` the counters of one process,
//! `redis.rs` those that pods share, `count.rs` what others keep of both; `redis/channel.rs` is where pods tell each other
//! what cannot wait.
//! `limiter.rs` is what a gateway holds: it knows what to do while Redis is away; `lease.rs` is what it hands out,
//! `settler.rs` tells Redis what leases came to; `share.rs` and `shares.rs` are what a process borrows of counters far from
//! their limits, so that most requests need not ask. `roll.rs` knows which counters are in use,
//! `notice.rs` what has been told of them.
//!
//! The guarantee, for each counter that refuses at its limit, however many callers and pods ask at once: a reservation is
//! granted only while what is spent and what is held, with it, is at most the amount. So what is spent in a window passes
//! the amount by no more than what the requests in flight cost beyond their estimates; where estimates are upper bounds,
//! it never does. Requests and concurrency have exact estimates: they never pass. Five things are outside of it:
//!
//! - A request that runs longer than its reservation lives holds nothing from then on, and counts when it is settled.
//! - A request counts in the window in which it was let in, also if it ends in the next.
//! - Pods whose clocks differ turn a calendar window at their own time; reservations and slots of a rolling window are
//!   counted by clocks ahead and behind alike.
//! - What was used while a backend was away counts once it is settled. What a backend has lost with its data is put back as far as
//!   others have kept it (`count.rs`); what runs at that time holds nothing, and counts when it is settled. What was used
//!   of shares that were open at that time may count twice.
//! - A process that ends without settling leaves its requests' cost, and what was used of its shares, out of the counters
//!   once their reservations expire.

mod ask;
mod backend;
mod book;
mod count;
mod counter;
mod lease;
mod limiter;
mod local;
mod notice;
mod redis;
mod roll;
mod settler;
mod share;
mod shares;
mod window;

pub use ask::{Ask, ReservationId, Settlement};
pub use backend::{Away, Backend, Verdict};
pub use count::{Count, Page, Source, Unread};
pub use counter::{AtLimit, Counter, CounterKey, Level, MOST, Unit, WhenAway};
pub use jiff::Timestamp;
pub use lease::Lease;
pub use limiter::{Admission, Limiter};
pub use local::Local;
pub use notice::{Claim, Notice};
pub use redis::{Channel, Listener, Redis, UrlError};
pub use roll::{Fullest, Group};
pub use window::{Calendar, CalendarUnit, Rolling, Span, Window, WindowError, WindowId};
