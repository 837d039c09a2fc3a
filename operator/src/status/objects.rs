//! The status that each object should have. Pure: from what was rendered, what is published and how the pods
//! stand, to the status as it should be written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use config::{Budget, Deployment, Model, ObjectName, Route, Upstream};
use crds::{
    ConditionType, ConfigStatus, ModelDeployment, ModelDeploymentStatus, ModelGateway, ModelGatewayStatus,
    ModelsStatus, ProviderSecret, ProviderSecretStatus, ResolvedStatus, ServingGateway,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use render::{Finding, Kind, ObjectRef, Reason};

use super::conditions::{Outlook, Subject, Verdict, Verdicts, conditions, conflict, hindered, judge};
use super::standing::{Reached, Standing};
use crate::board::{Line, Problem, Round};

/// Whether a status is written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Write,
    /// What it says may be over in a moment: only if it is not.
    Wait,
}

/// One gateway, at one moment.
pub(super) struct Lane<'a> {
    pub line: &'a Line,
    pub standing: Standing,
    /// What is rendered otherwise than published.
    pub unpublished: BTreeSet<ObjectRef>,
    /// The same of the settings.
    pub settings_unpublished: bool,
}

/// All that statuses are made of, at one moment.
pub(super) struct Scene<'a> {
    pub round: &'a Round,
    pub lanes: BTreeMap<&'a ObjectName, Lane<'a>>,
    pub findings: HashMap<&'a ObjectRef, Vec<&'a Finding>>,
    /// By VirtualKey, why its Secret could not be written.
    pub key_troubles: &'a BTreeMap<ObjectName, String>,
    pub entries: HashMap<&'a ObjectName, (&'a Model, &'a Deployment)>,
    pub routes: HashMap<&'a ObjectName, &'a Route>,
    pub budgets: HashMap<&'a ObjectName, &'a Budget>,
    pub now: Timestamp,
}

/// Whether an object is programmed, and what becomes of it if not.
pub(super) struct Progressing {
    pub verdict: Verdict,
    pub outlook: Outlook,
    pub patience: Patience,
    pub summary: String,
}

