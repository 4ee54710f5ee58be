//! The tables, and the version they have.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Changes when a table does.
pub(super) const VERSION: i64 = 1;

/// `meta` holds single facts by name: `folder` (empty: the parent of the data folder), `generation` (grows with each
/// change of pictures), and what searches use: `model`, `space`, `index_file`, `index_generation`.
///
/// `vector.model` and `space.model` name a row of `model`: while a collection is indexed with another model, the old
/// vectors stay and answer, and leave when the new ones are complete.
const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('generation', 0);

CREATE TABLE picture (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    hash    BLOB NOT NULL UNIQUE,
    format  TEXT NOT NULL,
    bytes   INTEGER NOT NULL,
    width   INTEGER NOT NULL,
    height  INTEGER NOT NULL,
    taken   TEXT,
    camera  TEXT
);
CREATE TABLE file (
    path     BLOB PRIMARY KEY,
    bytes    INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    picture  INTEGER NOT NULL REFERENCES picture
) WITHOUT ROWID;
CREATE INDEX file_of_picture ON file (picture);
CREATE TABLE failure (
    path     BLOB PRIMARY KEY,
    bytes    INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    reason   TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE thumbnail (picture INTEGER PRIMARY KEY REFERENCES picture ON DELETE CASCADE, jpeg BLOB NOT NULL);
CREATE TABLE signature (picture INTEGER PRIMARY KEY REFERENCES picture ON DELETE CASCADE, bytes BLOB NOT NULL);

CREATE TABLE model (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    name   TEXT NOT NULL UNIQUE,
    dim    INTEGER NOT NULL
);
CREATE TABLE vector (
    picture INTEGER NOT NULL REFERENCES picture ON DELETE CASCADE,
    model   INTEGER NOT NULL REFERENCES model ON DELETE CASCADE,
    value   BLOB NOT NULL
);
CREATE UNIQUE INDEX vector_of_picture ON vector (model, picture);
CREATE TABLE space (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    model       INTEGER NOT NULL REFERENCES model ON DELETE CASCADE,
    fitted      INTEGER NOT NULL,
    random_pair REAL NOT NULL,
    centre      BLOB NOT NULL,
    axes        BLOB NOT NULL
);
";

/// Opens the file, with tables in it.
pub(super) fn open(path: &Path, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    // Readers go on while one process writes.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if create && version(&connection)? == 0 {
        let tables = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        if version(&tables)? == 0 {
            tables.execute_batch(TABLES)?;
            tables.pragma_update(None, "user_version", VERSION)?;
        }
        tables.commit()?;
    }
    Ok(connection)
}

/// The version of the tables; 0 for none.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
