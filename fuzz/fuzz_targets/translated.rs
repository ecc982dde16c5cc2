//! Fuzzes [`fuzz::translated`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(translated);
