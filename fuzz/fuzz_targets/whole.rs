//! Fuzzes [`fuzz::whole`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(whole);
