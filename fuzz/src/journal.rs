//! A small index with a journal for the fuzz targets, the states at its commits, and changed journals whose checksums are made
//! right again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use linjin::index::{Add, Index, Metric, Vector, Writing};

use crate::folder;

/// Values of a vector.
pub const DIM: usize = 2;
/// Bytes of a journal's head, and of a record's.
const HEAD: usize = 56;
const RECORD: usize = 40;

/// What an index holds.
pub type State = BTreeMap<u64, Vec<u32>>;

/// A file, the journal beside it, and the state at each of its commits.
#[derive(Debug)]
pub struct Sound {
    /// The index file.
    pub file: Vec<u8>,
    /// Its journal.
    pub journal: Vec<u8>,
    /// By the number of the commit.
    pub states: BTreeMap<u64, State>,
}

/// How the fuzz targets write: nothing is folded into the file by itself.
pub fn writing() -> Writing {
    Writing { checkpoint: Some(u64::MAX), ..Writing::default() }
}

/// The journal beside an index file.
pub fn journal_of(path: &Path) -> PathBuf {
    path.with_extension("linjin-journal")
}

/// All vectors of an index.
pub fn contents(index: &Index) -> State {
    let vector = |id| match index.get(id).expect("nothing of the file is damaged") {
        Some(Vector::Floats(values)) => values.iter().map(|value| value.to_bits()).collect(),
        other => panic!("{other:?}"),
    };
    let ids = index.ids().expect("nothing of the file is damaged");
    ids.into_iter().map(|id| (id, vector(id))).collect()
}

/// Additions, replacements and removals, in several commits, and some that were not committed.
pub static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let folder = folder();
    let path = folder.path().join("sound.linjin");
    let options = Writing { create: Some((DIM, Metric::Euclidean)), ..writing() };
    let index = Index::open_writable(&path, &options).expect("there is room for a file");
    let add = |ids: &[u64], value: f32| {
        let rows = vec![value; DIM * ids.len()];
        index.add(&rows, Some(ids), &Add { replace: true, ..Add::default() }).expect("the vectors fit");
    };
    add(&[1, 2, 3, 4], 1.0);
    index.commit().expect("there is room");
    index.checkpoint().expect("there is room");
    let mut states = BTreeMap::from([(1, contents(&index))]);
    let mut commit = || _ = states.insert(index.commit().expect("there is room"), contents(&index));
    add(&[5, 6], 2.0);
    index.remove(&[1]).expect("it is there");
    commit();
    add(&[2, 7], 3.0);
    commit();
    index.remove(&[3, 4, 5]).expect("they are there");
    commit();
    add(&[9], 5.0);
    commit();
    let read = |path: &Path| fs::read(path).expect("it was just written");
    let (file, journal) = (read(&path), read(&journal_of(&path)));
    Sound { file, journal, states }
});

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// Makes all checksums right, as far as the records still say where they are; not the sums of transactions.
pub fn seal(bytes: &mut [u8]) -> Option<()> {
    let sum = crc32fast::hash(bytes.get(..HEAD - 8)?);
    bytes.get_mut(HEAD - 8..HEAD - 4)?.copy_from_slice(&sum.to_le_bytes());
    let salt: [u8; 8] = number(bytes, 24)?;
    let mut at = HEAD;
    loop {
        let size = usize::try_from(u64::from_le_bytes(number(bytes, at + 24)?)).ok()?;
        let end = at.checked_add(RECORD)?.checked_add(size)?;
        let body = crc32fast::hash(bytes.get(at + RECORD..end)?);
        bytes.get_mut(at + 32..at + 36)?.copy_from_slice(&body.to_le_bytes());
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&salt);
        hasher.update(bytes.get(at..at + 36)?);
        bytes.get_mut(at + 36..at + 40)?.copy_from_slice(&hasher.finalize().to_le_bytes());
        at = end.next_multiple_of(8);
    }
}
