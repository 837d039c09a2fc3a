//! The end-to-end tests: one installation on a real cluster, and one scenario after the other on it. `e2e/run` builds
//! what they need and starts them; words after `--` choose scenarios by name.
//!
//! A scenario passes, fails, or is not proven: some need to stop the API server or to read its log, and a cluster that
//! somebody else runs does not allow that. What was not proven is named at the end, in capitals.

mod blackout;
mod broken;
mod budgets;
mod clients;
mod consent;
mod crash;
mod credentials;
mod faults;
mod keys;
mod manifests;
mod providers;
mod replicas;
mod rights;
mod routes;
mod scenario;
mod scope;
mod serving;
mod size;
mod upgrade;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use e2e::audit::Bookmark;
use e2e::cluster::Cluster;
use e2e::site::Site;
use scenario::{Outcome, Scenario, World, scenarios};

/// What the tests are told. `cargo test` passes on whatever stands after `--`.
#[derive(Parser)]
struct Args {
    /// The cluster to use; `e2e/cluster/up` prints one.
    #[arg(long, env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Where `e2e/cluster` keeps the cluster that it makes.
    #[arg(long, env = "FAIRLEAD_CLUSTER_DIR", default_value = "/var/tmp/fairlead-cluster")]
    state: PathBuf,
    /// For what is fetched once: the OpenAI SDK.
    #[arg(long, env = "FAIRLEAD_CACHE")]
    cache: Option<PathBuf>,
    #[arg(long, env = "HOME", default_value = "/root")]
    home: PathBuf,
    /// More values of the chart, as `crds.enabled=false` where another installation has them.
    #[arg(long)]
    set: Vec<String>,
    /// Leave the installation where it is.
    #[arg(long)]
    keep: bool,
    /// Only print the names.
    #[arg(long)]
    list: bool,
    /// Run only scenarios whose name contains one of these.
    only: Vec<String>,
}

