//! Where something stands in a request, for the fault that names it.
//!
//! Every object of a request has a place, and hardly one has a fault: places are steps of names that the code knows or the
//! request holds, copied and not written out until somebody is told. Must never be here: how a fault is worded.

use std::fmt;

/// The most steps that are told: no noun stands deeper.
const MAX_STEPS: usize = 8;

/// The steps to a value from the request itself, which stands at no place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    steps: [Step<'a>; MAX_STEPS],
    len: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum Step<'a> {
    #[default]
    None,
    Field(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    /// Where the field `name` of what stands here stands.
    pub(crate) fn field(self, name: &'a str) -> Self {
        self.then(Step::Field(name))
    }

    /// Where the item `at` of the list that stands here stands.
    pub(crate) fn item(self, at: usize) -> Self {
        self.then(Step::Item(at))
    }

    fn then(mut self, step: Step<'a>) -> Self {
        if let Some(free) = self.steps.get_mut(self.len) {
            *free = step;
            self.len += 1;
        }
        self
    }

    fn steps(&self) -> &[Step<'a>] {
        self.steps.get(..self.len).unwrap_or_default()
    }
}

/// As OpenAI and Google write it, `messages[0].content`; in the alternate form, `{:#}`, as Anthropic does,
/// `messages.0.content`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.steps().iter().enumerate() {
            match step {
                Step::None => {}
                Step::Field(name) if place == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(at) if f.alternate() => write!(f, ".{at}")?,
                Step::Item(at) => write!(f, "[{at}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_each_vendor_writes_them() {
        let content = Place::default().field("messages").item(3).field("content");
        for (place, plain, dotted) in [
            (Place::default(), "", ""),
            (Place::default().field("stop").item(0), "stop[0]", "stop.0"),
            (content, "messages[3].content", "messages.3.content"),
            (content.item(0).field("source"), "messages[3].content[0].source", "messages.3.content.0.source"),
        ] {
            assert_eq!((place.to_string(), format!("{place:#}")), (plain.to_owned(), dotted.to_owned()));
        }
    }

    #[test]
    fn what_is_deeper_than_the_bound_is_told_to_there() {
        let deep = (0..20).fold(Place::default(), |place, _| place.field("a"));
        assert_eq!(deep.to_string(), ["a"; MAX_STEPS].join("."));
    }
}
