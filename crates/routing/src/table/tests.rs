//! The route table as its users see it: which name leads where, in which order, under which label.

use crate::{
    Balance, BuildError, Candidate, LastResort, Load, Loads, MAX_CANDIDATES, ModelChoice, ModelFacts, NoLoads, NoRoute,
    Pick, Plan, Policy, ProviderFacts, Resort, RouteSettings, RouteTable, TargetSettings,
};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
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
    RouteTable::new(routes, direct.then(Policy::default), providers()).unwrap()
}

fn providers() -> Vec<ProviderFacts> {
    ["a", "b"].map(|name| provider(name, &[], &[], 0)).into()
}

/// A provider with its domains, and the context windows of its models and of all others.
fn provider(name: &str, domains: &[&str], models: &[(&str, u64)], others: u64) -> ProviderFacts {
    let window = |tokens: u64| ModelFacts { context_window: Some(tokens), ..ModelFacts::default() };
    ProviderFacts {
        name: name.into(),
        domains: domains.iter().map(|domain| (*domain).into()).collect(),
        models: models.iter().map(|(model, tokens)| ((*model).into(), window(*tokens))).collect::<HashMap<_, _>>(),
        others: window(others),
        ..ProviderFacts::default()
    }
}

fn plan(table: &RouteTable, model: &str) -> Result<Plan, NoRoute> {
    seeded(1, |pick| table.plan(model, pick))
}

fn seeded<T>(seed: u64, with: impl FnOnce(&mut Pick<'_>) -> T) -> T {
    with(&mut Pick { rng: &mut fastrand::Rng::with_seed(seed), session: None, loads: &NoLoads })
}

fn targets(plan: &Plan) -> Vec<String> {
    plan.candidates.iter().map(|candidate| candidate.target.to_string()).collect()
}

#[test]
fn no_plan_holds_more_than_the_bound() {
    let planned = |rows: &[String], seed| {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let table = table(vec![route("r", &[], &rows)], false);
        targets(&seeded(seed, |pick| table.plan("r", pick)).unwrap())
    };
    let chain = |count| (1..=count).map(|no| format!("a/m{no} {no}")).collect::<Vec<_>>();
    let names = |count| (1..=count).map(|no| format!("a/m{no}")).collect::<Vec<_>>();
    for (written, kept) in [(63, 63), (64, 64), (65, 64), (200, 64)] {
        assert_eq!(planned(&chain(written), 1), names(kept), "{written}");
    }
    // A target that is listed twice takes the place of no other.
    let twice = [chain(1), chain(65)].concat();
    assert_eq!(planned(&twice, 1), names(64));
    // Chance may bring any of equal priority to the front, those written behind the 64th too; lower ones never.
    let equal: Vec<_> = (0..70).map(|no| format!("a/m{no} 1")).chain(["b/low 2".to_owned()]).collect();
    let seen: HashSet<_> = (0..60).flat_map(|seed| planned(&equal, seed)).collect();
    assert_eq!((seen.len(), seen.contains("b/low")), (70, false));
    assert_eq!(planned(&equal, 1).len(), MAX_CANDIDATES);
}

#[test]
fn of_a_thousand_equals_a_few_are_drawn_as_their_weights_say() {
    let rows: Vec<_> = (0..1_000).map(|no| format!("a/m{no} 2 {}", if no < 10 { 11 } else { 1 })).collect();
    for (balance, before) in [(Balance::Weighted, 0), (Balance::LeastBusy, 3), (Balance::Latency, 3)] {
        let first: Vec<_> = (0..before).map(|no| format!("b/m{no} 1")).collect();
        let rows: Vec<&str> = first.iter().chain(&rows).map(String::as_str).collect();
        let mut settings = route("r", &[], &rows);
        settings.policy.balance = balance;
        let table = table(vec![settings], false);
        let heavy = (0..400).filter(|seed| {
            let loads = Counted::default();
            let mut rng = fastrand::Rng::with_seed(*seed);
            let plan = table.plan("r", &mut Pick { rng: &mut rng, session: None, loads: &loads }).unwrap();
            let (names, priorities) = (targets(&plan), plan.candidates.iter().map(|one| one.priority));
            assert_eq!((names.len(), names.iter().collect::<HashSet<_>>().len()), (64, 64));
            assert!(priorities.is_sorted() && names[..before].iter().all(|name| name.starts_with("b/")));
            assert!(loads.0.get() <= MAX_CANDIDATES, "asked for {} loads", loads.0.get());
            names[before][3..].parse::<usize>().is_ok_and(|no| no < 10)
        });
        // 110 of 1100 parts. Idle ones are the less busy the more they weigh.
        let (heavy, busy) = (heavy.count(), balance == Balance::LeastBusy);
        assert!((20..=62).contains(&heavy) || busy && heavy > 62, "{balance:?}: {heavy} of 400");
    }
    // A session goes to the same target however many there are.
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let table = table(vec![route("r", &[], &rows)], false);
    let first = |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let plan = table.plan("r", &mut Pick { rng: &mut rng, session: Some("s"), loads: &NoLoads }).unwrap();
        plan.candidates[0].target.to_string()
    };
    assert!((1..20).all(|seed| first(seed) == first(0)));
}

