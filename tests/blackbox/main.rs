//! The whole gateway, as a client sees it.
