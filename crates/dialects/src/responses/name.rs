//! Names of tools that stand in a namespace, as one name that every dialect can say, and back.
//!
//! `lookup` of the namespace `crm` is `ns3_crm_lookup`: the number is the length of the namespace, so that a name is
//! taken apart in one way only. A tool outside of any namespace keeps its name; one whose name looks like that of
//! another inside is `ns0__` and its name. What is no such name is never taken apart.
//! Must never be here: what a tool is.

use std::borrow::Cow;

/// A tool's name, with its namespace where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// Empty where it stands in none.
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// The one name that stands for `name` in `namespace`, which is empty where it stands in none.
pub(super) fn flat<'a>(namespace: &str, name: &'a str) -> Cow<'a, str> {
    if namespace.is_empty() && parts(name).is_none() {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("ns{}_{namespace}_{name}", namespace.len()))
}

/// What a name stands for.
pub(super) fn apart(name: &str) -> Name<'_> {
    let plain = Name { namespace: "", name };
    match parts(name) {
        // Without a namespace only what would be mistaken otherwise is written so.
        Some(found) if found.namespace.is_empty() && parts(found.name).is_none() => plain,
        Some(found) => found,
        None => plain,
    }
}

fn parts(name: &str) -> Option<Name<'_>> {
    let rest = name.strip_prefix("ns")?;
    let (digits, rest) = rest.split_once('_')?;
    let length: usize = digits.parse().ok().filter(|length: &usize| length.to_string() == digits)?;
    let (namespace, rest) = rest.split_at_checked(length)?;
    let name = rest.strip_prefix('_').filter(|name| !name.is_empty())?;
    Some(Name { namespace, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_joined_and_taken_apart() {
        for (namespace, name, joined) in [
            ("", "lookup", "lookup"),
            ("crm", "lookup", "ns3_crm_lookup"),
            ("mcp__a_b", "c_d", "ns8_mcp__a_b_c_d"),
            ("", "ns3_crm_lookup", "ns0__ns3_crm_lookup"),
            ("", "ns3_cr_lookup", "ns3_cr_lookup"),
            ("", "ns_x", "ns_x"),
            ("", "ns03_crm_x", "ns03_crm_x"),
        ] {
            assert_eq!(flat(namespace, name), joined);
            assert_eq!(apart(joined), Name { namespace, name });
        }
        // Nobody writes this: it is a name like any other.
        assert_eq!(apart("ns0__lookup"), Name { namespace: "", name: "ns0__lookup" });
    }

    proptest! {
        #[test]
        fn every_name_comes_back(namespace in "(|ns1|[a-z_0-9]{1,6})", name in "(ns[0-9]{1,2}_)?[a-z_0-9é]{1,9}") {
            let joined = flat(&namespace, &name);
            prop_assert_eq!(apart(&joined), Name { namespace: &namespace, name: &name });
        }

        #[test]
        fn what_is_taken_apart_is_joined_again(name in "(ns[0-9]__?){0,3}[a-z_0-9]{1,9}") {
            let Name { namespace, name: inner } = apart(&name);
            if !namespace.is_empty() {
                prop_assert_eq!(flat(namespace, inner), name.as_str());
            }
        }
    }
}
