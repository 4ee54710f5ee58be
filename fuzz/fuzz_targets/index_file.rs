//! Any bytes as an index file, and sound files that were changed and sealed again: refused, or searched, changed, saved
//! and salvaged without a panic.

#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use linjin::index::{Add, Effort, Index, Search, Verify};
use linjin_fuzz::index::{SOUND, given, seal, vectors};
use linjin_fuzz::{Numbers, folder};

// The sound files take seconds, which are none of an input's time.
fuzz_target!(init: std::sync::LazyLock::force(&SOUND), |input: &[u8]| {
    let Some((&kind, rest)) = input.split_first() else { return };
    let shape = usize::from(kind & 15);
    // What takes a hundred times as long as all the rest.
    let rarely = rest.len() / 8 % 16 == 9;
    let sealed = shape < SOUND.len() && kind & 32 == 0;
    let verify = [Verify::Header, Verify::Lazy, Verify::Full][usize::from(kind >> 6) % 3];
    // A changed word can give one id to two vectors, which the checksums tell, where they are wrong and looked at.
    let once = !sealed && verify != Verify::Header;
    let bytes = match SOUND.get(shape) {
        None => rest.to_vec(),
        Some(sound) => {
            let mut bytes = sound.clone();
            // Each eight bytes put a word somewhere: in the head as often as behind it.
            for change in rest.as_chunks::<8>().0 {
                let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize;
                let most = if change[3] & 1 == 0 { 512 } else { bytes.len() };
                let at = at % most / 4 * 4;
                bytes[at..at + 4].copy_from_slice(&change[4..]);
            }
            if kind & 16 > 0 {
                bytes.truncate(bytes.len() / 4096 / 2 * 4096);
            }
            if sealed {
                seal(&mut bytes);
            }
            bytes
        }
    };
    let folder = folder();
    let path = folder.path().join("given.linjin");
    fs::write(&path, &bytes).expect("there is room for a file");
    _ = Index::verify(&path);
    if let Ok(index) = Index::open_with(&path, verify) {
        use_all(&index, once, &folder.path().join("saved.linjin"));
        if rarely && index.len() < 5_000 {
            _ = index.optimize(None);
            ask(&index, once);
        }
    }
    if rarely {
        _ = Index::salvage(&path, folder.path().join("salvaged.linjin"));
    }
});

fn use_all(index: &Index, once: bool, saved: &Path) {
    let (metric, dim) = (index.metric(), index.dim());
    let rows = vectors(&mut Numbers::new(3), metric, 4, dim);
    ask(index, once);
    _ = index.add(given(metric, &rows), None, &Add::default());
    let ids = index.ids().unwrap_or_default();
    _ = index.remove(&ids[..ids.len().min(3)]);
    _ = index.save(saved);
    ask(index, once);
}

fn ask(index: &Index, once: bool) {
    let (metric, dim) = (index.metric(), index.dim());
    let rows = vectors(&mut Numbers::new(9), metric, 3, dim);
    for (k, effort) in [(10, Effort::Recall(0.9)), (3, Effort::Ef(50)), (usize::MAX, Effort::Exact)] {
        // Room for so many is asked of the system only where there are few.
        let k = k.min(index.len() + 2).min(1 << 20);
        let search = Search { effort, threads: Some(1), ..Search::new(k) };
        if let Ok(found) = index.search_many(given(metric, &rows), &search) {
            for (row, &count) in found.counts.iter().enumerate() {
                let ids = &found.ids[row * k..][..count];
                let mut different = ids.to_vec();
                different.sort_unstable();
                different.dedup();
                assert!(!once || different.len() == count, "an id comes once");
            }
        }
    }
    for id in [0, 2, 7, u64::MAX - 1, u64::MAX] {
        _ = index.get(id);
        _ = index.contains(id);
    }
    _ = index.info();
}
