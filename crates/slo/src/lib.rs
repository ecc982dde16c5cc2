//! Which calls count as good, and which count at all.
