//! Documents that an answer may cite: they stand beside what is said.
//!
//! Must never be here: pictures.

use crate::Unsayable;
use crate::hints::unsayable;
use crate::shape::Shape;
use crate::thin::{Raw, is_object, read};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A document.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Document<'a> {
    Told {
        data: Data<'a>,
    },
    /// Of a client that knows Cohere's form, or as the data alone, which others take.
    Declared {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Raw<'a>,
        data: &'a RawValue,
    },
    /// As it came.
    Whole(&'a RawValue),
}

/// What a document holds.
#[derive(Debug, Serialize)]
pub(super) struct Data<'a> {
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
}

impl<'a> Document<'a> {
    pub(super) fn told(text: Cow<'a, str>, title: &'a str) -> Self {
        Self::Told { data: Data { text, title } }
    }
}

/// The documents in a client's own field `documents`: texts, objects with `data`, or the data alone.
///
/// # Errors
/// What is none of these.
pub(super) fn declared(raw: &RawValue) -> Result<Vec<Document<'_>>, Unsayable> {
    let wrong = || unsayable("documents", "holds something else than texts and objects");
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    list.into_iter().map(|raw| one(raw).ok_or_else(wrong)).collect()
}

fn one(raw: &RawValue) -> Option<Document<'_>> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow, default)]
        id: Raw<'a>,
        #[serde(borrow, default)]
        data: Raw<'a>,
    }
    match Shape::of(raw) {
        Shape::Text { .. } => Some(Document::Whole(raw)),
        Shape::Object => {
            let fields: Fields<'_> = read(raw.get().as_bytes())?;
            let id = fields.id.filter(|id| matches!(Shape::of(id), Shape::Text { empty: false }));
            Some(if is_object(fields.data) { Document::Whole(raw) } else { Document::Declared { id, data: raw } })
        }
        _ => None,
    }
}
