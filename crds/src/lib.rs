//! The custom resources that people write, one kind per file. Types and their schemas only: what they
//! mean is in `operator/render`. `definitions.rs` makes the CustomResourceDefinitions.

#![expect(unreachable_pub, reason = "the schema derive writes an unreachable twin of each type")]
#![expect(clippy::disallowed_methods, reason = "the resource derive expands to serde_json::from_value")]
#![allow(clippy::duplicated_attributes, reason = "printer columns of one type share that attribute")]

mod budget_policy;
mod conditions;
mod definitions;
mod duration;
mod egress;
mod model_deployment;
mod model_gateway;
mod model_route;
mod namespaces;
mod parameters;
mod pricing;
mod provider_secret;
mod routing;
mod virtual_key;

pub use budget_policy::{
    Amount, BudgetAlert, BudgetLimit, BudgetPolicy, BudgetPolicySpec, BudgetPolicyStatus, BudgetTarget,
    BudgetUnit, BudgetUsage, CalendarUnit, Enforcement, FailureMode, GatewayBudgetsSpec, LimitUsage,
    OnExceed, ParentRef, RESET_ANNOTATION, ReservationEstimate, ReservationSpec, RollingText, SubjectUsage,
    TargetKind, TargetSelector, ToldAlert, UserKeys, WindowSpec,
};
pub use conditions::{ConditionType, StatusConditions};
pub use definitions::definitions;
pub use duration::DurationText;
pub use egress::{EgressSpec, LocalAddresses};
pub use model_deployment::{
    CapacitySpec, CredentialsRef, GatewayRef, HeaderEntry, ModelDeployment, ModelDeploymentSpec,
    ModelDeploymentStatus, ProviderSpec, ResolvedStatus, ServingGateway, WireDialect,
};
pub use model_gateway::{
    AuthSpec, ConfigStatus, KeysSpec, LaggingPod, LimitsSpec, ModelGateway, ModelGatewaySpec,
    ModelGatewayStatus, ModelsSpec, ModelsStatus, OnLoss, PodState, PodsStatus, SecretKeyRef, TimeoutsSpec,
    TranslationSpec,
};
pub use model_route::{ModelRoute, ModelRouteSpec, ModelRouteStatus, ResolvedRoute, RouteTarget};
pub use namespaces::{NamespaceSelection, NamespaceSelector, NamespacesFrom};
pub use parameters::ParametersSpec;
pub use pricing::{GatewayPricingSpec, PriceSource, PriceText, PricedTokens, PricingSpec, UnknownModel};
pub use provider_secret::{
    ConsumersSpec, CredentialField, KubernetesSource, OnSourceError, ProviderSecret, ProviderSecretSpec,
    ProviderSecretStatus, SecretData, SecretName,
};
pub use routing::{
    CooldownSpec, FallbacksSpec, GatewayRoutingSpec, ModelFallbacks, RetriesSpec, RoutingSpec,
    RoutingStrategy, SessionAffinity,
};
pub use virtual_key::{
    AccessSpec, BudgetRef, DeletionPolicy, ExtraDataSpec, ImportSpec, KeyLimitsSpec, KeySecretSpec,
    RotationSpec, VirtualKey, VirtualKeySpec, VirtualKeyStatus,
};

/// The API group of every kind here.
pub const GROUP: &str = "fairlead.dev";

/// Pods that serve a ModelGateway carry this label with its name, in its namespace.
pub const GATEWAY_LABEL: &str = "fairlead.dev/gateway";

/// Marks a ConfigMap, with the value `true`, as a catalogue of prices. Others are not read.
pub const PRICE_CATALOG_LABEL: &str = "fairlead.dev/price-catalog";
