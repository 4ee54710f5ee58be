//! Any bytes as a file of vectors or a table: the command builds an index of them, or says why not, and does not panic.
//!
//! Run it with `-close_fd_mask=3`: the command speaks on standard output and standard error.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use linjin::index::{Index, Verify};
use linjin_fuzz::folder;

const ENDINGS: [&str; 7] = ["npy", "fvecs", "bvecs", "ivecs", "hdf5", "arrow", "parquet"];
const METRICS: [&str; 3] = ["cosine", "dot", "hamming"];

// libFuzzer's hook ends the process at any panic, also one that the command catches: readers of tables have them.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| ())), |input: &[u8]| {
    let Some((&kind, bytes)) = input.split_first() else { return };
    let ending = ENDINGS[usize::from(kind) % ENDINGS.len()];
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (vectors, index) = (path(&format!("x.{ending}")), path("x.linjin"));
    fs::write(&vectors, bytes).expect("there is room for a file");
    let metric = METRICS[usize::from(kind) / ENDINGS.len() % METRICS.len()];
    let build = ["linjin", "build", &vectors, "-o", &index, "--metric", metric, "--threads", "1"];
    match linjin_cli::run(build) {
        0 => {
            Index::open_with(&index, Verify::Full).expect("what was built is sound");
            // The same file as the ids of its own vectors, as queries and as a filter.
            linjin_cli::run(["linjin", "build", &vectors, "-o", &path("y.linjin"), "--ids", &vectors]);
            linjin_cli::run(["linjin", "search", &index, &vectors, "--filter-ids", &vectors]);
            linjin_cli::run(["linjin", "search", &index, &vectors, "--filter", "price < 10 or lang = 'zh'"]);
        }
        1..=3 => assert!(fs::metadata(&index).is_err(), "nothing is left of what failed"),
        code => panic!("there is no exit code {code}"),
    }
});
