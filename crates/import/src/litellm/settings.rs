//! What stands beside `model_list`: how calls are routed, who may make them, what else the proxy does.

use super::deployment::Group;
use super::fallbacks::{Fallbacks, When};
use super::fields::{Fields, count, list, millis, rest, take, take_fields, take_list, take_text, text, variable};
use crate::finding::Findings;
use crate::gateway::{Gateway, Target};
use serde_json::Value;

/// Strategies, what we call them, and what is different.
const STRATEGIES: &[(&str, &str, &str)] = &[
    ("simple-shuffle", "weighted", ""),
    ("least-busy", "least_busy", ""),
    ("latency-based-routing", "latency", "the quicker of two that are drawn, by their time to first content"),
    (
        "usage-based-routing",
        "least_busy",
        "by calls under way; quotas that run low steer calls elsewhere by themselves",
    ),
    (
        "usage-based-routing-v2",
        "least_busy",
        "by calls under way; quotas that run low steer calls elsewhere by themselves",
    ),
    ("cost-based-routing", "cost", "on routes all of whose prices are known"),
];

/// Whether entries share calls by what they take in a minute.
pub(super) fn is_shuffled(file: &Fields) -> bool {
    let router = file.get("router_settings").and_then(Value::as_object);
    router.and_then(|router| router.get("routing_strategy")).is_none_or(|strategy| strategy == "simple-shuffle")
}

/// Takes all sections.
pub(super) fn all(gateway: &mut Gateway, mut file: Fields, groups: &[Group], findings: &mut Findings) {
    let mut fallbacks = Fallbacks::new(gateway);
    for at in ["router_settings", "litellm_settings"] {
        let Some(mut section) = take_fields(&mut file, "", at, findings) else { continue };
        calls(gateway, &mut section, at, findings);
        stand_ins(gateway, &mut fallbacks, &mut section, at, findings);
        if at == "router_settings" {
            router(gateway, section, at, groups, findings);
        } else {
            proxy(section, at, findings);
        }
    }
    fallbacks.allow_attempts(gateway);
    if let Some(section) = take_fields(&mut file, "", "general_settings", findings) {
        general(gateway, section, findings);
    }
    for (name, _) in take_fields(&mut file, "", "environment_variables", findings).unwrap_or_default() {
        findings
            .manual(&format!("environment_variables.{name}"), "set it where breakwater runs; its value is not copied");
    }
    rest(&file, "", findings, |key| match key {
        "guardrails" => "contracts on routes check answers: see `contract`",
        "mcp_servers" | "vector_store_registry" | "search_tools" => "tools are the client's",
        _ => "there is nothing like it",
    });
}

/// Keys that either section may hold.
fn calls(gateway: &mut Gateway, section: &mut Fields, at: &str, findings: &mut Findings) {
    let from = |key: &str| format!("{at}.{key}");
    for key in ["timeout", "request_timeout"] {
        if let Some(total) = take(section, at, key, findings, millis) {
            gateway.defaults.total = Some(total);
            findings.approximate(&from(key), "defaults.timeouts.total", "for the whole call with all its attempts");
        }
    }
    if let Some(first) = take(section, at, "stream_timeout", findings, millis) {
        gateway.defaults.first_token = Some(first);
        let why = "until the first content, of whole answers too";
        findings.approximate(&from("stream_timeout"), "defaults.timeouts.first_token", why);
    }
    let why = "the first attempt and those at other targets included";
    if let Some(retries) = take(section, at, "num_retries", findings, |value| count(value).filter(|n| *n < 1000)) {
        gateway.defaults.max_attempts = Some(retries + 1);
        findings.approximate(&from("num_retries"), "defaults.retry.max_attempts", why);
    }
    if let Some(policy) = take_fields(section, at, "retry_policy", findings) {
        let most = policy.values().filter_map(count).filter(|n| *n < 1000).max();
        if let (None, Some(most)) = (gateway.defaults.max_attempts, most) {
            gateway.defaults.max_attempts = Some(most + 1);
        }
        let why =
            "what is tried again follows from the failure; only how often is taken over, of num_retries or the most";
        findings.approximate(&from("retry_policy"), "defaults.retry.max_attempts", why);
    }
    if let Some(fails) = take(section, at, "allowed_fails", findings, |value| count(value).filter(|n| *n < 1_000_000)) {
        gateway.defaults.consecutive = Some(fails + 1);
        findings.approximate(&from("allowed_fails"), "defaults.breaker.consecutive", "in a row, not within a minute");
    }
    if let Some(open) = take(section, at, "cooldown_time", findings, millis) {
        gateway.defaults.open = Some(open);
        findings.approximate(
            &from("cooldown_time"),
            "defaults.breaker.open",
            "twice as long after each probe that fails",
        );
    }
}

fn stand_ins(
    gateway: &mut Gateway,
    fallbacks: &mut Fallbacks,
    section: &mut Fields,
    at: &str,
    findings: &mut Findings,
) {
    for (key, when) in [
        ("fallbacks", When::Failed),
        ("context_window_fallbacks", When::TooLong),
        ("content_policy_fallbacks", When::Withheld),
    ] {
        if let Some(value) = take_list(section, at, key, findings) {
            fallbacks.read(gateway, value, &format!("{at}.{key}"), when, findings);
        }
    }
    if let Some(spares) = section.remove("default_fallbacks").filter(|spares| !spares.is_null()) {
        fallbacks.read_for_all(gateway, &spares, &format!("{at}.default_fallbacks"), findings);
    }
}

