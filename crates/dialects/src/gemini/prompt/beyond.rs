//! Fields of a request that are no noun: where Google's own go, which of others' it cannot do without, which are left out.
//!
//! Must never be here: how a body is written.

use super::super::json::Object;
use crate::Unsayable;
use crate::essential::{Fate, fate};
use crate::hosted::is_hosted;
use llm::Other;

/// Google's own fields beside what is said.
const TOP: [&str; 5] = ["safetySettings", "labels", "modelArmorConfig", "serviceTier", "outputConfig"];

/// The fields that are no noun, each where it goes.
#[derive(Debug, Default)]
pub(super) struct Beyond<'a> {
    /// Beside what is said.
    pub(super) top: Vec<(&'a str, &'a str)>,
    /// In `generationConfig`.
    pub(super) config: Vec<(&'a str, &'a str)>,
    /// In `toolConfig`.
    pub(super) tool_config: Vec<(&'a str, &'a str)>,
    /// Whether thoughts are wanted in the answer, where that is said by itself.
    pub(super) thoughts: Option<bool>,
    /// What nobody here has a word for.
    pub(super) left_out: Vec<String>,
}

impl<'a> Beyond<'a> {
    /// Finds the place of each field.
    pub(super) fn of(others: &'a [Other]) -> Result<Self, Unsayable> {
        let mut beyond = Self::default();
        for other in others.iter().filter(|other| !is_hosted(&other.name)) {
            beyond.put(&other.name, &other.json)?;
        }
        Ok(beyond)
    }

    fn put(&mut self, name: &'a str, json: &'a str) -> Result<(), Unsayable> {
        if name == "generationConfig.thinkingConfig.includeThoughts" {
            self.thoughts = Some(json == "true");
            return Ok(());
        }
        let (group, field) = name.split_once('.').unwrap_or(("", name));
        match group {
            "" if TOP.contains(&field) => self.top.push((field, json)),
            "generationConfig" if !field.contains('.') => self.config.push((field, json)),
            "toolConfig" if !field.contains('.') => self.tool_config.push((field, json)),
            _ => match fate(name, json) {
                Fate::Nothing => {}
                Fate::LeftOut => self.left_out.push(name.to_owned()),
                Fate::Refused(why) => return Err(Unsayable { field: name.to_owned(), why: why.to_owned() }),
            },
        }
        Ok(())
    }
}

/// Adds `fields` to `object`.
pub(super) fn add(object: &mut Object<'_>, fields: &[(&str, &str)]) {
    for (name, json) in fields {
        object.json(name, json);
    }
}
