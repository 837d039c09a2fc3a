//! What the end-to-end tests are made of: `standin`, a provider that misbehaves on demand, and `cluster`, what it takes
//! to install Fairlead on a real Kubernetes and look at it from outside. The tests are in `tests/cluster`.

pub mod audit;
pub mod calls;
pub mod cluster;
pub mod evidence;
pub mod load;
pub mod memory;
pub mod site;
pub mod standin;
pub mod wait;
