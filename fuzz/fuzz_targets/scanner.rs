//! Fuzzes [`fuzz::scanner`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(scanner);
