//! Small ONNX files, written field by field: enough of protobuf and of the format for the tests.

/// A field with bytes.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field with a whole number.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 127 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
    bytes.extend(field(2, output.as_bytes()));
    bytes.extend(field(3, format!("make {output}").as_bytes()));
    bytes.extend(field(4, operator.as_bytes()));
    bytes.extend(attributes.iter().flat_map(|attribute| field(5, attribute)));
    field(1, &bytes)
}

fn attribute(name: &str, value: u64) -> Vec<u8> {
    [field(1, name.as_bytes()), number(3, value), number(20, 2)].concat()
}

/// An attribute with a list of one number.
fn list(name: &str, value: u64) -> Vec<u8> {
    [field(1, name.as_bytes()), number(8, value), number(20, 7)].concat()
}

/// A tensor of floats.
fn floats(name: &str, shape: &[u64], values: &[f32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = shape.iter().flat_map(|&size| number(1, size)).collect();
    bytes.extend(number(2, 1));
    bytes.extend(field(8, name.as_bytes()));
    bytes.extend(field(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()));
    bytes
}

fn weights(name: &str, shape: &[u64], values: &[f32]) -> Vec<u8> {
    field(5, &floats(name, shape, values))
}

/// Weights that a node gives.
fn inner_weights(name: &str, shape: &[u64], values: &[f32]) -> Vec<u8> {
    let value = [field(1, b"value"), field(5, &floats(name, shape, values)), number(20, 4)].concat();
    node("Constant", &[], name, &[value])
}

/// An input (11) or an output (12) of floats (1) or of 64-bit numbers (7).
fn value(role: u64, name: &str, kind: u64, shape: &[u64]) -> Vec<u8> {
    let sizes: Vec<u8> = shape.iter().flat_map(|&size| field(1, &number(1, size))).collect();
    let tensor = [number(1, kind), field(2, &sizes)].concat();
    field(role, &[field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat())
}

fn model(parts: &[Vec<u8>]) -> Vec<u8> {
    model_of(13, parts)
}

/// With this version of the operators.
fn model_of(version: u64, parts: &[Vec<u8>]) -> Vec<u8> {
    let graph = [field(2, b"test"), parts.concat()].concat();
    let opset = number(2, version);
    [number(1, 8), field(8, &opset), field(7, &graph)].concat()
}

/// Pictures of `size` pixels into the means of red, green and blue, times two. The tensor `means`, inside, holds the means
/// themselves.
pub(crate) fn mean_colour(size: u64) -> Vec<u8> {
    mean_colour_of(13, size)
}

/// The same in this version of the operators.
pub(crate) fn mean_colour_of(version: u64, size: u64) -> Vec<u8> {
    let parts = [
        node("GlobalAveragePool", &["image"], "pooled", &[]),
        node("Flatten", &["pooled"], "means", &[attribute("axis", 1)]),
        node("MatMul", &["means", "twice"], "embedding", &[]),
        weights("twice", &[3, 3], &[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0]),
        value(11, "image", 1, &[1, 3, size, size]),
        value(12, "embedding", 1, &[1, 3]),
    ];
    model_of(version, &parts)
}

/// Pictures of 8 x 8 pixels into 24 values, by products of all kinds with these weights, 192 x 24: as they are, turned, once
/// more, in a node and in another product's input. Behind the embedding comes what an embedding does not need.
pub(crate) fn products(table: &[f32]) -> Vec<u8> {
    let turned: Vec<f32> =
        (0..24).flat_map(|column| table.iter().skip(column).step_by(24)).copied().collect();
    let square: Vec<f32> = (0..24 * 24).map(|at| if at % 25 == 0 { 1.0 } else { table[at] }).collect();
    model(&[
        node("Flatten", &["image"], "pixels", &[attribute("axis", 1)]),
        node("MatMul", &["pixels", "table"], "first", &[]),
        node("Gemm", &["pixels", "turned", "shift"], "second", &[attribute("transB", 1)]),
        node("Add", &["first", "second"], "both", &[]),
        node("MatMul", &["pixels", "table"], "again", &[]),
        node("Add", &["both", "again"], "all", &[]),
        inner_weights("square", &[24, 24], &square),
        node("MatMul", &["all", "square"], "embedding", &[]),
        node("MatMul", &["embedding", "beyond"], "other", &[]),
        weights("table", &[192, 24], table),
        weights("turned", &[24, 192], &turned),
        weights("shift", &[24], &table[..24]),
        weights("beyond", &[24, 192], &turned),
        value(11, "image", 1, &[1, 3, 8, 8]),
        value(12, "other", 1, &[1, 192]),
    ])
}

/// Pictures of 4 x 4 pixels into four tokens, one for each row: the mean of the colours of each of its pixels.
pub(crate) fn rows() -> Vec<u8> {
    model(&[
        node("ReduceMean", &["image"], "tokens", &[list("axes", 1), attribute("keepdims", 0)]),
        value(11, "image", 1, &[1, 3, 4, 4]),
        value(12, "tokens", 1, &[1, 4, 4]),
    ])
}

/// Tokens into the mean of their rows in a table of three columns.
pub(crate) fn mean_token(length: u64, table: &[[f32; 3]]) -> Vec<u8> {
    model(&[
        node("Gather", &["table", "tokens"], "rows", &[attribute("axis", 0)]),
        node("ReduceMean", &["rows"], "embedding", &[list("axes", 1), attribute("keepdims", 0)]),
        weights("table", &[table.len() as u64, 3], table.as_flattened()),
        value(11, "tokens", 7, &[1, length]),
        value(12, "embedding", 1, &[1, 3]),
    ])
}
