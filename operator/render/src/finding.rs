//! What people are told about an object that is not served as written.

use std::fmt;

use config::ObjectName;
use crds::ConditionType;

/// A fault in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Whose.
    pub object: ObjectRef,
    /// Which condition it speaks of: `Accepted` or `ResolvedRefs`. It is False, unless the effect is `Served`.
    pub condition: ConditionType,
    /// Stable, for tools.
    pub reason: Reason,
    /// Lower case, names what is wrong and the way out. No secret in it.
    pub message: String,
    /// What it means for traffic.
    pub effect: Effect,
}

/// An object by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace and name.
    pub name: ObjectName,
}

/// The kinds that findings speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// ModelGateway.
    ModelGateway,
    /// ModelDeployment.
    ModelDeployment,
    /// ModelRoute.
    ModelRoute,
    /// ProviderSecret.
    ProviderSecret,
    /// BudgetPolicy.
    BudgetPolicy,
    /// VirtualKey.
    VirtualKey,
}

impl Kind {
    /// As written in manifests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelGateway => "ModelGateway",
            Self::ModelDeployment => "ModelDeployment",
            Self::ModelRoute => "ModelRoute",
            Self::ProviderSecret => "ProviderSecret",
            Self::BudgetPolicy => "BudgetPolicy",
            Self::VirtualKey => "VirtualKey",
        }
    }
}

/// What a finding means for traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The version before goes on serving.
    LastGoodServes,
    /// The object serves nothing.
    NotServed,
    /// All but what the finding names is served.
    Partly,
    /// The object is served as written: people are only told.
    Served,
}

/// Why, for tools. Part of the API: renaming one breaks people's alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A field's value makes no sense.
    InvalidSpec,
    /// `provider.type` is not in the catalogue.
    UnknownProvider,
    /// The named object, or the key in it, is not there, or may not be used: the two are not told apart.
    RefNotPermitted,
    /// The Secret that a ProviderSecret or a gateway names is not there.
    SecretNotFound,
    /// The Secret has no such key, or an empty one.
    SecretKeyMissing,
    /// The material in the Secret cannot be sent.
    SecretUnusable,
    /// The credential that a deployment names is itself not resolved.
    CredentialNotReady,
    /// The named ModelGateway is not there, or does not let this namespace attach.
    GatewayNotFound,
    /// Another namespace, or a route, owns the model name; or anybody that of a route.
    ModelNameTaken,
    /// An alias is the name or alias of another model or route.
    AliasTaken,
    /// The operator does not serve gateways in this namespace.
    GatewayNamespaceNotServed,
    /// The master key is empty, short or well known.
    WeakMasterKey,
    /// Consent by label needs an operator of cluster scope.
    SelectorNeedsClusterScope,
    /// `spec.suspend` is set.
    Suspended,
    /// No request can match a target of a policy.
    NoMatchingTarget,
    /// An older policy limits the same subject by a limit of the same name.
    ConflictingPolicy,
    /// The policy that should stand above is not there.
    ParentNotFound,
    /// Parents lead back to the policy itself, or are too many.
    InvalidParent,
    /// A limit is above its parent's.
    AboveParent,
    /// The model to send requests or fall back to is not served.
    ModelNotFound,
    /// A target's condition is none.
    InvalidCondition,
    /// Fallbacks lead back to where they begin.
    FallbackLoop,
    /// An annotation's value makes no sense.
    InvalidAnnotation,
    /// The ConfigMap with a gateway's own prices is not there.
    CatalogNotFound,
    /// It is not what it should be.
    InvalidCatalog,
    /// A policy that a key names is not there.
    BudgetNotFound,
    /// A virtual key that could be guessed, or is none.
    WeakKey,
    /// Two VirtualKeys of a gateway have the same key, or one has the master key's.
    DuplicateKey,
    /// The Secret that a key would be made into was made for something else.
    SecretNotOwned,
    /// The Secret with the key is on its way.
    KeyNotIssued,
}

impl Reason {
    /// As it stands in a condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidSpec => "InvalidSpec",
            Self::UnknownProvider => "UnknownProvider",
            Self::RefNotPermitted => "RefNotPermitted",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretKeyMissing => "SecretKeyMissing",
            Self::SecretUnusable => "SecretUnusable",
            Self::CredentialNotReady => "CredentialNotReady",
            Self::GatewayNotFound => "GatewayNotFound",
            Self::ModelNameTaken => "ModelNameTaken",
            Self::AliasTaken => "AliasTaken",
            Self::GatewayNamespaceNotServed => "GatewayNamespaceNotServed",
            Self::WeakMasterKey => "WeakMasterKey",
            Self::SelectorNeedsClusterScope => "SelectorNeedsClusterScope",
            Self::Suspended => "Suspended",
            Self::NoMatchingTarget => "NoMatchingTarget",
            Self::ConflictingPolicy => "ConflictingPolicy",
            Self::ParentNotFound => "ParentNotFound",
            Self::InvalidParent => "InvalidParent",
            Self::AboveParent => "AboveParent",
            Self::ModelNotFound => "ModelNotFound",
            Self::InvalidCondition => "InvalidCondition",
            Self::FallbackLoop => "FallbackLoop",
            Self::InvalidAnnotation => "InvalidAnnotation",
            Self::CatalogNotFound => "CatalogNotFound",
            Self::InvalidCatalog => "InvalidCatalog",
            Self::BudgetNotFound => "BudgetNotFound",
            Self::WeakKey => "WeakKey",
            Self::DuplicateKey => "DuplicateKey",
            Self::SecretNotOwned => "SecretNotOwned",
            Self::KeyNotIssued => "KeyNotIssued",
        }
    }

    /// Whether something is wrong; a suspended object is as its owner wants it, and a key on its way needs no one.
    #[must_use]
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Suspended | Self::KeyNotIssued)
    }

    /// Whether only an edit of the object itself can help, so that waiting tools should stop.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::InvalidSpec
                | Self::UnknownProvider
                | Self::GatewayNamespaceNotServed
                | Self::AliasTaken
                | Self::InvalidCondition
        )
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name.name)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.object, self.reason.as_str(), self.message)
    }
}
