//! An ONNX file whose products with constant weights are computed in 8-bit whole numbers.
//!
//! ```text
//! x . W   becomes   x -> DynamicQuantizeLinear -> MatMulInteger with W in 8 bits -> Cast -> . (scale of x . scales of W)
//! ```
//!
//! Each column of the weights has a scale of its own, fixed here; what they are multiplied with has one for all of it, found
//! anew each time. What the wanted tensor does not need is left out.

use std::collections::{HashMap, HashSet};

use prost::Message;

use super::onnx::{Attribute, FLOAT, Graph, Model, Node, Tensor, ValueInfo};

/// Weights go from -64 to 64. Two products of a byte with such a weight fit into 16 bits, which is what processors without
/// instructions for such sums (VNNI) add up in: a file is right on every machine (docs/design.md).
const LARGEST: f32 = 64.0;
/// The first version of ONNX's operators that has all that are put in.
const OPSET: i64 = 11;
/// The name of the zero of all weights.
const ZERO: &str = "zero of weights in 8 bits";

/// The file with the graph's products in whole numbers, as far as `tensor` (else the first output) needs them; nothing if
/// there is no such product.
pub(super) fn quantised(file: &[u8], tensor: Option<&str>) -> Result<Option<Vec<u8>>, String> {
    let mut model = Model::decode(file).map_err(|error| format!("not an ONNX file: {error}"))?;
    let Some(graph) = &mut model.graph else {
        return Err("not an ONNX file: no graph is in it".to_owned());
    };
    let operators = model.opset_import.iter().find(|set| matches!(set.domain(), "" | "ai.onnx"));
    let version = operators.map_or(0, |set| set.version());
    if version < OPSET {
        return Err(format!(
            "version {version} of ONNX's operators was found, {OPSET} or later was expected for int8: export the model with \
             a later one, or import it without int8"
        ));
    }
    keep_output(graph, tensor);
    prune(graph);
    let nodes = std::mem::take(&mut graph.node);
    let mut products = Products::of(graph, &nodes);
    let whole: Vec<Option<Vec<Node>>> = nodes.iter().map(|node| products.in_place_of(node)).collect();
    let made = products.made;
    if made.is_empty() {
        return Ok(None);
    }
    graph.node =
        nodes.into_iter().zip(whole).flat_map(|(node, whole)| whole.unwrap_or_else(|| vec![node])).collect();
    graph.initializer.extend(made);
    prune(graph);
    Ok(Some(model.encode_to_vec()))
}

/// Makes the tensor, if a node gives it, the one output; else keeps the first output alone.
fn keep_output(graph: &mut Graph, tensor: Option<&str>) {
    if let Some(name) = tensor
        && graph.node.iter().any(|node| node.output.iter().any(|output| output == name))
    {
        graph.output = vec![ValueInfo::floats(name.to_owned())];
    }
    graph.output.truncate(1);
}

/// Leaves out what the outputs do not need.
fn prune(graph: &mut Graph) {
    let mut needed: HashSet<String> = graph.output.iter().map(|value| value.name().to_owned()).collect();
    // From the end: a node comes behind those that it takes from.
    let mut kept = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node).into_iter().rev() {
        if node.output.iter().any(|name| needed.contains(name)) {
            needed.extend(node.takes().into_iter().map(str::to_owned));
            kept.push(node);
        }
    }
    kept.reverse();
    graph.node = kept;
    let idle: HashSet<String> = graph
        .initializer
        .iter()
        .map(|constant| constant.name().to_owned())
        .filter(|name| !needed.contains(name))
        .collect();
    graph.initializer.retain(|constant| !idle.contains(constant.name()));
    graph.input.retain(|input| !idle.contains(input.name()));
    graph.value_info.retain(|value| needed.contains(value.name()));
}

/// Products that become products of whole numbers, and the constants that they need.
struct Products<'a> {
    /// Constants by name.
    constants: HashMap<&'a str, &'a Tensor>,
    /// Names of weights that were made, by the name that they had and whether they were turned.
    weights: HashMap<(String, bool), String>,
    made: Vec<Tensor>,
    /// What is turned into bytes already.
    bytes: HashSet<String>,
}

