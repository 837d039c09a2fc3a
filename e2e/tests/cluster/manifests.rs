//! The resources as people meet them in kubectl: examples, refusals, `explain` and `get`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use e2e::site::{SOON, Site};
use e2e::wait;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;

use crate::scenario::World;

/// What each rule refuses: a name for the case, a manifest, and what the refusal must say. `edit-…` is applied to the
/// object that is there.
const REFUSED: &str = include_str!("refused.yaml");

pub(crate) async fn every_example_applies_with_strict_validation(world: &World) -> Result<()> {
    let site = &world.site;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/examples");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let name = path.file_name().unwrap_or_default().display().to_string();
        // A dry run makes no namespace, so what names one is checked in ours.
        let text = in_namespace(&text, &site.namespace.0);
        let dry = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            "-n",
            &site.namespace.0,
            "-f",
            "-",
        ];
        site.cluster.kubectl(&dry, &text).await.with_context(|| name)?;
        count += 1;
    }
    ensure!(count >= 6, "only {count} examples in {}", folder.display());
    Ok(())
}

fn in_namespace(yaml: &str, namespace: &str) -> String {
    let own = |line: &str| match line.split_once("namespace: ") {
        // Only `metadata.namespace`; references keep what they name.
        Some((before, _)) if before == "  " => format!("  namespace: {namespace}"),
        _ => line.to_owned(),
    };
    yaml.lines().map(own).collect::<Vec<_>>().join("\n")
}

pub(crate) async fn every_rule_refuses_what_it_forbids_and_says_why(world: &World) -> Result<()> {
    let site = &world.site;
    let mut seen = String::new();
    let mut count = 0;
    for case in REFUSED.split("\n---\n").filter(|case| case.contains("kind:")) {
        let expected = case.lines().find_map(|line| line.strip_prefix("# Refused: "));
        let expected = expected.with_context(|| format!("a case must begin with '# Refused: ': {case}"))?;
        let dry = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--dry-run=server",
            "-n",
            &site.namespace.0,
            "-f",
            "-",
        ];
        let said = match site.cluster.kubectl(&dry, case).await {
            Ok(said) => bail!("accepted, and should be refused with {expected:?}: {said}{case}"),
            Err(refusal) => format!("{refusal:#}"),
        };
        ensure!(said.contains(expected), "expected {expected:?}, got {said}");
        seen.push_str(&said);
        count += 1;
    }
    let mut rules = BTreeSet::new();
    for definition in definitions(site).await? {
        collect_rules(&serde_json::to_value(&definition)?, &mut rules);
    }
    ensure!(rules.len() > 5 && count > rules.len(), "{count} cases for {} rules", rules.len());
    let unproven: Vec<_> = rules.iter().filter(|message| !seen.contains(message.as_str())).collect();
    ensure!(unproven.is_empty(), "no case in refused.yaml breaks these rules: {unproven:#?}");
    Ok(())
}

async fn definitions(site: &Site) -> Result<Vec<CustomResourceDefinition>> {
    let api: Api<CustomResourceDefinition> = Api::all(site.cluster.client.clone());
    let all = api.list(&ListParams::default()).await?.items;
    Ok(all.into_iter().filter(|definition| definition.spec.group == crds::GROUP).collect())
}

fn collect_rules(json: &Value, messages: &mut BTreeSet<String>) {
    match json {
        Value::Object(fields) => {
            let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array);
            let said = rules.into_iter().flatten().filter_map(|rule| rule.get("message")?.as_str());
            messages.extend(said.map(String::from));
            fields.values().for_each(|value| collect_rules(value, messages));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_rules(item, messages)),
        _ => {}
    }
}

pub(crate) async fn explain_has_prose_for_every_field(world: &World) -> Result<()> {
    let site = &world.site;
    let mut fields = 0;
    for definition in definitions(site).await? {
        let kind = definition.spec.names.singular.clone().unwrap_or_default();
        let json = serde_json::to_value(&definition)?;
        let schema = json.pointer("/spec/versions/0/schema/openAPIV3Schema").context("no schema")?;
        let mut paths = Vec::new();
        for part in ["spec", "status"] {
            let within = schema.pointer(&format!("/properties/{part}")).context("no part")?;
            collect_paths(within, format!("{kind}.{part}"), &mut paths);
        }
        fields += paths.len();
        for path in paths {
            let said = site.cluster.kubectl(&["explain", &path], "").await?;
            let (_, prose) = said.split_once("DESCRIPTION:").with_context(|| format!("{path}: {said}"))?;
            let first = prose.trim().lines().next().unwrap_or_default();
            ensure!(first.contains(' ') && !first.contains("<empty>"), "{path} is explained as {first:?}");
        }
    }
    ensure!(fields > 40, "only {fields} fields were found");
    Ok(())
}

fn collect_paths(schema: &Value, path: String, paths: &mut Vec<String>) {
    let within = schema.get("items").unwrap_or(schema);
    if let Some(properties) = within.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            collect_paths(property, format!("{path}.{name}"), paths);
        }
    }
    paths.push(path);
}

pub(crate) async fn a_listing_reads_well(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("listed", &crate::credentials::keyed(site, "listed", "sk-listed")).await?;
    let secrets = site.api::<crds::ProviderSecret>();
    e2e::site::reached(&secrets, "listed", crds::ConditionType::Ready, SOON).await?;
    let expected = [
        "NAME MODELS REJECTED READY PODS AGE",
        "modelgateway.fairlead.dev/main 2 0 True 2/2 pods current",
        "NAME MODEL PROVIDER READY PODS AGE",
        "modeldeployment.fairlead.dev/listed listed custom True 2/2 pods current",
        "NAME MODEL TARGETS READY PODS AGE",
        "modelroute.fairlead.dev/hello False not served",
        "NAME SECRET USED BY READY AGE",
        "providersecret.fairlead.dev/listed listed-key 1 True",
        "NAME BUDGET SPENT REMAINING % RESETS READY AGE",
        "budgetpolicy.fairlead.dev/hello 1 requests/year",
        "NAME KEY SECRET READY STATUS AGE",
        "virtualkey.fairlead.dev/hello sk-...",
    ];
    // A status may trail by the second that each object's are spaced by.
    wait::until_true(SOON, "the listing to be as it should", async || {
        let said = site
            .cluster
            .kubectl(&["get", "mgw,mdep,mroute,psec,bpol,vkey", "-n", &site.namespace.0], "")
            .await?;
        let squeezed: Vec<String> =
            said.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for line in expected {
            ensure!(squeezed.iter().any(|have| have.starts_with(line)), "no line {line:?} in\n{said}");
        }
        eprintln!("{said}");
        Ok(true)
    })
    .await?;
    let short = site.cluster.kubectl(&["get", "fairlead", "-n", &site.namespace.0], "").await?;
    ensure!(short.contains("modelgateway") && short.contains("providersecret"), "the category lists {short}");
    Ok(())
}
