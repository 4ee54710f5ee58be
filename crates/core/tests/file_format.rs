//! What `docs/file-format.md` says of the head and the sections, held against files: the golden ones, and new ones.

#![allow(clippy::unwrap_used)] // a failure is the test failing

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use linjin::index::{Add, Index, Memory, Metric, Note, Verify, Writing};

mod made;

/// Sections begin at multiples of this.
const ALIGN: u64 = 4096;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/file-format.md")).unwrap()
}

/// The rows of the page's table that begins with these columns.
fn table<const N: usize>(head: [&str; N]) -> Vec<[String; N]> {
    let cells = |line: &str| -> Option<[String; N]> {
        let line = line.strip_prefix('|')?.strip_suffix('|')?;
        line.split('|').map(|cell| cell.trim().replace('`', "")).collect::<Vec<_>>().try_into().ok()
    };
    let page = page();
    let mut lines = page.lines().map(cells).skip_while(|row| row.as_ref().is_none_or(|row| *row != head));
    assert!(lines.next().is_some(), "the page has no table {head:?}");
    lines.skip(1).map_while(|row| row).collect()
}

/// The files with and without leaves.
fn golden() -> [Vec<u8>; 2] {
    ["flat-v1.linjin", "leaves-v1.linjin"]
        .map(|name| std::fs::read(root().join("crates/core/tests/golden").join(name)).unwrap())
}

