//! What a request demands of its answer, read from its bytes when somebody asks.
//!
//! A field of a shape unknown here demands nothing: whether it may stand there is the provider's to judge.
//! Must never be here: compiling schemas, judging answers.

use super::super::wire::{Raw, fields, list, object, text};
use super::read::demands;
use llm::{Declared, Terms, Tool};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The most items, and ids in them, that are read: more than any provider takes.
const MOST: usize = 4096;

/// Reads what the request in `raw` demands of its answer.
#[must_use]
pub fn terms(raw: &[u8]) -> Terms {
    let prompt = demands(raw);
    let tool = |declared: Declared| Tool { name: declared.name, takes: declared.takes };
    Terms {
        format: prompt.format,
        tools: prompt.tools.into_iter().take(MOST).map(tool).collect(),
        tool_choice: prompt.tool_choice,
        one_call: prompt.parallel_calls == Some(false),
        citable: citable(raw),
    }
}

/// Ids of items, of calls, and of files in them.
fn citable(raw: &[u8]) -> BTreeSet<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Known<'a> {
        #[serde(borrow)]
        input: Raw<'a>,
        #[serde(borrow)]
        id: Raw<'a>,
        #[serde(borrow)]
        call_id: Raw<'a>,
        #[serde(borrow)]
        file_id: Raw<'a>,
        #[serde(borrow)]
        content: Raw<'a>,
        #[serde(borrow)]
        output: Raw<'a>,
    }
    let known = |raw| fields::<Known<'_>>(Some(raw));
    let body: Known<'_> = object(raw).unwrap_or_default();
    let items: Vec<Known<'_>> = list(body.input).into_iter().take(MOST).filter_map(known).collect();
    let parts = items.iter().flat_map(|item| [item.content, item.output]).flat_map(list).filter_map(known);
    let files = parts.map(|part| part.file_id);
    let ids = items.iter().flat_map(|item| [item.id, item.call_id]).chain(files);
    ids.map(text).filter(|id| !id.is_empty()).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::{Format, Takes, ToolChoice};

    #[test]
    fn terms_are_read_field_by_field() {
        let demanding = br#"{"input":[{"role":"robot"}],"parallel_tool_calls":false,"tool_choice":"required",
            "text":{"format":{"type":"json_object"}},"tools":[{"type":"custom","name":"c"},{"type":"web_search"}]}"#;
        let read = terms(demanding);
        assert_eq!((read.format, read.tool_choice, read.one_call), (Format::JsonObject, ToolChoice::Required, true));
        assert_eq!(read.tools, [Tool { name: "c".into(), takes: Takes::Free }]);
        // What is wrong in one field takes nothing from the others.
        let faulty = terms(br#"{"tools":7,"text":{"format":{"type":"xml"}},"tool_choice":"none"}"#);
        assert_eq!(faulty, Terms { tool_choice: ToolChoice::None, ..Terms::default() });
        for raw in ["", "{", "[]", r#"{"input":"hi","text":{"verbosity":"low"},"tools":[]}"#] {
            assert_eq!(terms(raw.as_bytes()), Terms::default(), "{raw}");
        }
    }

    #[test]
    fn what_may_be_cited() {
        let raw = br#"{"input":[{"id":"msg_1","content":[{"file_id":"file-1"},{"type":"input_text","text":"x"}]},
            {"call_id":"call_1","output":[{"file_id":"file-2"}]},{"call_id":"call_2","output":"x"},{"id":7}]}"#;
        let found: Vec<String> = terms(raw).citable.into_iter().collect();
        assert_eq!(found, ["call_1", "call_2", "file-1", "file-2", "msg_1"]);
        assert_eq!(terms(br#"{"input":"hi"}"#).citable.len(), 0);
    }
}
