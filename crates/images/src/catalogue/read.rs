//! What searches and scans ask.

use std::collections::HashMap;
use std::path::PathBuf;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::{Catalogue, append_floats, paths};
use crate::error::CollectionError;
use crate::signature::Signature;
use crate::space::Space;

/// Which pictures a search may return: those with a file that fits all that is set.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Below this folder, named from the folder of the collection.
    pub folder: Option<PathBuf>,
    /// With this in their path, in small letters or capitals (of English).
    pub name: Option<String>,
    /// Taken at this date or later: `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or with a time behind `T`. Where the camera wrote no
    /// date, that of the file (UTC) counts.
    pub after: Option<String>,
    /// Taken before this date.
    pub before: Option<String>,
    /// With at least so many pixels on the shorter side.
    pub min_side: Option<u32>,
    /// With at most so many pixels on the longer side.
    pub max_side: Option<u32>,
    /// Files of at least so many bytes.
    pub min_bytes: Option<u64>,
    /// Files of at most so many bytes.
    pub max_bytes: Option<u64>,
}

/// A file of the collection.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FileFacts {
    /// From the folder of the collection.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// When it was changed last: nanoseconds since 1970.
    pub modified: i64,
}

/// A picture of the collection.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PictureFacts {
    /// Its number, which no other picture of the collection ever has.
    pub id: u64,
    /// BLAKE3 of the file.
    pub hash: [u8; 32],
    /// What the file holds: `JPEG`, `PNG`, ...
    pub format: String,
    /// Pixels in a row, upright.
    pub width: u32,
    /// Rows, upright.
    pub height: u32,
    /// When it was taken, by the camera: local time, `YYYY-MM-DDTHH:MM:SS`.
    pub taken: Option<String>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
}

/// The pictures that fit a filter, the youngest first.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Listing {
    /// How many fit.
    pub total: u64,
    /// Those that were asked for: number, pixels in a row, rows.
    pub pictures: Vec<(u64, u32, u32)>,
}

/// A file as the last scan saw it.
#[derive(Clone, Debug)]
pub(crate) struct KnownFile {
    pub(crate) bytes: u64,
    pub(crate) modified: i64,
    /// The picture that it holds; `None` where it was refused.
    pub(crate) picture: Option<u64>,
}

/// What searches use.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    pub(crate) model: i64,
    pub(crate) model_name: String,
    pub(crate) space_id: i64,
    pub(crate) space: Space,
    pub(crate) index_file: String,
    pub(crate) index_generation: i64,
    pub(crate) generation: i64,
}

const DATE: &str = "coalesce(taken, strftime('%Y-%m-%dT%H:%M:%S', modified / 1000000000, 'unixepoch'))";

impl Filter {
    /// Conditions on `file` and `picture`, with their values.
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut conditions = vec!["1".to_owned()];
        let mut values = Vec::new();
        if let Some(folder) = &self.folder {
            let mut first = paths::to_bytes(folder);
            while first.last() == Some(&b'/') {
                first.pop();
            }
            if !first.is_empty() && first != b"." {
                // Everything that begins with the folder and a slash; '0' is what follows a slash.
                let mut behind = first.clone();
                first.push(b'/');
                behind.push(b'0');
                conditions.push("path >= ? AND path < ?".to_owned());
                values.extend([Value::Blob(first), Value::Blob(behind)]);
            }
        }
        let mut limit = |condition: String, value: Option<Value>| {
            if let Some(value) = value {
                conditions.push(condition);
                values.push(value);
            }
        };
        let text = |date: &Option<String>| date.clone().map(Value::Text);
        let number =
            |number: Option<u64>| number.map(|number| Value::Integer(number.min(i64::MAX as u64) as i64));
        let name = self.name.as_ref().map(|name| Value::Text(name.to_ascii_lowercase()));
        limit("instr(lower(CAST(path AS TEXT)), ?) > 0".to_owned(), name);
        limit(format!("{DATE} >= ?"), text(&self.after));
        limit(format!("{DATE} < ?"), text(&self.before));
        limit("min(width, height) >= ?".to_owned(), number(self.min_side.map(u64::from)));
        limit("max(width, height) <= ?".to_owned(), number(self.max_side.map(u64::from)));
        limit("file.bytes >= ?".to_owned(), number(self.min_bytes));
        limit("file.bytes <= ?".to_owned(), number(self.max_bytes));
        (conditions.join(" AND "), values)
    }
}

