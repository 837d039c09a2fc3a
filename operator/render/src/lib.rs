//! Manifests in, config and findings out. A function: no clock, no IO, and it never fails. A broken object
//! yields a finding on that object; everything sound still renders.
//! Read `manifests.rs` for what goes in, `finding.rs` for what people are told, `deployments.rs` for the core,
//! `routes.rs` for who falls back to whom, `budgets.rs` for what is limited.

mod budgets;
mod credentials;
mod deployments;
mod finding;
mod gateways;
mod groups;
mod keys;
mod manifests;
mod parameters;
mod permission;
mod pricing;
mod routes;
mod routing;
mod upstream;

pub use budgets::reset_time;
pub use finding::{Effect, Finding, Kind, ObjectRef, Reason};
pub use keys::{KeyPlan, Order, Rotation, key_secret};
pub use manifests::{Issue, Manifests, Namespace, Previous, SecretData};

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Catalogue;
use config::{Config, ObjectName, Secret};

/// What the manifests come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// One for each ModelGateway that can serve.
    pub gateways: BTreeMap<ObjectName, GatewayConfig>,
    /// Sorted, each once. An object without one is served as written.
    pub findings: Vec<Finding>,
    /// The gateway that each ModelDeployment, ModelRoute, BudgetPolicy and VirtualKey is attached to. One that is refused or names none is not
    /// here.
    pub attached: BTreeMap<ObjectRef, ObjectName>,
    /// The ModelDeployments that name each ProviderSecret and may.
    pub users: BTreeMap<ObjectName, BTreeSet<ObjectName>>,
    /// What becomes of each VirtualKey that may open its gateway. One that is refused is not here.
    pub keys: BTreeMap<ObjectName, KeyPlan>,
}

/// All that one gateway's pods need.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayConfig {
    /// What goes into ConfigMaps.
    pub config: Config,
    /// What goes into the credentials Secret: material by file name.
    pub credentials: BTreeMap<String, Secret>,
}

/// Renders every gateway. The same manifests give the same bytes.
#[must_use]
pub fn render(manifests: &Manifests, catalogue: &Catalogue) -> Rendered {
    gateways::render(manifests, catalogue)
}