/// A file with a graph, which takes too many vectors for a golden one.
fn with_graph() -> Vec<u8> {
    let index = Index::new(made::DIM, Metric::Cosine).unwrap();
    index.add(&made::clumps(made::N, 1), None, &Add::default()).unwrap();
    assert!(index.info().graph);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.linjin");
    index.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

/// A file of vectors of whole numbers, the smallest of which is this.
fn with_whole_numbers(least: f32) -> Vec<u8> {
    let index = Index::new(3, Metric::Dot).unwrap();
    let values: Vec<f32> = (0..2100 * 3).map(|i| (i * i % 101) as f32 + least).collect();
    index.add(&values, None, &Add::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.linjin");
    index.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

/// A file of a vector and two notes.
fn with_notes() -> Vec<u8> {
    let index = Index::new(3, Metric::Dot).unwrap();
    index.add(&[1.0, 2.0, 3.0], None, &Add::default()).unwrap();
    index.note(Note::Behind(b"five!")).unwrap();
    index.note(Note::Behind(b"eight of")).unwrap();
    index.to_bytes().unwrap()
}

#[test]
fn notes_are_as_described() {
    let bytes = with_notes();
    let [_, _, start, size] = *sections(&bytes).last().unwrap();
    let expected = [5_u64.to_le_bytes(), *b"five!\0\0\0", 8_u64.to_le_bytes(), *b"eight of"].concat();
    assert_eq!(bytes[start as usize..(start + size) as usize], expected);
}

/// A file of an index with a journal.
fn with_history() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let create = Some((made::DIM, Metric::Cosine));
    let index = Index::open_writable(&path, &Writing { create, ..Writing::default() }).unwrap();
    index.add(&made::clumps(20, 1), None, &Add::default()).unwrap();
    index.commit().unwrap();
    index.checkpoint().unwrap();
    std::fs::read(path).unwrap()
}

/// The number in `size` bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    bytes[at..at + size].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Bytes of a block.
const BLOCK: u64 = 65_536;

/// A section: its number, its checksum, its first byte and its bytes.
fn sections(bytes: &[u8]) -> Vec<[u64; 4]> {
    let entries = (64..).step_by(24).take(number(bytes, 56, 8) as usize);
    entries
        .map(|at| [(at, 4), (at + 4, 4), (at + 8, 8), (at + 16, 8)].map(|(at, size)| number(bytes, at, size)))
        .collect()
}

#[test]
fn the_head_is_as_described() {
    let known = [
        BTreeMap::from([("metric", 0), ("dimensions", 3), ("vectors", 58), ("slots", 60), ("trained", 0)]),
        BTreeMap::from([("metric", 1), ("dimensions", 20), ("vectors", 2100), ("slots", 2100)]),
    ];
    for (bytes, mut known) in golden().iter().zip(known) {
        let n = sections(bytes).len();
        known.insert("sections", n as u64);
        let mut end = 0;
        for [at, size, what, always] in table(["byte", "bytes", "what", "always"]) {
            let at: usize = at.parse().unwrap();
            assert_eq!(at, end, "{what} begins where the one before ends");
            let Ok(size) = size.parse::<usize>() else {
                assert_eq!((at, size.as_str(), what.as_str()), (64, "24 each", "table of sections"));
                continue;
            };
            end = at + size;
            if !always.is_empty() {
                let found: Vec<String> = bytes[at..end].iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(found.join(" "), always, "{what}");
            }
            if let Some(&known) = known.get(what.as_str()) {
                assert_eq!(number(bytes, at, size), known, "{what}");
            }
        }
        let end = 64 + 24 * n;
        assert_eq!(number(bytes, end, 4), u64::from(crc32fast::hash(&bytes[..end])));
        assert!(bytes[end + 4..ALIGN as usize].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn metrics_have_the_numbers_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.linjin");
    let named = Metric::ALL.map(|metric| {
        Index::new(8, metric).unwrap().save(&path).unwrap();
        format!("{} `{metric}`", number(&std::fs::read(&path).unwrap(), 16, 2))
    });
    assert!(page().contains(&format!("**metric**: {}.", named.join(", "))), "{named:?}");
}

#[test]
fn memory_has_the_numbers_of_the_page() {
    for (i, memory) in Memory::ALL.into_iter().enumerate() {
        let mut bytes = Index::with_memory(8, Metric::Dot, memory).unwrap().to_bytes().unwrap();
        assert_eq!((number(&bytes, 16, 2), number(&bytes, 18, 2)), (3, i as u64));
        assert!(page().contains(&format!("{i} `{memory}`")), "{memory}");
        assert_eq!(Index::from_bytes(&bytes).unwrap().info().memory, memory);
        bytes[18] = 2;
        with_new_sum(&mut bytes);
        let error = Index::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains("it takes memory in a way that is unknown"), "{error}");
    }
}

/// Puts the checksum of a head where it belongs.
fn with_new_sum(bytes: &mut [u8]) {
    let head = 64 + 24 * sections(bytes).len();
    let sum = crc32fast::hash(&bytes[..head]);
    bytes[head..head + 4].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn sections_are_where_and_what_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.linjin");
    let rows = table(["number", "name", "what", "there", "compared"]);
    let described: BTreeMap<u64, (String, String)> = rows
        .into_iter()
        .map(|[number, name, _, _, checked]| (number.parse().unwrap(), (name, checked)))
        .collect();
    let mut met = BTreeSet::new();
    let whole = [with_whole_numbers(0.0), with_whole_numbers(-50.0)];
    let others = [with_graph(), with_history(), with_notes()].into_iter().chain(whole);
    for bytes in golden().into_iter().chain(others) {
        // Behind the head, the checksums of all blocks.
        let blocks: u64 = sections(&bytes).iter().map(|section| section[3].div_ceil(BLOCK)).sum();
        let mut sums = ALIGN as usize;
        let mut end = ALIGN + (blocks * 4).next_multiple_of(ALIGN);
        assert!(bytes[sums + blocks as usize * 4..end as usize].iter().all(|&byte| byte == 0));
        for [kind, checksum, start, size] in sections(&bytes) {
            let (name, checked) = &described[&kind];
            let place = start as usize..(start + size) as usize;
            assert_eq!(start, end, "{name}");
            let first = sums;
            for block in bytes[place.clone()].chunks(BLOCK as usize) {
                assert_eq!(u64::from(crc32fast::hash(block)), number(&bytes, sums, 4), "{name}");
                sums += 4;
            }
            assert_eq!(u64::from(crc32fast::hash(&bytes[first..sums])), checksum, "{name}");
            end = (start + size).next_multiple_of(ALIGN);
            assert!(bytes[place.end..end as usize].iter().all(|&byte| byte == 0), "{name}");
            met.insert(kind);

            // Damage shows what linjin calls the section, and who looks at it.
            let mut damaged = bytes.clone();
            damaged[place.start] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            let error = Index::verify(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("section {name}, from byte {start} on,")), "{name}: {error}");
            assert_eq!(if Index::open(&path).is_ok() { "when used" } else { "by open" }, checked, "{name}");
            assert!(Index::open_with(&path, Verify::Full).is_err());
        }
        assert_eq!(end, bytes.len() as u64);
    }
    assert!(met.iter().eq(described.keys()), "the files have sections {met:?}");
}

#[test]
fn a_byte_of_two_sections_is_refused() {
    let [_, sound] = golden();
    let table = sections(&sound);
    // Each section in the place of the next one, or upon the head.
    for (i, [kind, ..]) in table.iter().enumerate() {
        for place in [0, ALIGN, table[(i + 1) % table.len()][2]] {
            let mut bytes = sound.clone();
            bytes[64 + 24 * i + 8..][..8].copy_from_slice(&place.to_le_bytes());
            with_new_sum(&mut bytes);
            let error = Index::from_bytes(&bytes).unwrap_err().to_string();
            assert!(
                error.contains("sections that lie upon each other"),
                "section {kind} at {place}: {error}"
            );
        }
    }
}

#[test]
fn a_file_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.linjin");
    let [mut bytes, _] = golden();
    bytes[8] += 1;
    std::fs::write(&path, bytes).unwrap();
    let error = Index::open(&path).unwrap_err().to_string();
    assert!(error.contains("format version 2, this linjin reads up to 1"), "{error}");
}

#[test]
fn the_journal_is_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.linjin");
    let create = Some((3, Metric::Dot));
    let index = Index::open_writable(&path, &Writing { create, ..Writing::default() }).unwrap();
    index.add(&[1.0, 2.0, 3.0], Some(&[7]), &Add::default()).unwrap();
    index.remove_and_note(&[7], Note::Behind(b"gone")).unwrap();
    index.note(Note::Instead(b"")).unwrap();
    index.commit().unwrap();
    let bytes = std::fs::read(folder.path().join("items.linjin-journal")).unwrap();
    let always = |rows: Vec<[String; 4]>, start: usize| -> usize {
        rows.iter().fold(0, |end, [at, size, what, always]| {
            let (at, size): (usize, usize) = (at.parse().unwrap(), size.parse().unwrap());
            assert_eq!(at, end, "{what} begins where the one before ends");
            let found: Vec<String> =
                bytes[start + at..start + at + size].iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(always.is_empty() || found.join(" ") == *always, "{what}");
            at + size
        })
    };
    let head = always(table(["byte", "bytes", "what of a journal", "always"]), 0);
    assert_eq!([(16, 4), (20, 4), (32, 8)].map(|(at, size)| number(&bytes, at, size)), [3, 3, 0]);
    assert_eq!(number(&bytes, 48, 4), u64::from(crc32fast::hash(&bytes[..48])));
    // Begin, add, remove, note, only note, commit, begin: kind, commit, vectors, bytes.
    let expected =
        [[1, 1, 0, 0], [2, 1, 1, 20], [3, 1, 1, 8], [5, 1, 0, 4], [6, 1, 0, 0], [4, 1, 0, 8], [1, 2, 0, 0]];
    let mut at = head;
    for record in expected {
        let size = always(table(["byte", "bytes", "what of a record", "always"]), at);
        let fields = [(4, 4), (8, 8), (16, 8), (24, 8)].map(|(field, size)| number(&bytes, at + field, size));
        assert_eq!(fields, record);
        let body = at + size..at + size + record[3] as usize;
        assert_eq!(number(&bytes, at + 32, 4), u64::from(crc32fast::hash(&bytes[body.clone()])));
        let mut salted = bytes[24..32].to_vec();
        salted.extend(&bytes[at..at + 36]);
        assert_eq!(number(&bytes, at + 36, 4), u64::from(crc32fast::hash(&salted)));
        if record[0] == 2 {
            assert_eq!(number(&bytes, body.start, 8), 7);
            assert_eq!(bytes[body.start + 8..body.end], *floats(&[1.0, 2.0, 3.0]));
        }
        if record[0] == 5 {
            assert_eq!(bytes[body.clone()], *b"gone");
        }
        at = body.end.next_multiple_of(8);
    }
    assert_eq!(at, bytes.len());
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
