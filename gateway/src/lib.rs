//! The data plane: serves four wire languages in front of every provider. `pipeline.rs` is one request from top to
//! bottom; `boot.rs` starts a process. Other crates see only what is exported here.

mod admission;
mod auth;
pub mod boot;
mod cost;
mod egress;
mod http;
mod observe;
mod pipeline;
mod providers;
mod routing;
mod snapshot;
mod spend;
mod tokens;

pub use auth::Accounts;
pub use boot::telemetry;
pub use boot::{Options, RedisAt, Server, serve};
pub use egress::{Dns, LookUp};
pub use snapshot::{Feed, MasterKey, Problem};
pub use spend::SpoolOptions;
pub use store::Store;