impl Catalogue {
    /// The folder of pictures; `None` where it is the parent of the data folder.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>, CollectionError> {
        self.with(|connection| {
            let stored: Option<Vec<u8>> = fact(connection, "folder")?;
            Ok(stored.map(paths::from_bytes))
        })
    }

    /// All files, those that were refused too, by path.
    pub(crate) fn known_files(&self) -> Result<HashMap<PathBuf, KnownFile>, CollectionError> {
        self.with(|connection| {
            let mut known = HashMap::new();
            for query in [
                "SELECT path, bytes, modified, picture FROM file",
                "SELECT path, bytes, modified, NULL FROM failure",
            ] {
                let mut rows = connection.prepare(query)?;
                let mut rows = rows.query([])?;
                while let Some(row) = rows.next()? {
                    let file = KnownFile {
                        bytes: row.get::<_, i64>(1)? as u64,
                        modified: row.get(2)?,
                        picture: row.get::<_, Option<i64>>(3)?.map(|id| id as u64),
                    };
                    known.insert(paths::from_bytes(row.get(0)?), file);
                }
            }
            Ok(known)
        })
    }

    /// Pictures that have a vector of this model, by hash.
    pub(crate) fn embedded(&self, model: i64) -> Result<HashMap<[u8; 32], u64>, CollectionError> {
        self.with(|connection| {
            let mut rows = connection
                .prepare("SELECT hash, picture FROM vector JOIN picture ON picture = id WHERE model = ?")?;
            let rows = rows.query_map([model], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
            rows.collect()
        })
    }

    /// What searches use; `None` before the first run of indexing is complete.
    pub(crate) fn active(&self) -> Result<Option<Active>, CollectionError> {
        self.with(|connection| {
            // One transaction: the facts belong together.
            let view = connection.transaction()?;
            let Some(space_id) = fact::<i64>(&view, "space")? else { return Ok(None) };
            let (model, name, dim): (i64, String, i64) = view.query_row(
                "SELECT model.id, name, dim FROM model JOIN space ON space.model = model.id WHERE space.id = ?",
                [space_id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            let (fitted, random_pair, centre, axes) = view.query_row(
                "SELECT fitted, random_pair, centre, axes FROM space WHERE id = ?",
                [space_id],
                |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, floats(row, 2)?, floats(row, 3)?)),
            )?;
            let space = Space::from_parts(dim as usize, centre, axes, fitted as usize, random_pair)
                .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, dim))?;
            Ok(Some(Active {
                model,
                model_name: name,
                space_id,
                space,
                index_file: fact(&view, "index_file")?.unwrap_or_default(),
                index_generation: fact(&view, "index_generation")?.unwrap_or(-1),
                generation: fact(&view, "generation")?.unwrap_or(0),
            }))
        })
    }

    /// Grows with each change of pictures.
    pub(crate) fn generation(&self) -> Result<i64, CollectionError> {
        self.with(|connection| Ok(fact(connection, "generation")?.unwrap_or(0)))
    }

    /// The space that searches use; `None` before the first run of indexing is complete.
    pub(crate) fn active_space(&self) -> Result<Option<i64>, CollectionError> {
        self.with(|connection| fact(connection, "space"))
    }

    /// Numbers of the pictures with a vector of this model, in ascending order, and the generation that they are of.
    pub(crate) fn ids(&self, model: i64) -> Result<(Vec<u64>, i64), CollectionError> {
        self.with(|connection| {
            let view = connection.transaction()?;
            let generation = fact(&view, "generation")?.unwrap_or(0);
            let mut rows = view.prepare("SELECT picture FROM vector WHERE model = ? ORDER BY picture")?;
            let ids = rows
                .query_map([model], |row| Ok(row.get::<_, i64>(0)? as u64))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((ids, generation))
        })
    }

    /// The vectors of these pictures one behind the other, and whose they are: those that left meanwhile are missing.
    pub(crate) fn vectors(&self, model: i64, ids: &[u64]) -> Result<(Vec<u64>, Vec<f32>), CollectionError> {
        self.with(|connection| {
            let mut found = Vec::with_capacity(ids.len());
            let mut values = Vec::new();
            let mut query =
                connection.prepare_cached("SELECT value FROM vector WHERE model = ? AND picture = ?")?;
            for &id in ids {
                let bytes: Option<Vec<u8>> =
                    query.query_row(params![model, id as i64], |row| row.get(0)).optional()?;
                if let Some(bytes) = bytes {
                    found.push(id);
                    append_floats(&bytes, &mut values);
                }
            }
            Ok((found, values))
        })
    }

    /// A picture.
    pub(crate) fn picture(&self, id: u64) -> Result<Option<PictureFacts>, CollectionError> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, hash, format, width, height, taken, camera FROM picture WHERE id = ?",
                )?
                .query_row([id as i64], |row| {
                    Ok(PictureFacts {
                        id: row.get::<_, i64>(0)? as u64,
                        hash: row.get(1)?,
                        format: row.get(2)?,
                        width: row.get(3)?,
                        height: row.get(4)?,
                        taken: row.get(5)?,
                        camera: row.get(6)?,
                    })
                })
                .optional()
        })
    }

    /// The files that hold a picture and fit the filter, by path.
    pub(crate) fn files(&self, id: u64, filter: &Filter) -> Result<Vec<FileFacts>, CollectionError> {
        let (conditions, mut values) = filter.conditions();
        values.push(Value::Integer(id as i64));
        self.with(|connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT path, file.bytes, modified FROM file JOIN picture ON picture = id
                 WHERE {conditions} AND id = ? ORDER BY path"
            ))?;
            let rows = query.query_map(params_from_iter(values), |row| {
                Ok(FileFacts {
                    path: paths::from_bytes(row.get(0)?),
                    bytes: row.get::<_, i64>(1)? as u64,
                    modified: row.get(2)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Numbers of the pictures that fit the filter.
    pub(crate) fn matching(&self, filter: &Filter) -> Result<Vec<u64>, CollectionError> {
        let (conditions, values) = filter.conditions();
        self.with(|connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT DISTINCT picture FROM file JOIN picture ON picture = id WHERE {conditions}"
            ))?;
            let rows = query.query_map(params_from_iter(values), |row| Ok(row.get::<_, i64>(0)? as u64))?;
            rows.collect()
        })
    }

    /// Some of the pictures that fit the filter, `limit` behind the first `offset`.
    pub(crate) fn list(&self, filter: &Filter, offset: u64, limit: u64) -> Result<Listing, CollectionError> {
        let (conditions, mut values) = filter.conditions();
        let at_most = |number: u64| Value::Integer(number.min(i64::MAX as u64) as i64);
        self.with(|connection| {
            let view = connection.transaction()?;
            let of = format!("FROM file JOIN picture ON picture = id WHERE {conditions}");
            let total =
                view.prepare_cached(&format!("SELECT count(DISTINCT picture) {of}"))?
                    .query_row(params_from_iter(&values), |row| row.get::<_, i64>(0))? as u64;
            values.extend([at_most(limit), at_most(offset)]);
            let mut query = view.prepare_cached(&format!(
                "SELECT id, width, height {of} GROUP BY id ORDER BY max({DATE}) DESC, id LIMIT ? OFFSET ?"
            ))?;
            let rows = query.query_map(params_from_iter(&values), |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get(1)?, row.get(2)?))
            })?;
            Ok(Listing { total, pictures: rows.collect::<rusqlite::Result<_>>()? })
        })
    }

    /// Paths of all files that hold pictures.
    pub(crate) fn paths(&self) -> Result<Vec<PathBuf>, CollectionError> {
        self.with(|connection| {
            let mut rows = connection.prepare("SELECT path FROM file ORDER BY path")?;
            let rows = rows.query_map([], |row| Ok(paths::from_bytes(row.get(0)?)))?;
            rows.collect()
        })
    }

    /// The picture that the file at this path holds.
    pub(crate) fn picture_at(&self, path: &std::path::Path) -> Result<Option<u64>, CollectionError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT picture FROM file WHERE path = ?")?
                .query_row([paths::to_bytes(path)], |row| Ok(row.get::<_, i64>(0)? as u64))
                .optional()
        })
    }

    /// The thumbnail of a picture, a JPEG file.
    pub(crate) fn thumbnail(&self, id: u64) -> Result<Option<Vec<u8>>, CollectionError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT jpeg FROM thumbnail WHERE picture = ?")?
                .query_row([id as i64], |row| row.get(0))
                .optional()
        })
    }

    /// The signatures of all pictures, by number.
    pub(crate) fn signatures(&self) -> Result<Vec<(u64, Signature)>, CollectionError> {
        self.with(|connection| {
            let mut rows = connection.prepare("SELECT picture, bytes FROM signature ORDER BY picture")?;
            let rows = rows.query_map([], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?;
            let mut found = Vec::new();
            for row in rows {
                let (id, bytes) = row?;
                found.extend(Signature::from_bytes(bytes).map(|signature| (id, signature)));
            }
            Ok(found)
        })
    }

    /// Files that were refused, and why, by path.
    pub(crate) fn failures(&self) -> Result<Vec<(PathBuf, String)>, CollectionError> {
        self.with(|connection| {
            let mut rows = connection.prepare("SELECT path, reason FROM failure ORDER BY path")?;
            let rows = rows.query_map([], |row| Ok((paths::from_bytes(row.get(0)?), row.get(1)?)))?;
            rows.collect()
        })
    }

    /// Pictures, files, and bytes of the files.
    pub(crate) fn counts(&self) -> Result<(u64, u64, u64), CollectionError> {
        self.with(|connection| {
            connection.query_row(
                "SELECT (SELECT count(*) FROM picture), count(*), coalesce(sum(bytes), 0) FROM file",
                [],
                |row| {
                    let count = |at| row.get::<_, i64>(at).map(|count| count as u64);
                    Ok((count(0)?, count(1)?, count(2)?))
                },
            )
        })
    }
}

fn fact<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    let mut query = connection.prepare_cached("SELECT value FROM meta WHERE name = ?")?;
    query.query_row([name], |row| row.get(0)).optional()
}

fn floats(row: &Row<'_>, at: usize) -> rusqlite::Result<Vec<f32>> {
    let mut values = Vec::new();
    append_floats(&row.get::<_, Vec<u8>>(at)?, &mut values);
    Ok(values)
}
