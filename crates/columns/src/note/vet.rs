//! What must hold of bytes before Arrow reads them.
//!
//! Arrow's reader refuses most bytes that are no stream, but panics over some: types of odd widths, buffers that reach beyond
//! the message, validity shorter than its column, half an offset. What it takes for granted is checked here; what it checks itself, as offsets
//! and UTF-8, is left to it. Nothing is allocated by a length that was not compared with what is there.

use arrow_ipc::{
    DateUnit, Endianness, Field, Message, MessageHeader, Precision, TimeUnit, Type, root_as_message,
};

use super::damaged;
use crate::error::ColumnsError;

/// What a message begins with, before its length.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Checks that `bytes` are a stream that Arrow's reader reads or refuses, and no more than that.
pub(super) fn vet(mut bytes: &[u8]) -> Result<(), ColumnsError> {
    let mut text_columns: Option<Vec<bool>> = None;
    loop {
        let (head, rest) = bytes.split_first_chunk::<8>().ok_or_else(truncated)?;
        let (mark, length) = (&head[..4], [head[4], head[5], head[6], head[7]]);
        if mark != CONTINUATION {
            return Err(damaged("there is no message where one must begin"));
        }
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 {
            return if rest.is_empty() { Ok(()) } else { Err(damaged("there are bytes behind its end")) };
        }
        let (message, rest) = rest.split_at_checked(length).ok_or_else(truncated)?;
        let message =
            root_as_message(message).map_err(|error| damaged(format!("a message is no message: {error}")))?;
        let body = usize::try_from(message.bodyLength()).map_err(|_| truncated())?;
        let (_, rest) = rest.split_at_checked(body).ok_or_else(truncated)?;
        match (message.header_type(), &text_columns) {
            (MessageHeader::Schema, None) => text_columns = Some(vet_schema(&message)?),
            (MessageHeader::RecordBatch, Some(text_columns)) => vet_batch(&message, text_columns, body)?,
            (kind, _) => {
                return Err(damaged(format!("there is a message of kind {kind:?} where none can be")));
            }
        }
        bytes = rest;
    }
}

/// Checks the types of all columns, and says which are text.
fn vet_schema(message: &Message<'_>) -> Result<Vec<bool>, ColumnsError> {
    let schema = message.header_as_schema().ok_or_else(|| damaged("its schema is missing"))?;
    let fields = schema.fields().ok_or_else(|| damaged("its schema has no columns"))?;
    if schema.endianness() != Endianness::Little {
        return Err(damaged("its values are big-endian"));
    }
    fields.iter().map(|field| vet_field(&field)).collect()
}

/// Checks the type of a column, and says whether it is text.
fn vet_field(field: &Field<'_>) -> Result<bool, ColumnsError> {
    let known = match field.type_type() {
        Type::Bool | Type::LargeUtf8 => true,
        Type::Int => field.type_as_int().is_some_and(|int| matches!(int.bitWidth(), 8 | 16 | 32 | 64)),
        Type::FloatingPoint => field
            .type_as_floating_point()
            .is_some_and(|float| (Precision::HALF..=Precision::DOUBLE).contains(&float.precision())),
        Type::Date => field.type_as_date().is_some_and(|date| date.unit() == DateUnit::DAY),
        Type::Timestamp => field
            .type_as_timestamp()
            .is_some_and(|time| (TimeUnit::SECOND..=TimeUnit::NANOSECOND).contains(&time.unit())),
        _ => false,
    };
    if known && field.dictionary().is_none() {
        Ok(field.type_type() == Type::LargeUtf8)
    } else {
        let (name, kind) = (field.name().unwrap_or_default(), field.type_type());
        Err(damaged(format!("its column {name:?} is of a type ({kind:?}) that is not stored")))
    }
}

/// Checks that the buffers of a batch are within its body and long enough for what Arrow does not check.
fn vet_batch(message: &Message<'_>, text_columns: &[bool], body: usize) -> Result<(), ColumnsError> {
    let short = || damaged("a batch lacks a part of a column");
    let batch = message.header_as_record_batch().ok_or_else(|| damaged("a batch is missing"))?;
    let (nodes, buffers) = batch.nodes().zip(batch.buffers()).ok_or_else(short)?;
    if batch.compression().is_some() || batch.variadicBufferCounts().is_some_and(|counts| !counts.is_empty())
    {
        return Err(damaged("a batch is compressed or in views"));
    }
    // The first column has eight bytes for each row, so that rows are bounded by bytes.
    let rows = usize::try_from(batch.length()).ok().filter(|&rows| rows <= body / 8);
    let rows = rows.ok_or_else(|| damaged("a batch has more rows than bytes for them"))?;
    if nodes.len() != text_columns.len() {
        return Err(short());
    }
    let mut buffers = buffers.iter();
    for (node, &text) in nodes.iter().zip(text_columns) {
        let nulls = usize::try_from(node.null_count()).ok().filter(|&nulls| nulls <= rows);
        if usize::try_from(node.length()) != Ok(rows) || nulls.is_none() {
            return Err(damaged("a column of a batch has another length than the batch"));
        }
        for part in 0..if text { 3 } else { 2 } {
            let buffer = buffers.next().ok_or_else(short)?;
            let (start, length) = (usize::try_from(buffer.offset()), usize::try_from(buffer.length()));
            let (Ok(start), Ok(length)) = (start, length) else { return Err(truncated()) };
            if start.checked_add(length).is_none_or(|end| end > body) {
                return Err(truncated());
            }
            // The validity is read where there are nulls; offsets of text are taken for whole ones.
            let fits = match part {
                0 => nulls == Some(0) || length >= rows.div_ceil(8),
                1 => !text || length % size_of::<i64>() == 0,
                _ => true,
            };
            if !fits {
                return Err(short());
            }
        }
    }
    Ok(())
}

fn truncated() -> ColumnsError {
    damaged("it ends before it is complete")
}
