//! Fuzzes [`fuzz::answer`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(answer);
