//! Every spec field changes the config. The paths come from the schemas, so a new field without a line in
//! `WALK` fails here.

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use crate::support::{after, render, world};

const BASE: &str = include_str!("field_walk.yaml");

/// Path; edits that set the stage; the edit that must change the config.
type Step = (&'static str, &'static [(&'static str, &'static str)], (&'static str, &'static str));

const WALK: &[Step] = &[
    ("ModelGateway.translation.onLoss", &[], ("onLoss: Report", "onLoss: Ignore")),
    ("ModelDeployment.translation.onLoss", &[], ("onLoss: Reject", "onLoss: Ignore")),
    ("ModelDeployment.provider.dialect", &[], ("dialect: openai-chat", "dialect: anthropic")),
    (
        "ModelGateway.models.namespaces.from",
        &[],
        ("from: Selector, selector: {matchLabels: {llm: allowed}}}\n    group", "from: Same}\n    group"),
    ),
    (
        "ModelGateway.models.namespaces.selector.matchLabels",
        &[],
        ("{llm: allowed}}}\n    group", "{llm: other}}}\n    group"),
    ),
    (
        "ModelGateway.models.groupAcrossNamespaces",
        &[("modelName: gpt", "modelName: shared")],
        ("groupAcrossNamespaces: false", "groupAcrossNamespaces: true"),
    ),
    ("ModelGateway.auth.masterKeySecretRef.name", &[], ("{name: master, key", "{name: master-two, key")),
    ("ModelGateway.auth.masterKeySecretRef.key", &[], ("key: key}", "key: other}")),
    ("ModelGateway.limits.maxRequestBodyBytes", &[], ("4096", "8192")),
    ("ModelGateway.limits.maxAnswerBytes", &[], ("4097", "8192")),
    ("ModelGateway.limits.maxStreamEventBytes", &[], ("4098", "8192")),
    ("ModelGateway.timeouts.connect", &[], ("connect: 1s", "connect: 9s")),
    ("ModelGateway.timeouts.firstByte", &[], ("firstByte: 2s", "firstByte: 9s")),
    ("ModelGateway.timeouts.streamIdle", &[], ("streamIdle: 3s", "streamIdle: 9s")),
    ("ModelGateway.timeouts.request", &[], ("request: 4s", "request: 9s")),
    (
        "ProviderSecret.kubernetes.secretRef.name",
        &[],
        ("secretRef: {name: openai}", "secretRef: {name: openai-two}"),
    ),
    ("ProviderSecret.kubernetes.data[].field", &[], ("data: [{field: apiKey, key: apiKey}]", "data: []")),
    ("ProviderSecret.kubernetes.data[].key", &[], ("key: apiKey}", "key: other}")),
    (
        "ProviderSecret.onSourceError",
        &[("secretRef: {name: openai}", "secretRef: {name: gone}")],
        ("KeepLast", "Revoke"),
    ),
    (
        "ProviderSecret.consumers.namespaces.from",
        &[],
        (
            "consumers: {namespaces: {from: Selector, selector: {matchLabels: {llm: allowed}}}}",
            "consumers: {namespaces: {from: Same}}",
        ),
    ),
    (
        "ProviderSecret.consumers.namespaces.selector.matchLabels",
        &[],
        ("{llm: allowed}}}}", "{llm: other}}}}"),
    ),
    (
        "ModelDeployment.gatewayRef.name",
        &[(
            "namespaces: {from: Selector, selector: {matchLabels: {llm: allowed}}}\n",
            "namespaces: {from: All}\n",
        )],
        ("{name: main, namespace: ai}\n  modelName", "{name: second, namespace: ai}\n  modelName"),
    ),
    (
        "ModelDeployment.gatewayRef.namespace",
        &[],
        ("{name: main, namespace: ai}\n  modelName", "{name: main, namespace: team}\n  modelName"),
    ),
    ("ModelDeployment.modelName", &[], ("modelName: gpt", "modelName: gpt-5")),
    ("ModelDeployment.aliases", &[], ("[gpt-latest]", "[gpt-newest]")),
    ("ModelDeployment.provider.type", &[], ("type: openai", "type: groq")),
    ("ModelDeployment.provider.model", &[], ("gpt-4o", "gpt-4o-mini")),
    ("ModelDeployment.provider.baseURL", &[], ("one.example.com", "two.example.com")),
    (
        "ModelDeployment.credentialsRef.name",
        &[],
        ("credentialsRef: {name: openai,", "credentialsRef: {name: second,"),
    ),
    (
        "ModelDeployment.credentialsRef.namespace",
        &[],
        ("openai, namespace: ai}\n  weight", "openai, namespace: elsewhere}\n  weight"),
    ),
    ("ModelDeployment.weight", &[], ("weight: 1", "weight: 2")),
    ("ModelDeployment.priority", &[], ("priority: 0", "priority: 1")),
    ("ModelDeployment.timeouts.connect", &[], ("connect: 5s", "connect: 9s")),
    ("ModelDeployment.timeouts.firstByte", &[], ("firstByte: 6s", "firstByte: 9s")),
    ("ModelDeployment.timeouts.streamIdle", &[], ("streamIdle: 7s", "streamIdle: 9s")),
    ("ModelDeployment.timeouts.request", &[], ("request: 8s", "request: 9s")),
    ("ModelDeployment.parameters.drop", &[], ("tools[*].strict", "tools[0].strict")),
    ("ModelDeployment.parameters.extraBody", &[], ("top_k: 40", "top_k: 41")),
    ("ModelDeployment.headers[].name", &[], ("X-Team", "X-Group")),
    ("ModelDeployment.headers[].value", &[], ("value: a}", "value: b}")),
    ("ModelGateway.pricing.unknownModel", &[], ("unknownModel: Allow", "unknownModel: Reject")),
    ("ModelDeployment.pricing.per", &[], ("per: Million", "per: Token")),
    ("ModelDeployment.pricing.input", &[], ("input: '1.01'", "input: '2'")),
    ("ModelDeployment.pricing.output", &[], ("output: '1.02'", "output: '2'")),
    ("ModelDeployment.pricing.cachedInput", &[], ("cachedInput: '1.03'", "cachedInput: '2'")),
    ("ModelDeployment.pricing.cacheWrite", &[], ("cacheWrite: '1.04'", "cacheWrite: '2'")),
    ("ModelDeployment.pricing.cacheWriteHour", &[], ("cacheWriteHour: '1.05'", "cacheWriteHour: '2'")),
    ("ModelDeployment.pricing.reasoning", &[], ("reasoning: '1.06'", "reasoning: '2'")),
    ("ModelDeployment.pricing.audioInput", &[], ("audioInput: '1.07'", "audioInput: '2'")),
    ("ModelDeployment.pricing.audioOutput", &[], ("audioOutput: '1.08'", "audioOutput: '2'")),
    ("ModelDeployment.pricing.search", &[], ("search: '1.09'", "search: '2'")),
    ("ModelDeployment.pricing.request", &[], ("request: '1.10'", "request: '2'")),
    ("ModelDeployment.pricing.source", &[("    baseModel: o3\n", "")], ("source: Catalog", "source: Inline")),
    ("ModelDeployment.pricing.baseModel", &[], ("baseModel: o3", "baseModel: gpt-4.1")),
    (
        "ModelGateway.pricing.catalogConfigMapRef.name",
        &[],
        ("catalogConfigMapRef: {name: owners}", "catalogConfigMapRef: {name: owners-two}"),
    ),
    ("ModelGateway.budgets.failureMode", &[], ("failureMode: Estimate", "failureMode: FailClosed")),
    ("ModelGateway.budgets.users", &[], ("users: AllKeys", "users: PersonalKeys")),
    (
        "BudgetPolicy.gatewayRef.name",
        &[FOR_ALL],
        ("{name: main, namespace: ai}\n  targets:\n", "{name: second, namespace: ai}\n  targets:\n"),
    ),
    (
        "BudgetPolicy.gatewayRef.namespace",
        &[],
        ("{name: main, namespace: ai}\n  targets:\n", "{name: main, namespace: team}\n  targets:\n"),
    ),
    (
        "BudgetPolicy.targets[].kind",
        &[],
        ("{kind: VirtualKey, name: imported, namespace: team}", "{kind: User, name: imported}"),
    ),
    (
        "BudgetPolicy.targets[].name",
        &[],
        ("{kind: VirtualKey, name: imported,", "{kind: VirtualKey, name: walked,"),
    ),
    (
        "BudgetPolicy.targets[].namespace",
        &[],
        (
            "{kind: VirtualKey, name: imported, namespace: team}",
            "{kind: VirtualKey, name: imported, namespace: ai}",
        ),
    ),
    (
        "BudgetPolicy.targets[].selector.matchLabels",
        &[],
        (
            "{kind: Namespace, selector: {matchLabels: {llm: allowed}}}",
            "{kind: Namespace, selector: {matchLabels: {llm: other}}}",
        ),
    ),
    ("BudgetPolicy.perTarget", &[], ("perTarget: true", "perTarget: false")),
    ("BudgetPolicy.limits[].name", &[], ("name: usd-month", "name: usd-monthly")),
    ("BudgetPolicy.limits[].unit", &[], ("unit: Requests", "unit: OutputTokens")),
    ("BudgetPolicy.limits[].amount", &[], ("'500.00'", "'500.01'")),
    ("BudgetPolicy.limits[].soft", &[], ("'400.00'", "'400.01'")),
    ("BudgetPolicy.limits[].window.calendar", &[], ("calendar: Month", "calendar: Year")),
    ("BudgetPolicy.limits[].window.timeZone", &[], ("Europe/Berlin", "Europe/Lisbon")),
    ("BudgetPolicy.limits[].window.startDay", &[], ("startDay: 15", "startDay: 16")),
    ("BudgetPolicy.limits[].window.rolling", &[], ("rolling: 1m", "rolling: 2m")),
    (
        "BudgetPolicy.limits[].onExceed",
        &[("    onExceed: Fallback\n    fallbackModel: shared\n", "    onExceed: Warn\n")],
        ("onExceed: Warn", "onExceed: Throttle"),
    ),
    ("BudgetPolicy.limits[].fallbackModel", &[], ("fallbackModel: shared", "fallbackModel: gpt")),
    ("BudgetPolicy.alerts[].atPercent", &[], ("atPercent: 80", "atPercent: 90")),
    ("BudgetPolicy.alerts[].event", &[], ("event: true", "event: false")),
    ("BudgetPolicy.alerts[].webhookSecretRef.name", &[], ("{name: hook, key", "{name: hook-two, key")),
    ("BudgetPolicy.alerts[].webhookSecretRef.key", &[], ("key: url}", "key: other}")),
    ("BudgetPolicy.enforcement", &[], ("enforcement: Enforce", "enforcement: Shadow")),
    ("BudgetPolicy.failureMode", &[], ("failureMode: FailOpen", "failureMode: FailClosed")),
    ("BudgetPolicy.reservation.estimate", &[], ("estimate: MaxTokens", "estimate: Average")),
    ("BudgetPolicy.reservation.ttl", &[], ("ttl: 10m", "ttl: 11m")),
    ("BudgetPolicy.parentRef.name", &[], ("parentRef: {name: above}", "parentRef: {name: beside}")),
    ("BudgetPolicy.suspend", &[], ("suspend: false # until", "suspend: true # until")),
    ("ModelGateway.egress.localAddresses", &[], ("localAddresses: Refused", "localAddresses: Allowed")),
    (
        "ModelGateway.egress.proxy",
        &[],
        ("proxy: 'http://proxy.example:3128'", "proxy: 'http://other.example:3128'"),
    ),
    ("ModelGateway.egress.noProxy", &[], ("noProxy: [10.0.0.0/8]", "noProxy: [10.1.0.0/16]")),
    ("ModelGateway.egress.caCertificates", &[], ("CERTIFICATE----- one", "CERTIFICATE----- two")),
    ("ModelGateway.routing.strategy", &[], ("strategy: Weighted", "strategy: LowestCost")),
    (
        "ModelGateway.routing.sessionAffinity",
        &[],
        ("sessionAffinity: Preferred", "sessionAffinity: None     "),
    ),
    ("ModelGateway.routing.retries.attempts", &[], ("attempts: 3", "attempts: 0")),
    ("ModelGateway.routing.retries.backoff", &[], ("backoff: 251ms", "backoff: 1ms")),
    ("ModelGateway.routing.retries.maxBackoff", &[], ("maxBackoff: 9s", "maxBackoff: 1m")),
    ("ModelGateway.routing.retries.budgetPercent", &[], ("budgetPercent: 21", "budgetPercent: 0")),
    ("ModelGateway.routing.cooldown.failures", &[], ("failures: 4", "failures: 0")),
    ("ModelGateway.routing.cooldown.failurePercent", &[], ("failurePercent: 51", "failurePercent: 0")),
    ("ModelGateway.routing.cooldown.duration", &[], ("duration: 11s", "duration: 1s")),
    ("ModelGateway.routing.cooldown.maxDuration", &[], ("maxDuration: 6m", "maxDuration: 1h")),
    ("ModelGateway.routing.fallbacks", &[], ("    fallbacks: [shared]", "    fallbacks: [spare]")),
    ("ModelGateway.routing.models[].model", &[], ("model: owners-model\n", "model: spare\n")),
    ("ModelGateway.routing.models[].fallbacks.onError", &[], ("onError: [gpt]", "onError: [shared]")),
    (
        "ModelGateway.routing.models[].fallbacks.onContextWindow",
        &[],
        ("onContextWindow: [shared]", "onContextWindow: [gpt]"),
    ),
    (
        "ModelGateway.routing.models[].fallbacks.onContentPolicy",
        &[],
        ("onContentPolicy: [gpt, shared]", "onContentPolicy: [shared]"),
    ),
    ("ModelGateway.routing.models[].fallbacks.onBudget", &[], ("onBudget: [shared, gpt]", "onBudget: [gpt]")),
    (
        "ModelGateway.routing.models[].fallbacks.onRateLimit",
        &[],
        ("onRateLimit: [gpt-latest, shared]", "onRateLimit: [clever, shared]"),
    ),
    ("ModelDeployment.capacity.requestsPerMinute", &[], ("requestsPerMinute: 31", "requestsPerMinute: 41")),
    ("ModelDeployment.capacity.tokensPerMinute", &[], ("tokensPerMinute: 32", "tokensPerMinute: 42")),
    (
        "ModelRoute.gatewayRef.name",
        &[FOR_ALL],
        ("{name: main, namespace: ai}\n  aliases", "{name: second, namespace: ai}\n  aliases"),
    ),
    (
        "ModelRoute.gatewayRef.namespace",
        &[],
        ("{name: main, namespace: ai}\n  aliases", "{name: main, namespace: team}\n  aliases"),
    ),
    ("ModelRoute.modelName", &[], ("modelName: smartest", "modelName: smarter")),
    ("ModelRoute.aliases", &[], ("aliases: [clever]", "aliases: [wise]")),
    ("ModelRoute.targets[].name", &[], ("{name: first, model", "{name: head, model")),
    ("ModelRoute.targets[].model", &[], ("first, model: spare", "first, model: gpt")),
    ("ModelRoute.targets[].weight", &[], ("weight: 7", "weight: 8")),
    ("ModelRoute.targets[].priority", &[], ("priority: 3", "priority: 4")),
    ("ModelRoute.targets[].when", &[], ("tokens > 1000", "tokens > 2000")),
    ("ModelRoute.strategy", &[], ("strategy: LeastBusy", "strategy: UsageBased")),
    ("ModelRoute.sessionAffinity", &[], ("sessionAffinity: None", "sessionAffinity: Preferred ")),
    ("ModelRoute.retries.attempts", &[], ("attempts: 5", "attempts: 0")),
    ("ModelRoute.retries.backoff", &[], ("backoff: 252ms", "backoff: 1ms")),
    ("ModelRoute.retries.maxBackoff", &[], ("maxBackoff: 10s", "maxBackoff: 1m")),
    ("ModelRoute.retries.budgetPercent", &[], ("budgetPercent: 22", "budgetPercent: 0")),
    ("ModelRoute.cooldown.failures", &[], ("failures: 6", "failures: 0")),
    ("ModelRoute.cooldown.failurePercent", &[], ("failurePercent: 52", "failurePercent: 0")),
    ("ModelRoute.cooldown.duration", &[], ("duration: 12s", "duration: 1s")),
    ("ModelRoute.cooldown.maxDuration", &[], ("maxDuration: 7m", "maxDuration: 1h")),
    ("ModelRoute.fallbacks.onError", &[], ("onError: [spare]", "onError: [gpt]")),
    ("ModelRoute.fallbacks.onContextWindow", &[], ("onContextWindow: [spare]", "onContextWindow: [gpt]")),
    ("ModelRoute.fallbacks.onContentPolicy", &[], ("onContentPolicy: [spare]", "onContentPolicy: [gpt]")),
    ("ModelRoute.fallbacks.onBudget", &[], ("onBudget: [spare]", "onBudget: [gpt]")),
    ("ModelRoute.fallbacks.onRateLimit", &[], ("onRateLimit: [spare]", "onRateLimit: [gpt]")),
    ("ModelRoute.suspend", &[], ("suspend: false # while", "suspend: true # while")),
    ("ModelGateway.baseURL", &[], ("https://llm.example.com", "https://llm2.example.com")),
    (
        "ModelGateway.keys.namespaces.from",
        &[],
        ("keys: {namespaces: {from: Selector, selector: {matchLabels: {llm: allowed} } } }", "keys: {}"),
    ),
    (
        "ModelGateway.keys.namespaces.selector.matchLabels",
        &[],
        (
            "keys: {namespaces: {from: Selector, selector: {matchLabels: {llm: allowed}",
            "keys: {namespaces: {from: Selector, selector: {matchLabels: {llm: other}",
        ),
    ),
    (
        "VirtualKey.gatewayRef.name",
        &[(
            "keys: {namespaces: {from: Selector, selector: {matchLabels: {llm: allowed} } } }",
            "keys: {namespaces: {from: All}}",
        )],
        ("{name: main, namespace: ai }", "{name: second, namespace: ai }"),
    ),
    (
        "VirtualKey.gatewayRef.namespace",
        &[],
        ("{name: main, namespace: ai }", "{name: main, namespace: team }"),
    ),
    ("VirtualKey.displayName", &[], ("The walked one", "Another")),
    ("VirtualKey.team", &[], ("team: red", "team: blue")),
    ("VirtualKey.user", &[], ("user: ann", "user: bob")),
    ("VirtualKey.models.allow", &[], ("['gpt-*']", "['*']")),
    ("VirtualKey.models.deny", &[], ("deny: [gpt-5]", "deny: [gpt-6]")),
    ("VirtualKey.budgetRefs[].name", &[], ("budgetRefs: [{name: capped}]", "budgetRefs: [{name: beside}]")),
    ("VirtualKey.limits.requestsPerMinute", &[], ("requestsPerMinute: 11", "requestsPerMinute: 21")),
    ("VirtualKey.limits.tokensPerMinute", &[], ("tokensPerMinute: 12", "tokensPerMinute: 22")),
    ("VirtualKey.limits.maxConcurrent", &[], ("maxConcurrent: 13", "maxConcurrent: 23")),
    ("VirtualKey.expiresAt", &[], ("2027-01-01", "2028-01-01")),
    ("VirtualKey.ttl", &[], ("ttl: 24h", "ttl: 25h")),
    ("VirtualKey.secret.name", &[], ("secret: {name: made,", "secret: {name: made-two,")),
    ("VirtualKey.secret.key", &[], ("key: apiKey, extraData", "key: other, extraData")),
    (
        "VirtualKey.secret.extraData.baseURL",
        &[],
        ("extraData: {baseURL: true}", "extraData: {baseURL: false}"),
    ),
    ("VirtualKey.secret.deletionPolicy", &[], ("deletionPolicy: Delete", "deletionPolicy: Retain")),
    (
        "VirtualKey.importFrom.secretKeyRef.name",
        &[],
        ("{name: theirs, key: apiKey }", "{name: theirs-two, key: apiKey }"),
    ),
    (
        "VirtualKey.importFrom.secretKeyRef.key",
        &[],
        ("{name: theirs, key: apiKey }", "{name: theirs, key: other }"),
    ),
    ("VirtualKey.rotation.interval", &[], ("interval: 720h", "interval: 721h")),
    ("VirtualKey.rotation.overlap", &[], ("overlap: 2h", "overlap: 3h")),
    ("VirtualKey.suspend", &[], ("ttl: 24h, suspend: false", "ttl: 24h, suspend: true")),
    ("VirtualKey.metadata", &[], ("app: ci", "app: web")),
    ("ModelDeployment.suspend", &[], ("baseModel: o3\n  suspend: false", "baseModel: o3\n  suspend: true")),
];

