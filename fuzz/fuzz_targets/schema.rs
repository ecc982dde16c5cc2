//! Fuzzes [`fuzz::schema`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(schema);
