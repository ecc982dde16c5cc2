//! Fuzzes [`fuzz::mended`].
#![cfg_attr(fuzzing, no_main)]
fuzz::target!(mended);
