//! Any bytes as a journal, and a sound journal that was changed: it is refused, or what it gives is the state at a commit; who
//! goes on from there finds what it committed.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use linjin::index::{Add, Effort, Index, Search};
use linjin_fuzz::folder;
use linjin_fuzz::journal::{DIM, SOUND, contents, journal_of, seal, writing};

fuzz_target!(init: LazyLock::force(&SOUND), |input: &[u8]| {
    let Some((&kind, rest)) = input.split_first() else { return };
    let (raw, sealed) = (kind & 1 > 0, kind & 2 > 0);
    let mut journal = if raw { rest.to_vec() } else { SOUND.journal.clone() };
    if !raw {
        // Each six bytes put a word somewhere.
        for change in rest.as_chunks::<6>().0 {
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % journal.len() / 4 * 4;
            journal[at..at + 4].copy_from_slice(&change[2..]);
        }
        if kind & 4 > 0 {
            journal.truncate(rest.len() * 37 % journal.len());
        }
        if sealed {
            seal(&mut journal);
        }
    }
    let folder = folder();
    let path = folder.path().join("given.linjin");
    fs::write(&path, &SOUND.file).expect("there is room for a file");
    fs::write(journal_of(&path), &journal).expect("there is room for a file");

    let read = Index::open(&path).map(|index| (index.info().generation, contents(&index)));
    if let Ok((commit, state)) = &read
        && !raw
        && !sealed
    {
        assert_eq!(SOUND.states.get(commit), Some(state), "what is believed is the state at a commit");
    }
    let Ok(index) = Index::open_writable(&path, &writing()) else {
        assert!(read.is_err(), "what can be read can be gone on from");
        return;
    };
    let begun = (index.info().generation, contents(&index));
    assert_eq!(read.expect("what can be written can be read"), begun);
    let search = Search { effort: Effort::Exact, ..Search::new(100) };
    let found = index.search(&[0.0; DIM], &search).expect("the file is sound");
    assert_eq!(found.ids.len(), index.len());
    index.add(&[7.0; DIM], Some(&[77]), &Add { replace: true, ..Add::default() }).expect("there is room");
    let commit = match index.commit() {
        Ok(commit) => commit,
        Err(_) => return, // no number is left for it
    };
    let changed = contents(&index);
    drop(index);
    let again = Index::open(&path).expect("it was just written");
    assert_eq!((again.info().generation, contents(&again)), (commit, changed));
});
