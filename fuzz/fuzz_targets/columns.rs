//! Any bytes as a note of columns, a sound note that was changed, and any text as an expression: refused, or used, without a
//! panic; what a condition selects, its contrary does not.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use linjin_columns::Columns;
use linjin_fuzz::columns::{EXPRESSION, IDS, SOUND};

fuzz_target!(init: LazyLock::force(&SOUND), |input: &[u8]| {
    let Some((&kind, rest)) = input.split_first() else { return };
    match kind % 3 {
        0 => use_note(rest),
        1 => {
            let mut note = SOUND.note.clone();
            // Each six bytes put a word somewhere.
            for change in rest.as_chunks::<6>().0 {
                let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % (note.len() - 3);
                note[at..at + 4].copy_from_slice(&change[2..]);
            }
            use_note(&note);
        }
        _ => ask(&SOUND.columns, &String::from_utf8_lossy(rest)),
    }
});

fn use_note(note: &[u8]) {
    _ = Columns::has_names_in(note);
    let Ok(columns) = Columns::from_notes([note]) else { return };
    assert!(columns.rows() <= note.len(), "there are no more rows than bytes");
    let taken = columns.take(&IDS).expect("what was read can be given");
    assert_eq!(taken.num_rows(), IDS.len());
    _ = columns.select(EXPRESSION);
    for id in IDS {
        if let Some(name) = columns.name_of(id) {
            assert_eq!(columns.id_of(name), Some(id), "a name is that of one item");
        }
    }
    let (_, again) = columns.compacted(|_| true).expect("what was read can be written");
    let again = Columns::from_notes([again.as_slice()]).expect("what was written can be read");
    assert_eq!((again.rows(), again.schema()), (columns.rows(), columns.schema()));
}

fn ask(columns: &Columns, text: &str) {
    let Ok(yes) = columns.select(text) else { return };
    assert!(yes.is_sorted_by(|one, next| one < next), "ids come once each, ascending");
    assert!(yes.iter().all(|id| IDS.contains(id)), "no id comes that there is not");
    if let Ok(no) = columns.select(&format!("not ({text})")) {
        assert!(!no.iter().any(|id| yes.contains(id)), "a row is not both");
    }
}