#[test]
fn no_route_is_a_last_resort_twice() {
    let resort = |name: &str| LastResort::Route(name.into());
    // Each falls back on the next two: a tree of them would hold thousands.
    let routes = (0..20).map(|no: usize| {
        let mut settings = route(&format!("r{no}"), &[], &["a/m"]);
        settings.policy.last_resorts = (no + 1..20).take(2).map(|next| resort(&format!("r{next}"))).collect();
        settings
    });
    let plan = plan(&table(routes.collect(), false), "r0").unwrap();
    let (mut names, mut next) = (Vec::new(), vec![plan]);
    while let Some(plan) = next.pop() {
        names.push(plan.route.name.to_string());
        next.extend(plan.last_resorts.into_iter().rev().filter_map(|resort| match resort {
            Resort::Plan(plan) => Some(*plan),
            Resort::Static(_) => None,
        }));
    }
    assert_eq!(names, (0..20).map(|no| format!("r{no}")).collect::<Vec<_>>());
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
        let plan = seeded(seed, |pick| table.plan("first", pick)).unwrap();
        let priorities: Vec<_> = plan.candidates.iter().map(|candidate| candidate.priority).collect();
        assert_eq!(priorities, [1, 2, 2, 3]);
        assert_eq!(targets(&plan)[0], "a/first");
        heads.insert(targets(&plan)[1].clone());
        let left_out = plan.passed_over.iter().map(|one| format!("{}: {}", one.target, one.reason));
        let left_out: Vec<_> = left_out.collect();
        assert_eq!(left_out, ["b/off: weight 0", "a/first: listed twice", "b/first: listed twice"]);
    }
    assert_eq!(heads.len(), 2, "equal priority is shared");
    let named = seeded(1, |pick| table.plan_route("first", Some("named"), pick)).unwrap();
    assert_eq!(targets(&named).last().unwrap(), "b/named");
}

#[test]
fn only_its_own_name_leads_to_a_route_directly() {
    let table = table(vec![route("r1", &["other", "x-*"], &["a/m1"]), route("r2", &["r1"], &["b/*"])], true);
    for (name, model, planned) in [
        ("r1", None, Ok("a/m1")),
        ("r2", None, Ok("b/r2")),
        ("r2", Some("m"), Ok("b/m")),
        ("other", None, Err(NoRoute)),
        ("x-1", None, Err(NoRoute)),
        ("a/m", None, Err(NoRoute)),
        ("direct", None, Err(NoRoute)),
    ] {
        let plan = seeded(1, |pick| table.plan_route(name, model, pick));
        assert_eq!(plan.map(|plan| targets(&plan)), planned.map(|one| vec![one.to_owned()]), "{name} {model:?}");
    }
}

#[test]
fn a_target_listed_twice_is_one_whatever_name_makes_it_so() {
    for (listed, model, left) in [
        (&["a/m", "a/m"][..], "r", 1),
        (&["a/m", "b/m"], "r", 2),
        (&["a/*", "a/m"], "x-1", 2),
        (&["a/x-1", "a/*"], "x-1", 1),
        (&["a/*", "a/* 2"], "x-1", 1),
        (&["a/*", "b/*"], "x-1", 2),
    ] {
        let plan = plan(&table(vec![route("r", &["x-*"], listed)], false), model).unwrap();
        assert_eq!((plan.candidates.len(), plan.passed_over.len()), (left, listed.len() - left), "{listed:?}");
    }
}

#[test]
fn candidates_bear_what_is_known_of_them() {
    let a = provider("a", &["vendor a", "region eu", "vendor a"], &[("m1", 10), ("m2", 20), ("other", 30)], 40);
    let mut b = provider("b", &["region eu"], &[("m5", 60)], 50);
    b.listed = Arc::new(provider("", &[], &[("m5", 70), ("m6", 80)], 0).models);
    let routes = vec![route("r", &["*"], &["a/m1 1 7", "a/m3 2", "b/* 3 9"]), route("o", &[], &["a/other"])];
    let table = RouteTable::new(routes, Some(Policy::default()), vec![a, b]).unwrap();
    assert_eq!(table.domains().iter().map(|domain| &**domain).collect::<Vec<_>>(), ["vendor a", "region eu"]);
    let mut seen = Vec::new();
    for model in ["r", "a/m2", "a/m9", "o", "a/m1", "b/m5", "b/m6", "b/m7"] {
        let row = |one: &Candidate| {
            let (target, label) = (one.target.to_string(), one.label.name.to_string());
            (target, label, one.known, one.facts.context_window.unwrap(), one.domains.to_vec(), one.weight)
        };
        seen.extend(plan(&table, model).unwrap().candidates.iter().map(row));
    }
    let expected = [
        ("a/m1", "a/m1", true, 10, &[0, 1][..], 7),
        ("a/m3", "a/m3", true, 40, &[0, 1], 1),
        ("b/r", "b/other", false, 50, &[1], 9),
        ("a/m2", "a/other", false, 20, &[0, 1], 1),
        ("a/m9", "a/other", false, 40, &[0, 1], 1),
        ("a/other", "a/other", false, 30, &[0, 1], 1),
        ("a/m1", "a/m1", true, 10, &[0, 1], 1),
        ("b/m5", "b/other", false, 60, &[1], 1),
        ("b/m6", "b/other", false, 80, &[1], 1),
        ("b/m7", "b/other", false, 50, &[1], 1),
    ];
    let expected = expected.map(|(target, label, known, window, domains, weight)| {
        (target.to_owned(), label.to_owned(), known, window, domains.to_vec(), weight)
    });
    assert_eq!(seen, expected);
}