impl<'a> Scene<'a> {
    pub(super) fn findings(&self, object: &ObjectRef) -> Vec<&'a Finding> {
        self.findings.get(object).cloned().unwrap_or_default()
    }

    /// The status of a ModelGateway.
    pub(super) fn gateway(
        &self,
        object: &ModelGateway,
        before: &[Condition],
    ) -> (ModelGatewayStatus, Patience) {
        let name = name_of(&object.metadata);
        let findings = self.findings(&reference(Kind::ModelGateway, &name));
        let lane = self.lanes.get(&name);
        let progressing = match (hindered(&findings), lane) {
            (Some((verdict, outlook)), _) => Progressing::hindered(verdict, outlook, lane_summary(lane)),
            (None, Some(lane)) => lane.gateway(),
            (None, None) => Progressing::not_yet(Verdict::no("Publishing", "nothing is published yet")),
        };
        let published = lane.and_then(|lane| Some((lane, lane.line.progress.as_ref()?)));
        let (conditions, generation) =
            self.conditions(&object.metadata, before, (&findings, None), &progressing);
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let status = ModelGatewayStatus {
            observed_generation: generation,
            conditions,
            config: published.as_ref().map(|(lane, progress)| ConfigStatus {
                revision: progress.revision().to_owned(),
                shards: count(lane.line.shards),
                bytes: count(lane.line.bytes),
            }),
            models: published.as_ref().map(|(_, progress)| self.models(&name, &progress.config)),
            pods: published.as_ref().map(|(lane, _)| lane.standing.counts()),
            lagging_pods: published.as_ref().map(|(lane, _)| lane.standing.named()).unwrap_or_default(),
            summary: progressing.summary,
        };
        (status, progressing.patience)
    }

    fn models(&self, gateway: &ObjectName, config: &config::Config) -> ModelsStatus {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let rejected = |object: &&ObjectRef| {
            self.findings(object).iter().any(|finding| finding.reason != Reason::Suspended)
        };
        let attached = self
            .round
            .rendered
            .attached
            .iter()
            .filter(|(object, to)| object.kind == Kind::ModelDeployment && *to == gateway);
        let attached = attached.map(|(object, _)| object);
        ModelsStatus {
            served: count(config.models.len()),
            deployments: count(config.models.iter().map(|model| model.deployments.len()).sum()),
            rejected: count(attached.filter(rejected).count()),
        }
    }

    /// The status of a ModelDeployment.
    pub(super) fn deployment(
        &self,
        object: &ModelDeployment,
        before: &[Condition],
    ) -> (ModelDeploymentStatus, Patience) {
        let own = reference(Kind::ModelDeployment, &name_of(&object.metadata));
        let findings = self.findings(&own);
        let progressing = match hindered(&findings) {
            Some((verdict, outlook)) => {
                let summary = verdict.message.clone();
                Progressing::hindered(verdict, outlook, summary)
            }
            None => self.served(&own),
        };
        let (conditions, generation) =
            self.conditions(&object.metadata, before, (&findings, None), &progressing);
        let resolved =
            self.entries.get(&own.name).filter(|_| findings.is_empty()).map(|(model, deployment)| {
                ResolvedStatus {
                    model: model.name.clone(),
                    endpoint_host: endpoint_host(&deployment.upstream),
                }
            });
        let status = ModelDeploymentStatus {
            observed_generation: generation,
            conditions,
            gateway: self.gateway_of(&own),
            resolved,
            summary: progressing.summary,
        };
        (status, progressing.patience)
    }

    /// The gateway that an object is attached to.
    pub(super) fn gateway_of(&self, object: &ObjectRef) -> Option<ServingGateway> {
        let to = self.round.rendered.attached.get(object)?;
        Some(ServingGateway { name: to.name.clone(), namespace: to.namespace.clone() })
    }

    /// How what is in a gateway's config stands.
    pub(super) fn served(&self, object: &ObjectRef) -> Progressing {
        let Some(gateway) = self.round.rendered.attached.get(object) else {
            let verdict =
                Verdict::no("GatewayNotReady", "the gateway itself cannot serve: see its conditions");
            return Progressing::hindered(verdict, Outlook::Waiting, "not served".into());
        };
        match self.lanes.get(gateway) {
            Some(lane) => lane.part(object),
            None => Progressing::not_yet(Verdict::no("Publishing", "nothing is published yet")),
        }
    }

    /// The status of a ProviderSecret: programmed where its users are.
    pub(super) fn provider_secret(
        &self,
        object: &ProviderSecret,
        before: &[Condition],
    ) -> (ProviderSecretStatus, Patience) {
        let name = name_of(&object.metadata);
        let findings = self.findings(&reference(Kind::ProviderSecret, &name));
        let users = self.round.rendered.users.get(&name);
        let progressing = match hindered(&findings) {
            Some((verdict, outlook)) => {
                let summary = verdict.message.clone();
                Progressing::hindered(verdict, outlook, summary)
            }
            None => self.used(users),
        };
        let (conditions, generation) =
            self.conditions(&object.metadata, before, (&findings, None), &progressing);
        let status = ProviderSecretStatus {
            observed_generation: generation,
            conditions,
            fields: self.fields(object),
            used_by: users.map_or(0, |users| i64::try_from(users.len()).unwrap_or(i64::MAX)),
            summary: progressing.summary,
        };
        (status, progressing.patience)
    }

    fn used(&self, users: Option<&BTreeSet<ObjectName>>) -> Progressing {
        let users = users.into_iter().flatten().map(|user| reference(Kind::ModelDeployment, user));
        let sound = users.filter(|user| self.findings(user).is_empty());
        let mut served = sound.map(|user| self.served(&user)).peekable();
        if served.peek().is_none() {
            let verdict = Verdict::yes("NotUsed", "no deployment uses it");
            let summary = verdict.message.clone();
            return Progressing { verdict, outlook: Outlook::Settled, patience: Patience::Write, summary };
        }
        let behind = served.find(|progressing| !progressing.verdict.holds);
        behind.unwrap_or_else(|| {
            let verdict = Verdict::yes("AllPodsCurrent", "on every pod that needs it");
            let summary = verdict.message.clone();
            Progressing { verdict, outlook: Outlook::Settled, patience: Patience::Write, summary }
        })
    }

    /// The fields that the source has.
    fn fields(&self, object: &ProviderSecret) -> Vec<crds::CredentialField> {
        let Some(source) = &object.spec.kubernetes else { return Vec::new() };
        let namespace = object.metadata.namespace.clone().unwrap_or_default();
        let secret = ObjectName { namespace, name: source.secret_ref.name.clone() };
        let Some(secret) = self.round.manifests.secrets.get(&secret) else { return Vec::new() };
        let there = |data: &&crds::SecretData| {
            secret.data.get(&data.key).is_some_and(|value| !value.expose().is_empty())
        };
        source.data.iter().filter(there).map(|data| data.field).collect()
    }

    pub(super) fn conditions(
        &self,
        metadata: &ObjectMeta,
        before: &[Condition],
        (findings, closed): (&[&Finding], Option<(ConditionType, Verdict)>),
        progressing: &Progressing,
    ) -> (Vec<Condition>, i64) {
        let generation = metadata.generation.unwrap_or_default();
        let verdicts = Verdicts {
            accepted: judge(findings, ConditionType::Accepted, Verdict::yes("Accepted", "the spec is valid")),
            resolved: judge(
                findings,
                ConditionType::ResolvedRefs,
                Verdict::yes("Resolved", "all references are resolved"),
            ),
            programmed: progressing.verdict.clone(),
            conflicted: conflict(findings),
            closed,
            outlook: progressing.outlook,
        };
        (conditions(&verdicts, &Subject { generation, before, now: self.now }), generation)
    }
}

