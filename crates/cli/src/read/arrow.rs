//! Tables with a column of vectors: Arrow's own files, and Parquet.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{FileDecoder, StreamDecoder, read_footer_length};
use arrow_ipc::{Block, root_as_footer};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use arrow_select::concat::concat_batches;

use super::element::{Element, Kind};
use super::{Fault, Sink, Source, bad, open};

/// What Arrow's files begin with that can be read from the end; streams begin otherwise.
const MAGIC: &[u8] = b"ARROW1";
/// Bytes behind the footer of these: its length, and the magic again.
const TRAILER: usize = 10;
/// The column of vectors is called so in datasets of other formats, which callers ask for when nobody says a name.
const DEFAULTS: [&str; 2] = ["train", "test"];

/// A table of a file, and which of its columns are the vectors.
#[derive(Debug)]
pub(super) struct Table {
    batch: RecordBatch,
    vectors: usize,
    kind: Kind,
    shape: [u64; 2],
}

impl Table {
    /// Opens a file; the vectors are in the column `name`, or in the only one that holds lists of numbers.
    pub(super) fn open(path: &Path, name: &str) -> Result<Self, Fault> {
        let batch = batch(path)?;
        let schema = batch.schema();
        let vectors = column(&schema, name)?;
        let column = batch.column(vectors);
        let Some(kind) = element(column.data_type()) else {
            let (name, kind) = (schema.field(vectors).name(), column.data_type());
            return bad(format_args!("its column {name:?} holds no lists of numbers, but {kind}"));
        };
        let shape = [column.len() as u64, width(column)? as u64];
        Ok(Self { batch, vectors, kind, shape })
    }

    /// The columns beside the vectors.
    pub(super) fn besides(mut self) -> RecordBatch {
        self.batch.remove_column(self.vectors);
        self.batch
    }
}

/// All of a file.
fn batch(path: &Path) -> Result<RecordBatch, Fault> {
    let (file, _) = open(path)?;
    // Over some damaged files the readers panic.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let is_parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
        if is_parquet { parquet(file) } else { arrow(file) }
    }));
    match read {
        Ok(read) => read.or_else(|error| match error {
            ArrowError::IoError(_, error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                Err(error.into())
            }
            error => bad(format_args!("it cannot be read: {error}")),
        }),
        Err(_) => bad("it cannot be read: it is damaged"),
    }
}

/// Batches are slices of the file's bytes: a length that a damaged file claims takes no memory.
fn arrow(mut file: File) -> Result<RecordBatch, ArrowError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let bytes = Buffer::from(bytes);
    if !bytes.starts_with(MAGIC) {
        let (mut decoder, mut rest, mut batches) = (StreamDecoder::new(), bytes, Vec::new());
        while !rest.is_empty() {
            batches.extend(decoder.decode(&mut rest)?);
        }
        decoder.finish()?;
        let schema = decoder.schema().ok_or_else(|| broken("it has no schema"))?;
        return all(schema, batches.into_iter().map(Ok));
    }
    let slice = |start: usize, len: usize| {
        let end = start.checked_add(len).filter(|&end| end <= bytes.len());
        end.map(|_| bytes.slice_with_length(start, len)).ok_or_else(|| broken("it is cut short"))
    };
    let end = bytes.len().checked_sub(TRAILER).ok_or_else(|| broken("it is cut short"))?;
    let trailer = bytes[end..].try_into().map_err(|_| broken("it is cut short"))?;
    let len = read_footer_length(trailer)?;
    let footer = slice(end.checked_sub(len).ok_or_else(|| broken("it is cut short"))?, len)?;
    let footer = root_as_footer(&footer).map_err(|error| broken(&error.to_string()))?;
    let schema = Arc::new(fb_to_schema(footer.schema().ok_or_else(|| broken("it has no schema"))?));
    let mut decoder = FileDecoder::new(schema.clone(), footer.version());
    let place = |block: &Block| {
        let number = |number: i64| usize::try_from(number).map_err(|_| broken("a batch lies nowhere"));
        slice(
            number(block.offset())?,
            number(block.bodyLength())?.saturating_add(number(block.metaDataLength().into())?),
        )
    };
    for block in footer.dictionaries().iter().flatten() {
        decoder.read_dictionary(block, &place(block)?)?;
    }
    let batches = footer.recordBatches().into_iter().flatten();
    all(
        schema,
        batches.filter_map(|block| {
            place(block).and_then(|data| decoder.read_record_batch(block, &data)).transpose()
        }),
    )
}

fn broken(what: &str) -> ArrowError {
    ArrowError::IpcError(what.to_owned())
}

fn parquet(file: File) -> Result<RecordBatch, ArrowError> {
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)?.build()?;
    all(arrow_array::RecordBatchReader::schema(&reader), reader)
}

