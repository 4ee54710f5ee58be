//! Changes as bytes: notes.
//!
//! A note is an Arrow IPC stream, uncompressed, that any Arrow library reads: a schema whose metadata have the key `linjin`, of
//! which the value is the version; one batch of rows or several; the mark of the end. Its columns are `_linjin_id` (uint64, no
//! nulls, each id once), then, where an item has a name, `_linjin_name` (large_utf8), then the caller's in their stored types.
//! The rows take the place of all that was known of their ids, names included.
//!
//! With the key `forget` in the metadata too, `_linjin_id` is the only column and nothing is known of these ids any more.
//!
//! | file | duty |
//! | --- | --- |
//! | `mod.rs` | changes to bytes and back |
//! | `vet.rs` | what must hold of bytes before Arrow reads them |

mod vet;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_ipc::{MetadataVersion, root_as_message};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat_batches;

use crate::error::ColumnsError;
use crate::kinds;
use crate::rows::{Change, RESERVED, Rows};

/// The column of ids.
const ID: &str = "_linjin_id";
/// The column of names.
const NAME: &str = "_linjin_name";
/// The key of the version among the metadata.
const VERSION_KEY: &str = "linjin";
/// The version that is written and read.
const VERSION: &str = "1";
/// The key among the metadata of a note that forgets.
const FORGET_KEY: &str = "forget";
/// Buffers begin at multiples of this: Arrow's least. Its default of 64 would make a note of one row four times as long.
const ALIGNMENT: usize = 8;

/// The note of a change.
pub(crate) fn encode(change: &Change) -> Result<Vec<u8>, ColumnsError> {
    let mut metadata = HashMap::from([(VERSION_KEY.to_owned(), VERSION.to_owned())]);
    let ids = match change {
        Change::Put(rows) => &rows.ids,
        Change::Forget(ids) => {
            metadata.insert(FORGET_KEY.to_owned(), String::new());
            ids
        }
    };
    let mut fields = vec![Arc::new(Field::new(ID, DataType::UInt64, false))];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from(ids.clone()))];
    if let Change::Put(rows) = change {
        if let Some(names) = &rows.names {
            fields.push(Arc::new(Field::new(NAME, DataType::LargeUtf8, true)));
            columns.push(Arc::new(names.clone()));
        }
        fields.extend(rows.schema.fields().iter().cloned());
        columns.extend(rows.columns.iter().cloned());
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options)?;
    writer.write(&batch)?;
    writer.finish()?;
    Ok(writer.into_inner()?)
}

/// The change of a note.
pub(crate) fn decode(note: &[u8]) -> Result<Change, ColumnsError> {
    // Copied, as Arrow wants it aligned.
    let mut bytes = Buffer::from(note);
    vet::vet(&bytes)?;
    let unreadable = |error: ArrowError| damaged(error.to_string());
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    while !bytes.is_empty() {
        batches.extend(decoder.decode(&mut bytes).map_err(unreadable)?);
    }
    decoder.finish().map_err(unreadable)?;
    let schema = decoder.schema().ok_or_else(|| damaged("it has no schema"))?;
    let batch = concat_batches(&schema, &batches).map_err(unreadable)?;
    match schema.metadata().get(VERSION_KEY).map(String::as_str) {
        Some(VERSION) => change(&batch).map_err(|error| match error {
            ColumnsError::RepeatedId { .. } => damaged(error.to_string()),
            error => error,
        }),
        Some(found) => Err(ColumnsError::Version { found: found.to_owned(), supported: VERSION }),
        None => Err(damaged("it is an Arrow stream, but not of linjin: its metadata have no `linjin`")),
    }
}

/// Whether a note that begins so has names; `None` where the schema is not whole.
pub(crate) fn has_names(beginning: &[u8]) -> Option<bool> {
    let (head, rest) = beginning.split_first_chunk::<8>()?;
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    let schema = root_as_message(rest.get(..length)?).ok()?;
    let fields = schema.header_as_schema()?.fields()?;
    Some(fields.iter().nth(1).is_some_and(|field| field.name() == Some(NAME)))
}

/// What the batch of a note says.
fn change(batch: &RecordBatch) -> Result<Change, ColumnsError> {
    let schema = batch.schema_ref();
    let mut fields = schema.fields().iter().zip(batch.columns()).peekable();
    let ids = fields
        .next()
        .filter(|(field, _)| field.name() == ID)
        .and_then(|(_, ids)| ids.as_primitive_opt::<UInt64Type>())
        .filter(|ids| ids.null_count() == 0)
        .ok_or_else(|| damaged("its first column is not `_linjin_id` of uint64 without nulls"))?;
    if schema.metadata().contains_key(FORGET_KEY) {
        let mut ids = ids.values().to_vec();
        ids.sort_unstable();
        ids.dedup();
        return match fields.next() {
            None => Ok(Change::Forget(ids)),
            Some((field, _)) => Err(damaged(format!("it forgets ids, but has a column `{}`", field.name()))),
        };
    }
    let names = fields
        .next_if(|(field, _)| field.name() == NAME)
        .map(|(_, names)| {
            names
                .as_string_opt::<i64>()
                .ok_or_else(|| damaged("its column `_linjin_name` is not of large_utf8"))
        })
        .transpose()?;
    let mut user = (Vec::new(), Vec::new());
    for (position, (field, values)) in fields.enumerate() {
        let name = field.name();
        let known_before = user.0.iter().any(|known: &Field| known.name() == name);
        if name.is_empty() || name.starts_with(RESERVED) || known_before {
            return Err(damaged(format!("its column {position} is called {name:?}, as no column can be")));
        }
        if kinds::stored(field.data_type()).as_ref() != Some(field.data_type()) {
            return Err(damaged(format!(
                "its column `{name}` is of type {}",
                kinds::name(field.data_type())
            )));
        }
        user.0.push(Field::new(name, field.data_type().clone(), true));
        user.1.push(Arc::clone(values));
    }
    let (fields, columns) = user;
    Ok(Change::Put(Rows::sorted(ids.values(), names, Arc::new(Schema::new(fields)), &columns)?))
}

fn damaged(what: impl Into<String>) -> ColumnsError {
    ColumnsError::Damaged { what: what.into() }
}
