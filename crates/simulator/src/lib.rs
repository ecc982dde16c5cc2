//! A provider that answers, streams and misbehaves on demand.
