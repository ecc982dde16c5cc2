//! Call records to metrics, access log and process logs.
