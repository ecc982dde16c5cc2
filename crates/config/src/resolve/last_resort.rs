//! `last_resort`: what a client gets where no target answered. Routes that lead back to themselves are refused.

use crate::fault::{At, did_you_mean, quote};
use crate::file::{self, List};
use crate::lenient::Section;
use crate::reader::Reader;
use routing::{LastResort, RouteSettings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// That one route falls back on another, and where it says so.
pub(crate) struct Leads {
    pub(crate) at: At,
    pub(crate) from: Arc<str>,
    pub(crate) to: Arc<str>,
}

/// The entries of the list at `at`, with their places; `None` where nothing is written.
pub(crate) fn all(
    reader: &mut Reader<'_>,
    at: &At,
    list: List<Section<file::LastResort>>,
    routes: &BTreeSet<String>,
) -> Option<Vec<(At, LastResort)>> {
    let mut resorts: Vec<(At, LastResort)> = Vec::new();
    for (at, section) in reader.list(at, list)? {
        let entry = reader.section(&at, section);
        if matches!(resorts.last(), Some((_, LastResort::Static(_)))) {
            reader.fault(&at, "stands behind a static answer, so it could never act");
        }
        resorts.extend(one(reader, &at, entry, routes));
    }
    Some(resorts)
}

fn one(
    reader: &mut Reader<'_>,
    at: &At,
    entry: file::LastResort,
    routes: &BTreeSet<String>,
) -> Option<(At, LastResort)> {
    let (route_at, answer_at) = (at.key("route"), at.key("static"));
    if entry.route.is_absent() == entry.answer.is_absent() {
        reader.fault(at, "takes either `route` or `static`");
        return None;
    }
    if let Some(route) = reader.text(&route_at, entry.route) {
        if routes.contains(&route.value) {
            return Some((route_at, LastResort::Route(route.value.into())));
        }
        let guess = did_you_mean(&route.written, routes.iter().map(String::as_str));
        reader.fault(&route_at, format!("no route is named {}{guess}", quote(&route.written)));
    }
    let answer = reader.text(&answer_at, entry.answer)?;
    if answer.value.trim().is_empty() {
        reader.fault(&answer_at, "is empty");
    }
    Some((answer_at, LastResort::Static(answer.value.into())))
}

/// What `route` inherits: a route that is a last resort itself keeps the static answers alone.
pub(crate) fn inherited(base: &[LastResort], route: &str) -> Vec<LastResort> {
    let is_one = base.iter().any(|resort| matches!(resort, LastResort::Route(name) if &**name == route));
    base.iter().filter(|resort| !is_one || matches!(resort, LastResort::Static(_))).cloned().collect()
}

/// Notes a fault for each written last resort that closes a circle. Inherited ones close none by themselves: they lead
/// only to routes that inherit no route.
pub(crate) fn refuse_circles(reader: &mut Reader<'_>, routes: &[RouteSettings], written: &[Leads]) {
    let mut graph: BTreeMap<&str, Vec<&str>> = routes.iter().map(|route| (&*route.name, led_to(route))).collect();
    for Leads { at, from, to } in written {
        let message = if from == to {
            "is this route itself".to_owned()
        } else if reaches(&graph, to, from) {
            format!("{} leads back to this route", quote(to))
        } else {
            continue;
        };
        reader.fault(at, message);
        // Told once: without it, the rest of its circle is none.
        if let Some(nexts) = graph.get_mut(&**from) {
            nexts.retain(|next| *next != &**to);
        }
    }
}

fn led_to(route: &RouteSettings) -> Vec<&str> {
    let resorts = route.policy.last_resorts.iter();
    resorts
        .filter_map(|resort| match resort {
            LastResort::Route(name) => Some(&**name),
            LastResort::Static(_) => None,
        })
        .collect()
}

fn reaches(graph: &BTreeMap<&str, Vec<&str>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(route) = next.pop() {
        if route == to {
            return true;
        }
        if seen.insert(route) {
            next.extend(graph.get(route).into_iter().flatten().copied().filter(|next| !seen.contains(next)));
        }
    }
    false
}