fn all(
    schema: SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<RecordBatch, ArrowError> {
    concat_batches(&schema, &batches.collect::<Result<Vec<_>, _>>()?)
}

/// Which column holds the vectors.
fn column(schema: &Schema, name: &str) -> Result<usize, Fault> {
    if let Ok(column) = schema.index_of(name) {
        return Ok(column);
    }
    let lists =
        || schema.fields().iter().enumerate().filter(|(_, field)| element(field.data_type()).is_some());
    let names: Vec<_> = lists().map(|(_, field)| format!("{:?}", field.name())).collect();
    if !DEFAULTS.contains(&name) {
        return bad(format_args!(
            "there is no column {name:?} in it; lists of numbers are in {}",
            names.join(", ")
        ));
    }
    match *lists().map(|(column, _)| column).collect::<Vec<_>>() {
        [column] => Ok(column),
        [] => bad("there is no column with lists of numbers in it, which vectors are"),
        _ => bad(format_args!("--dataset has to say which column holds the vectors: {}", names.join(", "))),
    }
}

/// What the numbers of a column of lists are.
fn element(list: &DataType) -> Option<Kind> {
    let (DataType::FixedSizeList(field, _) | DataType::List(field) | DataType::LargeList(field)) = list
    else {
        return None;
    };
    Some(match field.data_type() {
        DataType::Boolean => Kind::Bool,
        DataType::Int8 => Kind::I8,
        DataType::UInt8 => Kind::U8,
        DataType::Int16 => Kind::I16,
        DataType::UInt16 => Kind::U16,
        DataType::Int32 => Kind::I32,
        DataType::UInt32 => Kind::U32,
        DataType::Int64 => Kind::I64,
        DataType::UInt64 => Kind::U64,
        DataType::Float16 => Kind::F16,
        DataType::Float32 => Kind::F32,
        DataType::Float64 => Kind::F64,
        _ => return None,
    })
}

/// How many numbers each list of a column has.
fn width(column: &ArrayRef) -> Result<usize, Fault> {
    if let Some(row) = (0..column.len()).find(|&row| column.is_null(row)) {
        return bad(format_args!("row {row} has no vector"));
    }
    let lengths: Box<dyn Iterator<Item = usize>> = if let Some(lists) = column.as_fixed_size_list_opt() {
        return Ok(lists.value_length() as usize);
    } else if let Some(lists) = column.as_list_opt::<i32>() {
        Box::new(lists.offsets().lengths())
    } else {
        Box::new(column.as_list::<i64>().offsets().lengths())
    };
    let mut lengths = lengths.enumerate();
    let Some((_, first)) = lengths.next() else { return Ok(0) };
    match lengths.find(|&(_, length)| length != first) {
        None => Ok(first),
        Some((row, length)) => bad(format_args!("row {row} has {length} numbers, the first one has {first}")),
    }
}

/// The numbers of all lists, one behind the other.
fn numbers(column: &ArrayRef, width: usize) -> ArrayRef {
    let (start, values) = if let Some(lists) = column.as_fixed_size_list_opt() {
        (0, lists.values())
    } else if let Some(lists) = column.as_list_opt::<i32>() {
        (lists.offsets().first().map_or(0, |&first| first as usize), lists.values())
    } else {
        let lists = column.as_list::<i64>();
        (lists.offsets().first().map_or(0, |&first| first as usize), lists.values())
    };
    values.slice(start, column.len() * width)
}

impl Source for Table {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn shape(&self) -> &[u64] {
        &self.shape
    }

    fn read<S: Sink>(self, sink: &mut S) -> Result<(), Fault> {
        let values = numbers(self.batch.column(self.vectors), self.shape[1] as usize);
        if let Some(at) = (0..values.len()).find(|&at| values.null_count() > 0 && values.is_null(at)) {
            return bad(format_args!("row {} has a number missing", at / self.shape[1].max(1) as usize));
        }
        fn give<T: ArrowPrimitiveType<Native: Element>, S: Sink>(
            values: &ArrayRef,
            sink: &mut S,
        ) -> Result<(), Fault> {
            sink.take(values.as_primitive::<T>().values())
        }
        match self.kind {
            Kind::Bool => sink.take(&values.as_boolean().values().iter().map(u8::from).collect::<Vec<_>>()),
            Kind::I8 => give::<Int8Type, S>(&values, sink),
            Kind::U8 => give::<UInt8Type, S>(&values, sink),
            Kind::I16 => give::<Int16Type, S>(&values, sink),
            Kind::U16 => give::<UInt16Type, S>(&values, sink),
            Kind::I32 => give::<Int32Type, S>(&values, sink),
            Kind::U32 => give::<UInt32Type, S>(&values, sink),
            Kind::I64 => give::<Int64Type, S>(&values, sink),
            Kind::U64 => give::<UInt64Type, S>(&values, sink),
            Kind::F16 => give::<Float16Type, S>(&values, sink),
            Kind::F32 => give::<Float32Type, S>(&values, sink),
            Kind::F64 => give::<Float64Type, S>(&values, sink),
        }
    }
}
