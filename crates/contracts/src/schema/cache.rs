//! Compiled schemas, kept for the requests that bring the same ones again.
//!
//! Compiling takes a hundred times as long as judging. Must never be here: a lock held while something is compiled.

use super::{Schema, Unusable};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most schemas kept, those that cannot be used included; with 64 KiB for each a bound on their texts too.
const MOST: usize = 256;

/// What became of compiling a schema.
pub(crate) type Compiled = Result<Arc<Schema>, Unusable>;

/// Compiled schemas by their text. Shared by all contracts of a process.
#[derive(Debug, Default)]
pub struct Schemas {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Arc<str>, Entry>,
    /// Counts uses, to tell which entry was not used for longest.
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    compiled: Compiled,
    used: u64,
}

impl Schemas {
    /// The schema written as `text`, compiled now or before.
    pub(crate) fn get(&self, text: &Arc<str>) -> Compiled {
        if let Some(compiled) = self.known(text) {
            return compiled;
        }
        let compiled = Schema::compile(text).map(Arc::new);
        // A text over the bound is refused at once, and would only take room.
        if text.len() <= super::MAX_BYTES {
            self.keep(text, &compiled);
        }
        compiled
    }

    fn known(&self, text: &str) -> Option<Compiled> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        let entry = kept.entries.get_mut(text)?;
        entry.used = clock;
        Some(entry.compiled.clone())
    }

    fn keep(&self, text: &Arc<str>, compiled: &Compiled) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.entries.len() >= MOST && !kept.entries.contains_key(text) {
            let oldest = kept.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(text, _)| Arc::clone(text));
            oldest.and_then(|oldest| kept.entries.remove(&oldest));
        }
        let used = kept.clock;
        kept.entries.insert(Arc::clone(text), Entry { compiled: compiled.clone(), used });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_compiled_once_and_old_ones_go() {
        let schemas = Schemas::default();
        let text = |n: usize| Arc::<str>::from(format!(r#"{{"type":"object","title":"{n}"}}"#));
        let first = schemas.get(&text(0)).expect("sound");
        for n in 1..MOST + 50 {
            schemas.get(&text(n)).expect("sound");
            assert!(Arc::ptr_eq(&first, &schemas.get(&text(0)).expect("sound")), "used, so it stays");
        }
        assert_eq!(schemas.kept.lock().expect("whole").entries.len(), MOST);
        assert!(schemas.known(&text(1)).is_none(), "the oldest is gone");
        assert!(schemas.get(&Arc::from("{")).is_err() && schemas.known("{").is_some(), "failures are kept too");
    }
}
