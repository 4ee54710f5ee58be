//! New, changed, moved, copied and removed files.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use linjin_images::error::{CollectionError, EmbedError};
use linjin_images::{Embedder, Pixels};

use super::*;

/// The descriptor, counting how often it is asked.
#[derive(Default)]
struct Counting {
    name: Option<&'static str>,
    asked: AtomicUsize,
}

impl Embedder for Counting {
    fn name(&self) -> &str {
        self.name.unwrap_or("counting")
    }

    fn dim(&self) -> usize {
        Descriptor.dim()
    }

    fn picture(&self, pixels: &Pixels) -> Result<Vec<f32>, EmbedError> {
        self.asked.fetch_add(1, Relaxed);
        Descriptor.picture(pixels)
    }
}

fn all(room: &Room, k: usize) -> BTreeSet<String> {
    let pictures = room.collection();
    let some = linjin_images::Picture::from_bytes(jpeg(&drawing(999, 64, 64), 90), None, &Default::default())
        .unwrap();
    let hits =
        pictures.search(&Query::new(vec![(1.0, Term::Pixels(&some.pixels))], k), Some(&Descriptor)).unwrap();
    hits.iter().flat_map(|hit| hit.files.iter().map(|file| name(&file.path))).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_second_run_opens_nothing_and_sees_every_kind_of_change() {
    let room = Room::new();
    for i in 0..6 {
        room.draw(&format!("holiday/{i}.jpg"), i);
    }
    let first = room.index();
    assert_eq!((first.files, first.embedded, first.unchanged), (6, 6, 0));
    let again = room.index();
    assert_eq!((again.embedded, again.known, again.unchanged, again.gone), (0, 0, 6, 0));

    room.draw("holiday/0.jpg", 100); // changed
    fs::rename(room.path("holiday/1.jpg"), room.path("holiday/renamed.jpg")).unwrap();
    fs::copy(room.path("holiday/2.jpg"), room.path("copy.jpg")).unwrap();
    fs::remove_file(room.path("holiday/3.jpg")).unwrap();
    room.draw("new.jpg", 200);
    let changed = room.index();
    assert_eq!((changed.embedded, changed.known, changed.moved), (2, 2, 1), "{changed:?}");
    assert_eq!((changed.gone, changed.unchanged), (2, 3), "{changed:?}");
    let expected = [
        "copy.jpg",
        "holiday/0.jpg",
        "holiday/2.jpg",
        "holiday/4.jpg",
        "holiday/5.jpg",
        "holiday/renamed.jpg",
        "new.jpg",
    ];
    assert_eq!(all(&room, 100), set(&expected));
    assert_eq!(room.collection().info().unwrap().pictures, 6, "copy.jpg and holiday/2.jpg hold one picture");
}

#[test]
fn a_tree_that_was_renamed_is_not_embedded_again() {
    let room = Room::new();
    for i in 0..10 {
        room.draw(&format!("a/{}/{i}.jpg", i % 3), i);
    }
    let counting = Counting::default();
    room.collection().index(&counting, &IndexOptions::default()).unwrap();
    assert_eq!(counting.asked.load(Relaxed), 10);
    fs::rename(room.path("a"), room.path("b")).unwrap();
    let report = room.collection().index(&counting, &IndexOptions::default()).unwrap();
    assert_eq!((report.moved, report.embedded, counting.asked.load(Relaxed)), (10, 0, 10), "{report:?}");
    assert!(all_names_begin(&room, "b/"));
}

fn all_names_begin(room: &Room, with: &str) -> bool {
    let pictures = room.collection();
    let found = pictures.picture_at(&room.path("b/0/0.jpg")).unwrap().unwrap();
    let hits = pictures.search(&Query::new(vec![(1.0, Term::Picture(found))], 20), None).unwrap();
    hits.len() == 9 && names(&hits).iter().all(|name| name.starts_with(with))
}

#[test]
fn copies_in_one_run_are_embedded_once_on_any_number_of_threads() {
    for threads in [1, 8] {
        let room = Room::new();
        for i in 0..40 {
            room.draw(&format!("{i}.jpg"), i % 4);
            room.write(&format!("broken{i}.jpg"), b"\xFF\xD8\xFF\xE0 nothing");
        }
        let counting = Counting::default();
        let options = IndexOptions { threads: Some(threads), ..Default::default() };
        let report = room.collection().index(&counting, &options).unwrap();
        assert_eq!((report.embedded, counting.asked.load(Relaxed)), (4, 4));
        assert_eq!(report.failures.len(), 40, "every copy of a broken file is listed");
        let info = room.collection().info().unwrap();
        assert_eq!((info.pictures, info.files), (4, 40));
    }
}

#[test]
fn another_embedder_embeds_all_and_the_old_vectors_answer_until_it_is_done() {
    let room = Room::new();
    for i in 0..12 {
        room.draw(&format!("{i}.jpg"), i);
    }
    room.index();
    let other = Counting { name: Some("other"), ..Default::default() };
    let stop = |progress: &linjin_images::Progress| match progress.done {
        5.. => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let options = IndexOptions { threads: Some(1), progress: Some(&stop), ..Default::default() };
    let stopped = room.collection().index(&other, &options);
    assert!(matches!(stopped, Err(CollectionError::Cancelled)));
    assert_eq!(room.collection().model().unwrap().as_deref(), Some("descriptor-1"));
    assert_eq!(all(&room, 100).len(), 12);

    let before = other.asked.load(Relaxed);
    let report = room.collection().index(&other, &IndexOptions::default()).unwrap();
    assert_eq!(before + report.embedded, 12, "what was embedded before the stop is not embedded again");
    assert_eq!(room.collection().model().unwrap().as_deref(), Some("other"));
}

#[test]
fn one_process_indexes_at_a_time() {
    let room = Room::new();
    room.draw("a.jpg", 1);
    let (first, second) = (room.collection(), room.collection());
    let inner = |_: &linjin_images::Progress| {
        let refused = second.index(&Descriptor, &IndexOptions::default());
        assert!(matches!(refused, Err(CollectionError::Locked { .. })), "{refused:?}");
        ControlFlow::Continue(())
    };
    first.index(&Descriptor, &IndexOptions { progress: Some(&inner), ..Default::default() }).unwrap();
    second.index(&Descriptor, &IndexOptions::default()).unwrap();
}

#[test]
fn a_collection_that_is_open_sees_what_others_index() {
    let room = Room::new();
    room.draw("a.jpg", 1);
    room.draw("b.jpg", 2);
    room.index();
    let open = room.collection();
    let asked = open.picture_at(&room.path("a.jpg")).unwrap().unwrap();
    let query = Query::new(vec![(1.0, Term::Picture(asked))], 10);
    assert_eq!(names(&open.search(&query, None).unwrap()), ["b.jpg"]);
    room.draw("c.jpg", 3);
    fs::remove_file(room.path("b.jpg")).unwrap();
    room.index();
    assert_eq!(names(&open.search(&query, None).unwrap()), ["c.jpg"]);
}

#[test]
fn a_damaged_or_missing_index_file_is_made_again() {
    let room = Room::new();
    for i in 0..5 {
        room.draw(&format!("{i}.jpg"), i);
    }
    room.index();
    let like = room.like("0.jpg", 4);
    let file = || {
        let listed = fs::read_dir(room.path(".linjin")).unwrap().map(|entry| entry.unwrap().path());
        listed.into_iter().find(|path| path.extension().is_some_and(|suffix| suffix == "linjin"))
    };
    fs::write(file().unwrap(), b"damaged").unwrap();
    assert_eq!(room.like("0.jpg", 4), like);
    fs::remove_file(file().unwrap()).unwrap();
    assert_eq!(room.like("0.jpg", 4), like);
    room.index();
    assert!(file().is_some(), "the next run writes it");
}

#[test]
fn data_elsewhere_belongs_to_one_folder_and_outlives_an_unmounted_drive() {
    let (room, other, data) = (Room::new(), Room::new(), TempDir::new().unwrap());
    room.draw("a.jpg", 1);
    let pictures = Collection::create(room.folder.path(), Some(data.path())).unwrap();
    pictures.index(&Descriptor, &IndexOptions::default()).unwrap();
    assert!(!room.path(".linjin").exists());
    assert_eq!(Collection::open(data.path()).unwrap().folder(), room.folder.path().canonicalize().unwrap());
    let said = Collection::create(other.folder.path(), Some(data.path())).unwrap_err().to_string();
    assert!(said.contains("holds the collection of"), "{said}");

    fs::remove_file(room.path("a.jpg")).unwrap();
    let said = pictures.index(&Descriptor, &IndexOptions::default()).unwrap_err().to_string();
    assert!(said.contains("is the drive there?"), "{said}");
    assert_eq!(pictures.info().unwrap().files, 1);
}

#[test]
fn an_empty_folder_is_a_collection() {
    let room = Room::new();
    assert_eq!(room.index().files, 0);
    assert!(all(&room, 5).is_empty());
    room.draw("a.jpg", 1);
    room.index();
    assert_eq!(all(&room, 5), set(&["a.jpg"]));
}

#[test]
fn a_collection_can_be_moved_with_its_pictures_and_is_found_from_inside() {
    let room = Room::new();
    room.draw("old/2024/a.jpg", 1);
    Collection::create(&room.path("old"), None)
        .unwrap()
        .index(&Descriptor, &IndexOptions::default())
        .unwrap();
    fs::rename(room.path("old"), room.path("new")).unwrap();
    let found = Collection::find(&room.path("new/2024")).unwrap();
    assert_eq!(found.folder(), room.path("new").canonicalize().unwrap());
    let report = found.index(&Descriptor, &IndexOptions::default()).unwrap();
    assert_eq!((report.unchanged, report.embedded), (1, 0));
    assert!(matches!(Collection::find(room.folder.path()), Err(CollectionError::None { .. })));
}

#[cfg(unix)]
#[test]
fn folders_that_cannot_be_read_are_told_and_their_pictures_kept() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::new();
    room.draw("open/a.jpg", 1);
    room.draw("shut/b.jpg", 2);
    room.index();
    let mode = |mode| fs::set_permissions(room.path("shut"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o000);
    if fs::read_dir(room.path("shut")).is_ok() {
        return mode(0o755); // the superuser reads everything
    }
    let report = room.index();
    mode(0o755);
    assert_eq!(report.gone, 0);
    assert!(report.failures.iter().any(|(path, _)| path == Path::new("shut")), "{report:?}");
}

#[test]
fn a_watched_folder_is_indexed_again_when_something_changes() {
    let room = Room::new();
    room.draw("a.jpg", 1);
    let pictures = room.collection();
    let mut runs = Vec::new();
    let mut done = |report: &Report| {
        runs.push((report.files, report.embedded));
        match runs.len() {
            1 => room.draw("deep/er/b.jpg", 2),
            2 => fs::remove_file(room.path("a.jpg")).unwrap(),
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    };
    let begun = std::time::Instant::now();
    pictures.watch(&Descriptor, &IndexOptions::default(), &mut done).unwrap();
    assert_eq!(runs, [(1, 1), (2, 1), (1, 0)]);
    assert!(begun.elapsed().as_secs() < 30, "changes are told of, not only found by the timer");
}