#[test]
fn every_label_has_a_seat() {
    let a = provider("a", &["x", "y"], &[], 0);
    let b = provider("b", &["y", "z"], &[("listed", 1)], 0);
    let routes = vec![route("r", &[], &["a/m1", "b/m2", "b/*"]), route("s", &[], &["b/other", "a/m1"])];
    let table = RouteTable::new(routes, None, vec![a, b]).unwrap();
    let seats = table.targets();
    let labels: Vec<_> = seats.iter().map(|seat| seat.label.clone()).collect();
    assert_eq!(labels, table.target_labels());
    assert!(labels.iter().enumerate().all(|(place, label)| label.index == place));
    let rows = seats.iter().map(|seat| {
        let target = seat.target.as_ref().map(ToString::to_string);
        (seat.label.name.to_string(), target, seat.provider, seat.domains.to_vec())
    });
    let row = |label: &str, known: bool, provider: usize, domains: [usize; 2]| {
        (label.to_owned(), known.then(|| label.to_owned()), provider, domains.to_vec())
    };
    let expected = [
        row("a/m1", true, 0, [0, 1]),
        row("b/m2", true, 1, [1, 2]),
        row("b/other", false, 1, [1, 2]),
        row("a/other", false, 0, [0, 1]),
    ];
    assert!(rows.eq(expected), "{seats:?}");
}

/// Answers nothing of interest, and counts how often it is asked.
#[derive(Default)]
struct Counted(Cell<usize>);

impl Loads for Counted {
    fn load(&self, _: &Candidate) -> Load {
        self.0.set(self.0.get() + 1);
        Load::default()
    }
}

#[test]
fn a_plan_touches_the_targets_of_its_own_route_only() {
    let busy = |number: usize| {
        let targets = [0, 1, 2].map(|target| format!("a/m{number}-{target}"));
        let targets: Vec<_> = targets.iter().map(String::as_str).collect();
        let mut route = route(&format!("r{number}"), &[], &targets);
        route.policy.balance = Balance::LeastBusy;
        route
    };
    let table = table((0..1_000).map(busy).collect(), false);
    assert_eq!(table.targets().len(), 3_002);
    for number in [0, 500, 999] {
        let loads = Counted::default();
        let mut pick = Pick { rng: &mut fastrand::Rng::with_seed(1), session: None, loads: &loads };
        let plan = table.plan(&format!("r{number}"), &mut pick).unwrap();
        assert_eq!((plan.candidates.len(), loads.0.get()), (3, 3));
    }
}

#[test]
fn a_session_stays_with_its_target_within_each_priority() {
    let table = table(vec![route("r", &[], &["a/m1", "a/m2 1 3", "b/m3", "a/late 2", "b/late 2"])], false);
    let mut heads = HashSet::new();
    for number in 0..50 {
        let session = format!("session-{number}");
        let order = |seed| {
            let mut pick = Pick { rng: &mut fastrand::Rng::with_seed(seed), session: Some(&session), loads: &NoLoads };
            targets(&table.plan("r", &mut pick).unwrap())
        };
        let first = order(0);
        assert!((1..5).all(|seed| order(seed) == first));
        assert!(first[3..].iter().all(|target| target.ends_with("/late")), "{first:?}");
        heads.insert(first[0].clone());
    }
    assert_eq!(heads.len(), 3, "sessions are shared out");
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
    let build = |routes| RouteTable::new(routes, None, providers()).map(drop);
    let unknown = BuildError::UnknownProvider { route: "r".into(), provider: "c".into() };
    for (routes, error) in [
        (vec![route("r", &[], &["c/m"])], unknown),
        (vec![route("r", &[], &[]), route("r", &[], &[])], BuildError::NamedTwice { route: "r".into() }),
        (vec![route("none", &[], &[])], BuildError::ReservedName { route: "none".into() }),
    ] {
        assert_eq!(build(routes), Err(error));
    }
}