impl<'a> Products<'a> {
    fn of(graph: &'a Graph, nodes: &'a [Node]) -> Self {
        let inside = nodes
            .iter()
            .filter(|node| node.is("Constant"))
            .filter_map(|node| Some((node.output.first()?.as_str(), node.setting("value")?.t.as_ref()?)));
        let constants =
            graph.initializer.iter().map(|constant| (constant.name(), constant)).chain(inside).collect();
        Self { constants, weights: HashMap::new(), made: Vec::new(), bytes: HashSet::new() }
    }

    /// What stands in a node's place if it is a product with constant weights.
    fn in_place_of(&mut self, node: &Node) -> Option<Vec<Node>> {
        let is_set = |name: &str| node.setting(name).is_some_and(|setting| setting.i() != 0);
        let is_one = |name: &str| node.setting(name).is_none_or(|setting| setting.f() == 1.0);
        let turned = if node.is("MatMul") {
            false
        } else if node.is("Gemm") && !is_set("transA") && is_one("alpha") && is_one("beta") {
            is_set("transB")
        } else {
            return None;
        };
        let (from, to) = (node.input.first()?, node.output.first()?);
        let weights = self.weights(node.input.get(1)?, turned)?;
        let [bytes, scale, zero] = ["in 8 bits", "scale", "zero"].map(|what| format!("{from} {what}"));
        let mut nodes = Vec::new();
        if self.bytes.insert(from.clone()) {
            let outputs = vec![bytes.clone(), scale.clone(), zero.clone()];
            nodes.push(Node::new("DynamicQuantizeLinear", vec![from.clone()], outputs));
        }
        // rten joins the first four to one operator if they are these, with their inputs in this order.
        let [sums, floats, scales] = ["sums", "as floats", "scales"].map(|what| format!("{to} {what}"));
        let added = node.input.get(2).filter(|name| !name.is_empty());
        let product = if added.is_some() { format!("{to} product") } else { to.clone() };
        let inputs = vec![bytes, weights.clone(), zero, ZERO.to_owned()];
        nodes.push(Node::new("MatMulInteger", inputs, vec![sums.clone()]));
        let cast = Node::new("Cast", vec![sums], vec![floats.clone()]);
        nodes.push(Node { attribute: vec![Attribute::number("to", i64::from(FLOAT))], ..cast });
        nodes.push(Node::new("Mul", vec![scale, format!("{weights} scales")], vec![scales.clone()]));
        nodes.push(Node::new("Mul", vec![floats, scales], vec![product.clone()]));
        if let Some(added) = added {
            nodes.push(Node::new("Add", vec![product, added.clone()], vec![to.clone()]));
        }
        Some(nodes)
    }

    /// The name of weights in 8 bits; that of their scales ends in `scales`. Turned, their rows become columns. Nothing if
    /// there is no table of finite floats with this name.
    fn weights(&mut self, name: &str, turned: bool) -> Option<String> {
        let key = (name.to_owned(), turned);
        if let Some(made) = self.weights.get(&key) {
            return Some(made.clone());
        }
        let (mut rows, mut columns, mut values) = self.constants.get(name)?.table()?;
        if turned {
            let column = |column| values.iter().skip(column).step_by(columns).copied();
            values = (0..columns).flat_map(column).collect();
            (rows, columns) = (columns, rows);
        }
        let mut scales = vec![0.0_f32; columns];
        for row in values.chunks_exact(columns) {
            for (scale, value) in scales.iter_mut().zip(row) {
                *scale = scale.max(value.abs() / LARGEST);
            }
        }
        // A column of zeros has any scale.
        scales.iter_mut().filter(|scale| **scale == 0.0).for_each(|scale| *scale = 1.0);
        let bytes: Vec<i8> = values
            .chunks_exact(columns)
            .flat_map(|row| row.iter().zip(&scales).map(|(value, scale)| (value / scale).round() as i8))
            .collect();
        let made = format!("{name} in 8 bits{}", if turned { ", turned" } else { "" });
        if self.made.is_empty() {
            self.made.push(Tensor::bytes(ZERO.to_owned(), Vec::new(), &[0]));
        }
        self.made.push(Tensor::bytes(made.clone(), vec![rows as i64, columns as i64], &bytes));
        self.made.push(Tensor::floats(format!("{made} scales"), &scales));
        self.weights.insert(key, made.clone());
        Some(made)
    }
}