impl Progressing {
    pub(super) fn hindered(verdict: Verdict, outlook: Outlook, summary: String) -> Self {
        Self { verdict, outlook, patience: Patience::Write, summary }
    }

    pub(super) fn not_yet(verdict: Verdict) -> Self {
        let summary = verdict.message.clone();
        Self { verdict, outlook: Outlook::Working, patience: Patience::Wait, summary }
    }

    fn reached(reached: Reached, summary: String) -> Self {
        let (verdict, outlook, patience) = match reached {
            Reached::Yes(verdict) => (verdict, Outlook::Settled, Patience::Write),
            Reached::NotYet(verdict) => (verdict, Outlook::Working, Patience::Wait),
            Reached::Refused(verdict) => (verdict, Outlook::Waiting, Patience::Write),
        };
        Self { verdict, outlook, patience, summary }
    }
}

impl Lane<'_> {
    fn gateway(&self) -> Progressing {
        let Some(progress) = &self.line.progress else { return self.held_up() };
        if self.line.problem.is_some() || self.settings_unpublished || !self.unpublished.is_empty() {
            return Progressing { summary: self.standing.summary(progress.current()), ..self.held_up() };
        }
        Progressing::reached(
            self.standing.reached(progress.current()),
            self.standing.summary(progress.current()),
        )
    }

    fn part(&self, object: &ObjectRef) -> Progressing {
        let since = self.line.progress.as_ref().and_then(|progress| progress.since(object));
        match since {
            Some(since) if !self.unpublished.contains(object) => {
                Progressing::reached(self.standing.reached(since), self.standing.summary(since))
            }
            _ => self.held_up(),
        }
    }

    /// It is rendered, but not published.
    fn held_up(&self) -> Progressing {
        match &self.line.problem {
            Some(Problem { reason, message, passing: false, .. }) => Progressing::hindered(
                Verdict::no(reason, message.clone()),
                Outlook::Waiting,
                "not published".into(),
            ),
            Some(Problem { reason, message, .. }) => {
                Progressing::not_yet(Verdict::no(reason, message.clone()))
            }
            None => Progressing::not_yet(Verdict::no("Publishing", "not published yet")),
        }
    }
}

fn lane_summary(lane: Option<&Lane<'_>>) -> String {
    let lane = lane.and_then(|lane| Some((lane, lane.line.progress.as_ref()?)));
    lane.map_or_else(|| "not served".into(), |(lane, progress)| lane.standing.summary(progress.current()))
}

fn reference(kind: Kind, name: &ObjectName) -> ObjectRef {
    ObjectRef { kind, name: name.clone() }
}

pub(super) fn name_of(metadata: &ObjectMeta) -> ObjectName {
    let namespace = metadata.namespace.clone().unwrap_or_default();
    ObjectName { namespace, name: metadata.name.clone().unwrap_or_default() }
}

/// The host of the upstream's address; empty for the mock provider.
fn endpoint_host(upstream: &Upstream) -> String {
    let Upstream::Http(http) = upstream else { return String::new() };
    let after_scheme = http.base_url.split_once("://").map_or(http.base_url.as_str(), |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit('@').next().unwrap_or_default();
    let bracket = host_and_port.rfind(']').unwrap_or(0);
    let colon = host_and_port.rfind(':').filter(|colon| *colon > bracket);
    colon.and_then(|colon| host_and_port.get(..colon)).unwrap_or(host_and_port).to_owned()
}