/// In this order: what breaks least comes first, what judges the whole run last.
const SCENARIOS: &[Scenario] = scenarios![
    manifests::every_example_applies_with_strict_validation,
    manifests::every_rule_refuses_what_it_forbids_and_says_why,
    manifests::explain_has_prose_for_every_field,
    serving::an_applied_model_answers_and_is_listed,
    serving::a_stream_arrives_as_it_is_made,
    serving::tools_pass_both_ways_untouched,
    serving::an_edit_serves_anew_while_streams_finish_on_the_old,
    serving::a_deleted_model_is_gone_from_every_pod,
    serving::priority_and_weight_choose_among_deployments,
    faults::a_bad_request_is_told_what_is_wrong,
    faults::a_failing_upstream_gives_openais_errors,
    faults::a_cut_stream_ends_in_an_error_event,
    faults::a_client_that_leaves_cancels_the_upstream_call,
    faults::nobody_without_the_key_gets_in,
    manifests::a_listing_reads_well,
    credentials::a_rotated_secret_reaches_the_upstream_without_a_failed_request,
    credentials::a_rotated_master_key_replaces_the_old_one,
    credentials::no_secret_shows_in_configmaps_logs_or_statuses,
    broken::an_unknown_provider_is_named_and_the_last_good_version_serves,
    broken::a_missing_credential_is_named_and_the_last_good_version_serves,
    broken::the_last_good_version_outlives_the_operator,
    broken::a_model_that_was_never_good_is_not_served,
    budgets::a_policy_reaches_every_pod_and_reads_well,
    budgets::a_zone_that_is_not_is_named_and_the_limits_before_hold,
    budgets::of_two_policies_that_say_the_same_the_older_holds,
    budgets::a_reset_is_told_when_every_pod_has_it,
    budgets::a_full_limit_refuses_on_every_pod,
    budgets::what_is_spent_is_told_by_kubectl,
    budgets::a_threshold_that_is_reached_becomes_an_event,
    routes::a_route_of_two_deployments_reaches_every_pod_and_reads_well,
    routes::a_loop_of_fallbacks_is_told_and_the_version_before_serves,
    routes::a_model_that_is_not_there_is_told_and_the_rest_serves,
    routes::a_condition_that_is_none_is_told_with_the_facts,
    keys::an_applied_key_opens_every_pod_and_a_deleted_one_none,
    keys::a_key_may_ask_what_it_is_allowed_and_nothing_while_suspended,
    keys::an_imported_key_is_taken_and_two_of_the_same_are_told_apart,
    keys::a_rotation_drops_no_request,
    consent::a_namespace_attaches_only_where_the_gateway_lets_it,
    consent::a_credential_is_used_only_where_its_owner_lets_it,
    replicas::programmed_means_that_every_pod_answers_anew,
    replicas::a_pod_that_stands_still_holds_programmed_back,
    providers::killed_at_random_they_fail_no_request,
    clients::the_openai_sdk_works,
    clients::curl_shows_a_stream_as_it_comes,
    crash::an_operator_killed_while_publishing_converges,
    crash::a_new_pod_serves_while_there_is_no_operator,
    blackout::gateways_restart_without_the_api_server,
    upgrade::helm_test_passes,
    upgrade::a_helm_upgrade_drops_no_request,
    size::a_thousand_models_fit_in_memory,
    rights::nothing_is_written_while_nothing_changes,
    rights::the_operator_writes_no_spec,
    rights::what_is_granted_is_what_is_used,
    scope::namespaced_scope_needs_no_rights_in_the_cluster,
];

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let is_chosen =
        |s: &&Scenario| args.only.is_empty() || args.only.iter().any(|word| s.name.contains(word.as_str()));
    let chosen: Vec<&Scenario> = SCENARIOS.iter().filter(is_chosen).collect();
    if args.list {
        chosen.iter().for_each(|scenario| eprintln!("{}: test", scenario.name));
        return Ok(ExitCode::SUCCESS);
    }
    if chosen.is_empty() {
        bail!("no scenario is called like {:?}", args.only);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&args, &chosen)).or_else(|problem| {
        eprintln!("FAILED: {problem:#}"); // Without the backtrace that the default prints.
        Ok(ExitCode::FAILURE)
    })
}

async fn run(args: &Args, chosen: &[&Scenario]) -> Result<ExitCode> {
    let kubeconfig =
        args.kubeconfig.as_deref().context("KUBECONFIG is not set: there is no cluster; use e2e/run")?;
    let cluster = Cluster::connect(kubeconfig, &args.state).await?;
    let log = cluster.control.as_ref().map(|control| Bookmark::here(&control.audit_log())).transpose()?;
    let started = Instant::now();
    eprintln!("installing");
    let site = Site::install(cluster, &args.set).await?;
    eprintln!("installed into {} in {:.1} s", site.namespace.0, started.elapsed().as_secs_f64());
    let cache = args.cache.clone().unwrap_or_else(|| args.home.join(".cache/fairlead"));
    let whole = chosen.len() == SCENARIOS.len();
    let world = World { site, log, cache, whole };
    let mut outcomes = Vec::new();
    for scenario in chosen {
        outcomes.push((scenario.name, scenario.play(&world).await));
        if outcomes.last().is_some_and(|(_, outcome)| matches!(outcome, Outcome::Ruined)) {
            eprintln!("STOPPED: the installation is not what the next scenario needs");
            break;
        }
    }
    if !args.keep {
        world.site.remove().await?;
    }
    Ok(summary(&outcomes, started))
}

fn summary(outcomes: &[(&str, Outcome)], started: Instant) -> ExitCode {
    let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, outcome)| wanted(outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed | Outcome::Ruined));
    eprintln!(
        "\n{passed} passed, {failed} failed, {} not proven, {:.0} s",
        outcomes.len() - passed - failed,
        started.elapsed().as_secs_f64()
    );
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed => {}
            Outcome::Failed | Outcome::Ruined => eprintln!("FAILED      {name}"),
            Outcome::Unproven(why) => eprintln!("NOT PROVEN  {name}: {why}"),
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
