//! What may be a name: it becomes a metric label and a response header.

/// The longest name of a provider, route or caller, in bytes.
const LONGEST: usize = 64;

/// Whether `name` can be shown in labels and headers; the error completes "`x` ...".
pub(crate) fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is no name: it is empty");
    }
    if name.len() > LONGEST {
        return Err("is too long a name: 64 characters are the most");
    }
    if !name.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("is no name: only printable ASCII without spaces");
    }
    Ok(())
}