/// Every namespace may attach to every gateway of the walk.
const FOR_ALL: (&str, &str) = (
    "metadata: {name: second, namespace: ai}\nspec: {}",
    "metadata: {name: second, namespace: ai}\nspec: {models: {namespaces: {from: All}}}",
);

/// Paths whose last good version would hide the change.
const WITHOUT_PREVIOUS: &[&str] =
    &["ProviderSecret.kubernetes.data[].field", "ModelDeployment.credentialsRef.namespace"];

#[test]
fn every_spec_field_changes_the_config() {
    let published = render(&world(BASE));
    assert_eq!(published.findings.len(), 1, "only team/openai is broken: {:?}", published.findings);
    for (path, setup, (from, to)) in WALK {
        let text = setup.iter().fold(BASE.to_owned(), |text, (from, to)| replace(path, &text, from, to));
        let edited = replace(path, &text, from, to);
        let (before, after) = if WITHOUT_PREVIOUS.contains(path) {
            (render(&world(&text)), render(&world(&edited)))
        } else {
            (render(&after(&published, world(&text))), render(&after(&published, world(&edited))))
        };
        // Where and how a key's Secret is made is no business of the gateway, but of whoever makes it.
        assert_ne!((before.gateways, before.keys), (after.gateways, after.keys), "{path} changes nothing");
    }
}

fn replace(path: &str, text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{path}: {from:?} must stand once");
    text.replace(from, to)
}

#[test]
fn the_walk_visits_every_field_of_every_schema() {
    let mut fields = BTreeSet::new();
    for definition in crds::definitions() {
        for version in definition.spec.versions {
            let schema = version.schema.and_then(|schema| schema.open_api_v3_schema).unwrap();
            leaves(&definition.spec.names.kind, &schema.properties.unwrap()["spec"], &mut fields);
        }
    }
    let walked: BTreeSet<_> = WALK.iter().map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(walked, fields);
}

fn leaves(path: &str, schema: &JSONSchemaProps, found: &mut BTreeSet<String>) {
    let free = matches!(schema.additional_properties, Some(JSONSchemaPropsOrBool::Schema(_)));
    match (&schema.properties, &schema.items) {
        (Some(properties), _) if !free => {
            for (name, property) in properties {
                leaves(&format!("{path}.{name}"), property, found);
            }
        }
        (_, Some(JSONSchemaPropsOrArray::Schema(items))) if items.properties.is_some() => {
            leaves(&format!("{path}[]"), items, found);
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}
