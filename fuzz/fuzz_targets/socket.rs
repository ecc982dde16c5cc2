//! Fuzzes [`fuzz::socket`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(socket);
