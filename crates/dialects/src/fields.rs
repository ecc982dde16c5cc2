//! The entries of one object of a request, taken out one by one: what is left at the end is what nobody knew.
//!
//! Must never be here: which entries there are, and how a fault in one is worded.

use crate::json::Json;
use std::borrow::Cow;

/// The entries of an object that say something: null is nothing.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Fields<'a> {
    /// Those of `json`; nothing where it is no object.
    pub(crate) fn of(json: Json<'a>) -> Option<Self> {
        Self::spelled(json, |name| name)
    }

    /// The same, each name as `spell` spells it.
    pub(crate) fn spelled(json: Json<'a>, spell: impl Fn(Cow<'a, str>) -> Cow<'a, str>) -> Option<Self> {
        let said = json.entries()?.filter(|(_, value)| !value.is_null());
        Some(Self(said.map(|(name, value)| (spell(name), value)).collect()))
    }

    /// The value of `name`, which stays. Of several the last counts, as every parser has it.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'a>> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// Takes out `name`, however often it stands there.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let found = self.get(name)?;
        self.0.retain(|(known, _)| known != name);
        Some(found)
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

impl<'a> IntoIterator for Fields<'a> {
    type Item = (Cow<'a, str>, Json<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Where the field `name` of what stands at `at` stands: made by hand, since every object of a request has a place, and
/// formatting one costs more than reading it.
pub(crate) fn under(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { [at, ".", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_once_and_the_last_of_a_name_counts() {
        let json = Json::parse(r#"{"a":1,"b":null,"c":2,"a":3}"#).expect("JSON");
        let mut fields = Fields::of(json).expect("an object");
        assert_eq!(fields.get("a").map(Json::get), Some("3"));
        assert_eq!(fields.take("a").map(Json::get), Some("3"));
        assert_eq!((fields.take("a"), fields.take("b")), (None, None));
        assert!(!fields.is_empty());
        let left: Vec<_> = fields.into_iter().map(|(name, value)| (name, value.get())).collect();
        assert_eq!(left, [(Cow::Borrowed("c"), "2")]);
        assert!(Fields::of(Json::parse("[]").expect("JSON")).is_none());
    }

    #[test]
    fn places_are_joined_by_dots() {
        assert_eq!((under("", "a"), under("a[0]", "b")), ("a".to_owned(), "a[0].b".to_owned()));
    }
}