fn router(gateway: &mut Gateway, mut section: Fields, at: &str, groups: &[Group], findings: &mut Findings) {
    if let Some(strategy) = take_text(&mut section, at, "routing_strategy", findings) {
        balance(gateway, &strategy, &format!("{at}.routing_strategy"), groups, findings);
    }
    aliases(
        gateway,
        take_fields(&mut section, at, "model_group_alias", findings).unwrap_or_default(),
        &format!("{at}.model_group_alias"),
        findings,
    );
    if section.remove("enable_pre_call_checks").is_some() {
        let why = "a question that is too long goes to a larger window once a provider has said so";
        findings.approximate(&format!("{at}.enable_pre_call_checks"), "", why);
    }
    rest(&section, at, findings, |key| match key {
        "redis_host" | "redis_port" | "redis_password" | "redis_url" => "replicas share no state in this version",
        "allowed_fails_policy" => "which failures count follows from the failure: see `breaker`",
        "enable_tag_filtering" | "tag_filtering_match_any" => "routes are chosen by name",
        _ => "there is nothing like it",
    });
}

fn balance(gateway: &mut Gateway, strategy: &str, at: &str, groups: &[Group], findings: &mut Findings) {
    let Some((_, ours, why)) = STRATEGIES.iter().find(|(theirs, ..)| *theirs == strategy) else {
        return findings.unsupported(at, "there is no such strategy; calls are shared by weight");
    };
    if *ours != "cost" {
        gateway.defaults.balance = Some(ours);
        return match why.is_empty() {
            true => findings.exact(at, "defaults.balance"),
            false => findings.approximate(at, "defaults.balance", *why),
        };
    }
    let all: Vec<_> = groups.iter().flat_map(|group| &group.deployments).collect();
    let priced = |target: &Target| {
        all.iter().any(|one| one.priced && (&one.provider, &one.model) == (&target.provider, &target.model))
    };
    for route in &mut gateway.routes {
        let alike = |one: &Target| route.targets.iter().filter(|other| other.priority == one.priority).count() > 1;
        let compared: Vec<_> = route.targets.iter().filter(|target| alike(target)).collect();
        if !compared.is_empty() && compared.into_iter().all(priced) {
            route.policy.balance = Some(ours);
        }
    }
    findings.approximate(at, "routes.*.balance", *why);
}

fn aliases(gateway: &mut Gateway, aliases: Fields, at: &str, findings: &mut Findings) {
    for (alias, group) in aliases {
        let from = format!("{at}.{alias}");
        let hidden = group.get("hidden").and_then(Value::as_bool) == Some(true);
        let group = text(group.get("model").cloned().or(Some(group)));
        let taken = gateway.routes.iter().any(|route| route.name == alias || route.aliases.contains(&alias));
        let route = gateway.routes.iter_mut().find(|route| Some(&route.name) == group.as_ref());
        match route.filter(|_| !taken && !alias.is_empty()) {
            Some(route) => {
                findings_of_alias(&from, &route.name, hidden, findings);
                route.aliases.push(alias);
            }
            None => findings.manual(&from, "its group has not become a route, or the name is taken"),
        }
    }
}

fn findings_of_alias(from: &str, route: &str, hidden: bool, findings: &mut Findings) {
    let to = format!("routes.{route}.aliases");
    match hidden {
        true => findings.approximate(from, to, "it is listed among the models"),
        false => findings.exact(from, to),
    }
}

fn proxy(mut section: Fields, at: &str, findings: &mut Findings) {
    for key in ["callbacks", "success_callback", "failure_callback", "service_callback"] {
        let Some(value) = section.remove(key) else { continue };
        let from = format!("{at}.{key}");
        let named = list(Some(value.clone())).unwrap_or_else(|| vec![value]);
        for name in named {
            match text(Some(name)).as_deref() {
                Some("prometheus") => findings.exact(&from, "/metrics on the admin listener"),
                _ => findings.unsupported(&from, "records of calls go to the access log and the metrics"),
            }
        }
    }
    for key in ["set_verbose", "json_logs"] {
        if section.remove(key).is_some() {
            findings.manual(&format!("{at}.{key}"), "set RUST_LOG or --log-format where breakwater runs");
        }
    }
    rest(&section, at, findings, |key| match key {
        "cache" | "cache_params" => "answers are not kept in this version",
        "drop_params" | "modify_params" => "what a target cannot be told is reported or refused",
        "enable_json_schema_validation" => {
            "answers are checked by the schema that their request declares without a word"
        }
        "redact_user_api_key_info" | "turn_off_message_logging" => "what is said is never logged",
        _ => "there is nothing like it",
    });
}

fn general(gateway: &mut Gateway, mut section: Fields, findings: &mut Findings) {
    let at = "general_settings";
    if let Some(key) = take_text(&mut section, at, "master_key", findings) {
        let name = variable(&key).unwrap_or("LITELLM_MASTER_KEY");
        gateway.callers.push(("master".to_owned(), format!("${{{name}}}")));
        let why = match variable(&key) {
            Some(_) => "as the one caller, who administers nothing".to_owned(),
            None => format!(
                "as the one caller, who administers nothing; a literal secret is not copied: set the variable {name}"
            ),
        };
        findings.approximate(&format!("{at}.master_key"), "callers", why);
    }
    if section.remove("health_check_interval").is_some() {
        findings.approximate(&format!("{at}.health_check_interval"), "", "breakers watch the calls themselves");
    }
    rest(&section, at, findings, |key| match key {
        "database_url" | "store_model_in_db" => "keys of a database are not read: list them as `callers`",
        "background_health_checks" => "breakers watch the calls themselves, and probe by them",
        "alerting" | "alerting_threshold" => "alerts start from the metrics: see deploy/prometheus",
        "max_parallel_requests" | "global_max_parallel_requests" => "give callers a `concurrency`",
        _ => "there is nothing like it",
    });
}
