//! The config file to validated settings of the rooms below.
