//! How often a schema may judge one and the same value.
//!
//! A few lines of schema can ask for more work than there is time: references that double at each step, or branches of
//! a recursive schema that each judge all that is below. The work for a value is at most the number of its parts times
//! the most visits that one part may get; the latter depends on the schema and on how deeply the value nests, and is
//! computed here once for each schema. It counts every branch as taken, and distinguishes fields by name, so that a
//! tree of `left` and `right` grows with its nodes and not with their paths.

use super::Unusable;
use super::survey::{Part, Survey};
use crate::scan::MAX_DEPTH;
use std::collections::{BTreeMap, HashMap};

/// Counts beyond this are all the same: too many.
const MANY: u64 = 1 << 40;
/// The most edges that are followed, parts judged together counted for each.
const MAX_EDGES: usize = 40_000;

/// The most visits of one value, by the depth at which it lies.
#[derive(Debug)]
pub(super) struct Growth {
    /// Never falls; what is behind its end is as its last.
    most: Vec<u64>,
}

impl Growth {
    pub(super) fn of(survey: &Survey) -> Result<Self, Unusable> {
        let groups = Groups::of(survey)?;
        let mut visits: Vec<u64> = groups.0.iter().map(|group| group.own).collect();
        let mut most = vec![visits.first().copied().unwrap_or(1)];
        for _ in 0..MAX_DEPTH {
            let below: Vec<u64> = groups.0.iter().map(|group| group.below(&visits)).collect();
            if below == visits {
                break;
            }
            let last = most.last().copied().unwrap_or(1);
            most.push(last.max(below.first().copied().unwrap_or(0)));
            visits = below;
        }
        Ok(Self { most })
    }

    /// The most visits of one part of a value that nests so deeply.
    pub(super) fn most(&self, height: u32) -> u64 {
        let at = usize::try_from(height).unwrap_or(usize::MAX);
        self.most.get(at).or(self.most.last()).copied().unwrap_or(1).max(1)
    }
}

/// For each part of a schema: what it, and all that judges the same value with it, asks of what is below.
struct Groups(Vec<Group>);

#[derive(Default)]
struct Group {
    /// Visits of the value itself.
    own: u64,
    named: Vec<Vec<(usize, u64)>>,
    any: Vec<(usize, u64)>,
}

impl Group {
    /// The most visits of one value that lies one level deeper than `visits` tells of.
    fn below(&self, visits: &[u64]) -> u64 {
        let sum = |edges: &[(usize, u64)]| {
            let each = edges.iter().map(|(to, times)| visits.get(*to).copied().unwrap_or(0).saturating_mul(*times));
            each.fold(0u64, u64::saturating_add)
        };
        let named = self.named.iter().map(|edges| sum(edges)).max().unwrap_or(0);
        named.saturating_add(sum(&self.any)).min(MANY)
    }
}

impl Groups {
    fn of(survey: &Survey) -> Result<Self, Unusable> {
        let mut walk = Walk { parts: &survey.parts, done: vec![None; survey.parts.len()], edges: 0 };
        (0..survey.parts.len()).map(|id| walk.group(id)).collect::<Result<_, _>>().map(Self)
    }
}

/// All parts that judge the same value as one of them, each with how often it does.
type Together = BTreeMap<usize, u64>;

struct Walk<'a> {
    parts: &'a [Part],
    done: Vec<Option<Together>>,
    edges: usize,
}

impl Walk<'_> {
    fn group(&mut self, id: usize) -> Result<Group, Unusable> {
        let together = self.together(id, 0)?;
        let (mut group, mut named) = (Group::default(), HashMap::<&str, Vec<(usize, u64)>>::new());
        for (member, times) in &together {
            let Some(part) = self.parts.get(*member) else { continue };
            self.edges += part.named.len() + part.any.len() + 1;
            group.own = group.own.saturating_add(part.own.saturating_mul(*times)).min(MANY);
            group.any.extend(part.any.iter().map(|to| (*to, *times)));
            for (name, to) in &part.named {
                named.entry(name).or_default().push((*to, *times));
            }
        }
        group.named = named.into_values().collect();
        if self.edges > MAX_EDGES { Err(too_tangled()) } else { Ok(group) }
    }

    fn together(&mut self, id: usize, depth: usize) -> Result<Together, Unusable> {
        if let Some(done) = self.done.get(id).and_then(Option::as_ref) {
            return Ok(done.clone());
        }
        // Longer chains than this are circles, or meant to exhaust the stack.
        if depth > 256 {
            return Err(Unusable("refers to itself without an end, or through too many steps".into()));
        }
        let mut together = Together::from([(id, 1)]);
        let parts = self.parts;
        for (to, times) in parts.get(id).map(|part| part.same.as_slice()).unwrap_or_default() {
            for (member, inner) in self.together(*to, depth + 1)? {
                let count = together.entry(member).or_insert(0);
                *count = count.saturating_add(inner.saturating_mul(*times)).min(MANY);
                self.edges += 1;
            }
            if self.edges > MAX_EDGES {
                return Err(too_tangled());
            }
        }
        if let Some(done) = self.done.get_mut(id) {
            *done = Some(together.clone());
        }
        Ok(together)
    }
}

fn too_tangled() -> Unusable {
    Unusable("has too many parts that judge the same value".into())
}
