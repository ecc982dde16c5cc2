//! The route table as its users see it: which name leads where, in which order, under which label.

use crate::{BuildError, ModelChoice, NoRoute, Plan, Policy, RouteSettings, RouteTable, TargetSettings};
use std::collections::HashSet;
use std::sync::Arc;

/// `provider/model priority weight`; a model of `*` is the one requested.
fn target(text: &str) -> TargetSettings {
    let mut words = text.split(' ');
    let (provider, model) = words.next().unwrap().split_once('/').unwrap();
    let mut number = |default| words.next().map_or(default, |word| word.parse().unwrap());
    let model = if model == "*" { ModelChoice::AsRequested } else { ModelChoice::Fixed(model.into()) };
    TargetSettings { provider: provider.into(), model, priority: number(1), weight: number(1) }
}

fn route(name: &str, aliases: &[&str], targets: &[&str]) -> RouteSettings {
    RouteSettings {
        name: name.into(),
        aliases: aliases.iter().map(ToString::to_string).collect(),
        targets: targets.iter().map(|text| target(text)).collect(),
        policy: Policy::default(),
    }
}

fn table(routes: Vec<RouteSettings>, direct: bool) -> RouteTable {
    RouteTable::new(routes, direct.then(Policy::default), &providers()).unwrap()
}

fn providers() -> [Arc<str>; 2] {
    ["a".into(), "b".into()]
}

fn plan(table: &RouteTable, model: &str) -> Result<Plan, NoRoute> {
    table.plan(model, &mut fastrand::Rng::with_seed(1))
}

fn targets(plan: &Plan) -> Vec<String> {
    plan.candidates.iter().map(|candidate| candidate.target.to_string()).collect()
}

#[test]
fn a_name_leads_to_the_most_exact_meaning_it_has() {
    let routes = vec![
        route("chat", &["gpt", "fast-*", "a/alias"], &["a/m1"]),
        route("gpt-x", &["fast-mini*", "*-mini", "chat"], &["b/m2"]),
        route("rest", &["*"], &["b/*"]),
    ];
    let (with, without) = (table(routes.clone(), true), table(routes, false));
    for (model, route, target) in [
        ("chat", "chat", "a/m1"),
        ("gpt", "chat", "a/m1"),
        ("a/alias", "chat", "a/m1"),
        ("fast-large", "chat", "a/m1"),
        ("fast-mini", "gpt-x", "b/m2"),
        ("fast-m-mini", "chat", "a/m1"),
        ("a/new/er", "direct", "a/new/er"),
        ("c/m", "rest", "b/c/m"),
        ("a/", "rest", "b/a/"),
        ("rest", "rest", "b/rest"),
    ] {
        let plan = plan(&with, model).unwrap();
        assert_eq!((&*plan.route.name, &*targets(&plan)), (route, &[target.to_owned()][..]), "{model}");
        assert_eq!(with.route_of(model), Some(&plan.route), "{model}");
    }
    assert_eq!(targets(&plan(&without, "a/new").unwrap()), ["b/a/new"], "direct calls are off");
    let strict = table(vec![route("chat", &[], &["a/m1"])], true);
    assert_eq!(plan(&strict, "other"), Err(NoRoute));
    assert!(!strict.knows("other") && strict.knows("b/other"));
    for odd in ["a/\n", &format!("a/{}", "x".repeat(511))] {
        assert_eq!(plan(&with, odd), Err(NoRoute), "{odd:?}");
    }
    assert_eq!(with.models(), ["chat", "gpt", "a/alias", "gpt-x", "rest"]);
}

#[test]
fn a_route_that_only_passes_names_on_shows_the_better_ones() {
    for (aliases, targets, shown) in [
        (&["gpt-x", "gpt-*"][..], &["a/*"][..], &["gpt-x"][..]),
        (&["*"], &["a/*"], &["route"]),
        (&["gpt-x"], &["a/*", "b/fixed"], &["route", "gpt-x"]),
    ] {
        assert_eq!(table(vec![route("route", aliases, targets)], false).models(), shown, "{aliases:?} {targets:?}");
    }
}

#[test]
fn targets_are_ordered_by_priority_each_once_and_the_rest_explained() {
    let listed = ["a/late 3", "b/off 1 0", "a/first 1", "b/mid 2 5", "b/first 2 1", "b/* 4", "a/first 3"];
    let table = table(vec![route("first", &[], &listed)], true);
    let mut heads = HashSet::new();
    for seed in 0..50 {
        let plan = table.plan("first", &mut fastrand::Rng::with_seed(seed)).unwrap();
        let priorities: Vec<_> = plan.candidates.iter().map(|candidate| candidate.priority).collect();
        assert_eq!(priorities, [1, 2, 2, 3]);
        assert_eq!(targets(&plan)[0], "a/first");
        heads.insert(targets(&plan)[1].clone());
        let left_out = plan.passed_over.iter().map(|one| format!("{}: {}", one.target, one.reason));
        let left_out: Vec<_> = left_out.collect();
        assert_eq!(left_out, ["b/off: weight 0", "a/first: listed twice", "b/first: listed twice"]);
    }
    assert_eq!(heads.len(), 2, "equal priority is shared");
    let named = table.plan_route("first", Some("named"), &mut fastrand::Rng::with_seed(1)).unwrap();
    assert_eq!(targets(&named).last().unwrap(), "b/named");
    assert_eq!(table.plan_route("a/m", None, &mut fastrand::Rng::with_seed(1)), Err(NoRoute));
}

#[test]
fn labels_are_fixed_by_the_configuration() {
    let routes = vec![route("r1", &[], &["a/m1", "b/m2"]), route("r2", &[], &["b/m2", "a/*"])];
    let table = table(routes, true);
    let names = |labels: Vec<llm::Label>| {
        assert!(labels.iter().enumerate().all(|(place, label)| label.index == place));
        labels.iter().map(|label| label.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(table.route_labels()), ["r1", "r2", "direct", "none"]);
    assert_eq!(names(table.target_labels()), ["a/m1", "b/m2", "a/other", "b/other"]);
    assert_eq!((table.direct().index, table.none().index), (2, 3));
    let mut seen: HashSet<_> = (0..10_000)
        .map(|number| plan(&table, &format!("a/new-{number}")).unwrap().candidates.remove(0).label)
        .collect();
    assert_eq!(seen.drain().map(|label| label.index).collect::<Vec<_>>(), [2]);
    assert_eq!(&*plan(&table, "b/m2").unwrap().candidates[0].label.name, "b/m2");
    assert_eq!(plan(&table, "b/m2").unwrap().candidates[0].provider, 1);
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let build = |routes| RouteTable::new(routes, None, &providers()).map(drop);
    let unknown = BuildError::UnknownProvider { route: "r".into(), provider: "c".into() };
    for (routes, error) in [
        (vec![route("r", &[], &["c/m"])], unknown),
        (vec![route("r", &[], &[]), route("r", &[], &[])], BuildError::NamedTwice { route: "r".into() }),
        (vec![route("none", &[], &[])], BuildError::ReservedName { route: "none".into() }),
    ] {
        assert_eq!(build(routes), Err(error));
    }
}
