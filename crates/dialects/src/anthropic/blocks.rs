//! The blocks of this dialect that are no noun of ours, by name: they pass where both ends speak it, and nowhere else.
//!
//! Must never be here: what stands in them.

/// Whether an answer of this dialect may hold a block called `name`.
pub(super) fn is_of_answers(name: &str) -> bool {
    name.ends_with("_tool_result")
        || matches!(name, "server_tool_use" | "mcp_tool_use" | "container_upload" | "compaction" | "fallback")
}
