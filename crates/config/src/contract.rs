//! A route's `contract` block in a file of its own, as `breakwater verify` takes it.

use crate::fault::{At, Fault};
use crate::lenient::Section;
use crate::reader::Reader;
use crate::{Env, Format, file, resolve, syntax};
use contracts::Policy;
use serde::Deserialize;
use serde_json::Value;

/// Reads what stands under `contract` of a route, alone or under that key. Keys that no route takes yet are allowed here.
///
/// # Errors
///
/// Every fault of the text.
pub fn contract(text: &str, format: Format, env: Env<'_>) -> Result<Policy, Vec<Fault>> {
    const KEY: &str = "contract";
    let mut at = At::root();
    let mut tree = syntax::tree(text, format).map_err(|fault| vec![fault])?;
    if let Value::Object(map) = &mut tree
        && map.len() == 1
        && let Some(inner) = map.remove(KEY)
    {
        at = at.key(KEY);
        tree = inner;
    }
    let section = Section::<file::Contract>::deserialize(tree)
        .map_err(|_| vec![Fault::new(at.as_str(), "a contract is a mapping of keys such as `require`")])?;
    let mut reader = Reader::new(env);
    let policy = resolve::contract(&mut reader, &at, section);
    if reader.faults.is_empty() { Ok(policy) } else { Err(reader.faults) }
}
