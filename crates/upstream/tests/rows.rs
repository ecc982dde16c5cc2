//! Every preset is what its row of the dialects' matrix says it is, so that what the matrix shows holds for each kind.

#![cfg(test)]

#[path = "../../dialects/tests/matrix/rows.rs"]
mod rows;

use llm::{Api, Dialect};
use rows::{ROWS, Row};
use std::collections::BTreeSet;
use upstream::PRESETS;

/// Whether models answer in it.
fn answers(api: Api) -> bool {
    match api {
        Api::Shared(Dialect::Other(_)) | Api::BedrockCount | Api::Vectors(_) => false,
        Api::Shared(_) | Api::Cohere | Api::Ollama | Api::Bedrock => true,
    }
}

#[test]
fn every_kind_has_its_rows_and_every_row_its_kinds() {
    let (mut shown, mut named) = (BTreeSet::new(), BTreeSet::new());
    for preset in PRESETS {
        for own_address in [false, true] {
            for api in preset.speaks(own_address).filter(|api| answers(*api)) {
                let quirks = preset.quirks(own_address);
                let is_its = |row: &&Row| row.kinds.contains(&preset.kind) && row.api == api && row.quirks == quirks;
                let rows: Vec<&str> = ROWS.iter().filter(is_its).map(|row| row.name).collect();
                let [row] = rows[..] else {
                    panic!("{} (own address: {own_address}), {api:?}: {rows:?}", preset.kind);
                };
                shown.insert((row, preset.kind));
            }
        }
    }
    ROWS.iter().for_each(|row| named.extend(row.kinds.iter().map(|kind| (row.name, *kind))));
    assert_eq!(shown, named);
}
