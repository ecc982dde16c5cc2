//! Fuzzes [`fuzz::other`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(other);
