//! An index that is open for writing elsewhere.

use linjin::index::{Index, Writing};

use super::*;

#[test]
fn info_tells_of_a_journal_and_build_leaves_it_alone() {
    let room = Room::new();
    room.vectors();
    room.text("build x.npy -o x.linjin");
    assert!(!room.text("info x.linjin").contains("journal"));
    let index = Index::open_writable(room.path("x.linjin"), &Writing::default()).unwrap();
    index.remove(&[3, 4]).unwrap();
    index.commit().unwrap();
    let info = &room.json("info x.linjin --json")[0];
    assert_eq!((&info["vectors"], &info["generation"]), (&198.into(), &1.into()));
    assert_eq!((&info["recovered"]["commits"], &info["recovered"]["changes"]), (&1.into(), &2.into()));
    assert!(room.text("info x.linjin").contains("1 commits, 2 vectors changed"));
    assert!(room.error("build x.npy -o x.linjin", 1).contains("open for writing already"));
    drop(index);
    assert!(room.error("build x.npy -o x.linjin", 1).contains("has a journal with commits"));
    room.write("x.linjin-journal", "something else");
    assert!(room.error("info x.linjin", 3).contains("x.linjin-journal"));
}
