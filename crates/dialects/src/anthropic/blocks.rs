//! The blocks of this dialect that are no noun of ours, by name: they pass where both ends speak it, and nowhere else.
//!
//! Must never be here: what stands in them.

/// Whether an answer of this dialect may hold a block called `name`.
pub(super) fn is_of_answers(name: &str) -> bool {
    name.ends_with("_tool_result")
        || matches!(name, "server_tool_use" | "mcp_tool_use" | "container_upload" | "compaction" | "fallback")
}

/// Whether a request of this dialect may: what answers hold, and blocks of known names with more to them than we have
/// words for.
pub(super) fn is_of_requests(name: &str) -> bool {
    is_of_answers(name)
        || matches!(
            name,
            "document"
                | "image"
                | "tool_use"
                | "tool_result"
                | "search_result"
                | "tool_reference"
                | "browser_state"
                | "tool_addition"
                | "tool_removal"
                | "mid_conv_system"
        )
}
