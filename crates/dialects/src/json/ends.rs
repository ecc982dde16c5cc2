//! Where the objects and lists of a body end, found in one pass.
//!
//! Receives a body; hands on the length of each container with those of all within, in the order in which they begin: so
//! whoever walks through the body finds the next one first, and need not seek. Must never be here: what is in them.

use super::after_string;

/// The most containers whose ends are noted; those of a body with more are sought where they are needed.
const MAX_ENDS: usize = 65_536;

/// One container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Container {
    /// From its first bracket to its last, in bytes.
    length: u32,
    /// How many containers are within it.
    within: u32,
}

/// The ends of all containers of a body; of none where there are too many.
#[derive(Debug, Default)]
pub(crate) struct Ends(Vec<Container>);

impl Ends {
    /// Those of the JSON in `body`. What is not closed ends with it.
    pub(crate) fn of(body: &[u8]) -> Self {
        Self(find(body).unwrap_or_default())
    }

    pub(super) fn all(&self) -> Inner<'_> {
        Inner(&self.0)
    }
}

/// The ends of the containers within one, or of what is left of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner<'a>(&'a [Container]);

impl Inner<'_> {
    /// Those of which nothing is known.
    pub(super) const UNKNOWN: Self = Self(&[]);
}

impl<'a> Inner<'a> {
    /// The length of the next container and the ends within it; nothing where they are not known.
    pub(super) fn next(&mut self) -> Option<(usize, Self)> {
        let (first, rest) = self.0.split_first()?;
        let (within, rest): (&'a [_], _) = rest.split_at_checked(first.within as usize)?;
        self.0 = rest;
        Some((first.length as usize, Self(within)))
    }
}

/// All containers in the order of their beginnings; nothing where they are too many, or too long to be counted.
fn find(json: &[u8]) -> Option<Vec<Container>> {
    let length = u32::try_from(json.len()).ok()?;
    let mut found: Vec<Container> = Vec::with_capacity(64);
    // Those not closed yet, by their places in the list. Of these `length` is where they begin, until they end.
    let mut open: Vec<usize> = Vec::with_capacity(16);
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = after_string(json, at),
            b'{' | b'[' => {
                if found.len() == MAX_ENDS {
                    return None;
                }
                open.push(found.len());
                found.push(Container { length: at as u32 - 1, within: 0 });
            }
            b'}' | b']' => close(&mut found, open.pop(), at as u32),
            _ => {}
        }
    }
    open.into_iter().rev().for_each(|one| close(&mut found, Some(one), length));
    Some(found)
}

/// Ends the container at the place `one` of the list.
fn close(found: &mut [Container], one: Option<usize>, end: u32) {
    let count = found.len();
    if let Some((one, container)) = one.and_then(|one| Some((one, found.get_mut(one)?))) {
        *container = Container { length: end - container.length, within: (count - one - 1) as u32 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(body: &str) -> Vec<(u32, u32)> {
        Ends::of(body.as_bytes()).0.iter().map(|one| (one.length, one.within)).collect()
    }

    #[test]
    fn each_container_is_noted_with_those_within() {
        for (body, expected) in [
            ("7", vec![]),
            ("\"{[\"", vec![]),
            ("{}", vec![(2, 0)]),
            (r#" {"a":[1,{}],"b\"[":[]} "#, vec![(22, 3), (6, 1), (2, 0), (2, 0)]),
            // What is not closed ends with the body, and what was never opened is nothing.
            ("[{", vec![(2, 1), (1, 0)]),
            ("]}", vec![]),
            ("[\"", vec![(2, 0)]),
        ] {
            assert_eq!(ends(body), expected, "{body}");
        }
    }

    #[test]
    fn no_more_are_noted_than_the_bound() {
        let body = |count: usize| format!("[{}]", vec!["{}"; count - 1].join(","));
        assert_eq!(ends(&body(MAX_ENDS)).len(), MAX_ENDS);
        assert_eq!(ends(&body(MAX_ENDS + 1)).len(), 0, "then they are sought where they are needed");
        // Nothing is found otherwise for that.
        for count in [MAX_ENDS, MAX_ENDS + 1] {
            let body = body(count);
            let ends = Ends::of(body.as_bytes());
            let items = super::super::Json::taken(&body, &ends).items().expect("a list");
            assert_eq!(items.filter(|item| item.get() == "{}").count(), count - 1);
        }
    }

    #[test]
    fn each_is_found_where_it_begins() {
        let ends = Ends::of(b"[[{}],[]]");
        let mut all = ends.all();
        let (length, mut within) = all.next().expect("the list");
        assert_eq!(length, 9);
        let (length, mut first) = within.next().expect("its first item");
        assert_eq!((length, first.next().map(|(length, _)| length)), (4, Some(2)));
        assert_eq!(within.next().map(|(length, _)| length), Some(2));
        assert!(within.next().is_none() && all.next().is_none());
    }
}
