//! ONNX files as messages of Protocol Buffers: what is changed in them field by field, the rest as bytes, kept as it is.

use prost::Message;

/// Numbers of element types.
pub(super) const FLOAT: i32 = 1;
const INT8: i32 = 3;

/// A file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(int64, optional, tag = "1")]
    pub(super) ir_version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub(super) producer_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) producer_version: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) domain: Option<String>,
    #[prost(int64, optional, tag = "5")]
    pub(super) model_version: Option<i64>,
    #[prost(string, optional, tag = "6")]
    pub(super) doc_string: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSet>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    pub(super) metadata_props: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "25")]
    pub(super) functions: Vec<Vec<u8>>,
}

/// A version of the operators.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSet {
    /// Empty for ONNX's own.
    #[prost(string, optional, tag = "1")]
    pub(super) domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub(super) version: Option<i64>,
}

/// Operators in the order in which they can be computed, and their constants.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<Node>,
    #[prost(string, optional, tag = "2")]
    pub(super) name: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<Tensor>,
    #[prost(string, optional, tag = "10")]
    pub(super) doc_string: Option<String>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "13")]
    pub(super) value_info: Vec<ValueInfo>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    pub(super) quantization_annotation: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub(super) sparse_initializer: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "16")]
    pub(super) metadata_props: Vec<Vec<u8>>,
}

/// The name of a tensor and its type.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfo {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) kind: Option<Vec<u8>>,
    #[prost(string, optional, tag = "3")]
    pub(super) doc_string: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(super) metadata_props: Vec<Vec<u8>>,
}

/// An operator with the names of what it takes and gives.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) op_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<Attribute>,
    #[prost(string, optional, tag = "6")]
    pub(super) doc_string: Option<String>,
    /// Empty for ONNX's own operators.
    #[prost(string, optional, tag = "7")]
    pub(super) domain: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(super) overload: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(super) metadata_props: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "10")]
    pub(super) device_configurations: Vec<Vec<u8>>,
}

/// A setting of an operator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(float, optional, tag = "2")]
    pub(super) f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    pub(super) i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) s: Option<Vec<u8>>,
    #[prost(message, optional, tag = "5")]
    pub(super) t: Option<Tensor>,
    #[prost(message, optional, tag = "6")]
    pub(super) g: Option<Graph>,
    #[prost(float, repeated, packed = "false", tag = "7")]
    pub(super) floats: Vec<f32>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub(super) ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub(super) strings: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "10")]
    pub(super) tensors: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "11")]
    pub(super) graphs: Vec<Graph>,
    #[prost(string, optional, tag = "13")]
    pub(super) doc_string: Option<String>,
    #[prost(bytes = "vec", optional, tag = "14")]
    pub(super) tp: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub(super) type_protos: Vec<Vec<u8>>,
    #[prost(int32, optional, tag = "20")]
    pub(super) kind: Option<i32>,
    #[prost(string, optional, tag = "21")]
    pub(super) ref_attr_name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "22")]
    pub(super) sparse_tensor: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "23")]
    pub(super) sparse_tensors: Vec<Vec<u8>>,
}

/// A constant.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    // rten reads sizes one by one only, as ONNX's own schema writes them.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(super) dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    pub(super) data_type: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) segment: Option<Vec<u8>>,
    #[prost(float, repeated, tag = "4")]
    pub(super) float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub(super) int32_data: Vec<i32>,
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub(super) string_data: Vec<Vec<u8>>,
    #[prost(int64, repeated, tag = "7")]
    pub(super) int64_data: Vec<i64>,
    #[prost(string, optional, tag = "8")]
    pub(super) name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "9")]
    pub(super) raw_data: Option<Vec<u8>>,
    #[prost(double, repeated, tag = "10")]
    pub(super) double_data: Vec<f64>,
    #[prost(uint64, repeated, tag = "11")]
    pub(super) uint64_data: Vec<u64>,
    #[prost(string, optional, tag = "12")]
    pub(super) doc_string: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "13")]
    pub(super) external_data: Vec<Vec<u8>>,
    #[prost(int32, optional, tag = "14")]
    pub(super) data_location: Option<i32>,
    #[prost(bytes = "vec", repeated, tag = "16")]
    pub(super) metadata_props: Vec<Vec<u8>>,
}

impl ValueInfo {
    /// A tensor of floats, of any shape.
    pub(super) fn floats(name: String) -> Self {
        // A tensor type (1) with an element type (1).
        let kind = vec![1 << 3 | 2, 2, 1 << 3, FLOAT as u8];
        Self { name: Some(name), kind: Some(kind), ..Self::default() }
    }
}

impl Node {
    /// An operator of ONNX's own.
    pub(super) fn new(op_type: &str, input: Vec<String>, output: Vec<String>) -> Self {
        // rten has names of operators and of tensors in one table.
        let name = output.first().map(|output| format!("{op_type} to {output}"));
        Self { op_type: Some(op_type.to_owned()), name, input, output, ..Self::default() }
    }

    /// Whether it is this operator of ONNX's own.
    pub(super) fn is(&self, op_type: &str) -> bool {
        self.op_type() == op_type && matches!(self.domain(), "" | "ai.onnx")
    }

    /// One of its settings.
    pub(super) fn setting(&self, name: &str) -> Option<&Attribute> {
        self.attribute.iter().find(|attribute| attribute.name() == name)
    }

    /// The names that it takes, those that graphs inside it take from outside among them.
    pub(super) fn takes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.input.iter().map(String::as_str).collect();
        for graph in self.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs)) {
            names.extend(graph.node.iter().flat_map(Self::takes));
            names.extend(graph.output.iter().map(ValueInfo::name));
        }
        names
    }
}

impl Attribute {
    /// A setting that is a whole number.
    pub(super) fn number(name: &str, value: i64) -> Self {
        const INT: i32 = 2;
        Self { name: Some(name.to_owned()), i: Some(value), kind: Some(INT), ..Self::default() }
    }
}

impl Tensor {
    /// A constant of one row of floats.
    pub(super) fn floats(name: String, values: &[f32]) -> Self {
        Self {
            name: Some(name),
            dims: vec![values.len() as i64],
            data_type: Some(FLOAT),
            raw_data: Some(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            ..Self::default()
        }
    }

    /// A constant of 8-bit numbers.
    pub(super) fn bytes(name: String, dims: Vec<i64>, values: &[i8]) -> Self {
        Self {
            name: Some(name),
            dims,
            data_type: Some(INT8),
            raw_data: Some(values.iter().map(|&value| value as u8).collect()),
            ..Self::default()
        }
    }

    /// Rows, columns and values of a table of finite floats that lies in the file; nothing for other tensors.
    pub(super) fn table(&self) -> Option<(usize, usize, Vec<f32>)> {
        let &[rows, columns] = self.dims.as_slice() else { return None };
        if self.data_type() != FLOAT || !self.external_data.is_empty() {
            return None;
        }
        let (rows, columns) = (usize::try_from(rows).ok()?, usize::try_from(columns).ok()?);
        let values: Vec<f32> = match &self.raw_data {
            Some(raw) => raw.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            None => self.float_data.clone(),
        };
        let fits = rows.checked_mul(columns) == Some(values.len()) && !values.is_empty();
        (fits && values.iter().all(|value| value.is_finite())).then_some((rows, columns, values))
    }
}
