//! Fuzzes [`fuzz::repair`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(repair);
