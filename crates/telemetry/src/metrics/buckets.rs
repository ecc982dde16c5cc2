//! Bounds of histogram buckets, in seconds. Must never be here: anything else.

/// From a cached answer to the longest reasoning; holds the usual objectives (1, 2, 5, 10 s) as bounds.
pub(crate) const DURATION: [f64; 17] =
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// The gateway's own share of a call: far below a millisecond where all is well.
pub(crate) const OVERHEAD: [f64; 11] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1];
