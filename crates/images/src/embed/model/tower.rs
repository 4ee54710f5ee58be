//! An ONNX file that gives vectors.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;

use rten::{Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::manifest::{Pooling, Tower};
use crate::error::ModelError;

thread_local! {
    /// Pictures are embedded side by side, each on its own thread: that is faster than many threads on one picture.
    static ALONE: OnceCell<Arc<ThreadPool>> = const { OnceCell::new() };
}

/// A loaded ONNX file and which tensor of it is the vector.
pub(super) struct Loaded {
    model: Model,
    output: NodeId,
    pooling: Pooling,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("pooling", &self.pooling).finish_non_exhaustive()
    }
}

impl Loaded {
    /// Loads a file.
    pub(super) fn open(path: &Path, tower: &Tower) -> Result<Self, ModelError> {
        let refused = |what: String| ModelError::Onnx { path: path.to_owned(), what };
        let load = |optimise| {
            let mut options = ModelOptions::with_all_ops();
            options.enable_optimization(optimise).prepack_weights(true);
            options.load_file(path).map_err(|error| refused(format!("not loaded: {error}")))
        };
        let model = load(true)?;
        let Some(name) = &tower.tensor else {
            let Some(&output) = model.output_ids().first() else {
                return Err(refused("the model has no output".to_owned()));
            };
            return Ok(Self { model, output, pooling: tower.pooling });
        };
        if let Some(output) = model.find_node(name) {
            return Ok(Self { model, output, pooling: tower.pooling });
        }
        // What is joined with its neighbours to make the model faster has no name any more.
        let model = load(false)?;
        let output = model
            .find_node(name)
            .ok_or_else(|| refused(format!("no tensor is called {name}; outputs are {}", outputs(&model))))?;
        Ok(Self { model, output, pooling: tower.pooling })
    }

    /// The vector of a picture: `values` are red, then green, then blue, `size` by `size`.
    pub(super) fn of_picture(&self, values: Vec<f32>, size: usize) -> Result<Vec<f32>, String> {
        let &[input] = self.model.input_ids() else {
            return Err(format!(
                "{} inputs were found, one picture was expected",
                self.model.input_ids().len()
            ));
        };
        let tensor = NdTensor::from_data([1, 3, size, size], values);
        self.run(vec![(input, tensor.view().into())])
    }

    /// The vector of tokens; `mask` is 1 for those of the text and 0 for those behind it.
    pub(super) fn of_tokens(&self, tokens: Vec<i32>, mask: Vec<i32>) -> Result<Vec<f32>, String> {
        let length = tokens.len();
        let (tokens, mask) =
            (NdTensor::from_data([1, length], tokens), NdTensor::from_data([1, length], mask));
        let inputs: Vec<(NodeId, ValueOrView<'_>)> = match *self.model.input_ids() {
            [only] => vec![(only, tokens.view().into())],
            [first, second] => {
                let name = |id| self.model.node_info(id).and_then(|node| node.name().map(str::to_owned));
                let mask_first = name(first).is_some_and(|name| name.contains("mask"));
                let (ids, masks) = if mask_first { (second, first) } else { (first, second) };
                vec![(ids, tokens.view().into()), (masks, mask.view().into())]
            }
            _ => return Err("one or two inputs were expected: tokens, and a mask".to_owned()),
        };
        self.run(inputs)
    }

    fn run(&self, inputs: Vec<(NodeId, ValueOrView<'_>)>) -> Result<Vec<f32>, String> {
        let pool =
            ALONE.with(|pool| Arc::clone(pool.get_or_init(|| Arc::new(ThreadPool::with_num_threads(1)))));
        let options = RunOptions::default().with_thread_pool(Some(pool));
        let [value] =
            self.model.run_n(inputs, [self.output], Some(options)).map_err(|error| error.to_string())?;
        pooled(value, self.pooling)
    }
}

/// One vector out of a tensor.
fn pooled(value: Value, pooling: Pooling) -> Result<Vec<f32>, String> {
    let tensor: Tensor<f32> = value.try_into().map_err(|_| "no tensor of floats came out".to_owned())?;
    let shape = tensor.shape().to_vec();
    let values = tensor.to_vec();
    match (pooling, shape.as_slice()) {
        (Pooling::None, [1, _] | [_]) => Ok(values),
        (Pooling::First, &[1, tokens, dim]) if tokens > 0 => Ok(values[..dim].to_vec()),
        (Pooling::Mean, &[1, tokens, dim]) if tokens > 0 => {
            let mut mean = vec![0.0; dim];
            for row in values.chunks_exact(dim.max(1)) {
                for (mean, value) in mean.iter_mut().zip(row) {
                    *mean += value / tokens as f32;
                }
            }
            Ok(mean)
        }
        (Pooling::None, _) => Err(format!("the shape {shape:?} was found, (1, dim) was expected")),
        _ => Err(format!("the shape {shape:?} was found, (1, tokens, dim) was expected")),
    }
}

fn outputs(model: &Model) -> String {
    let describe = |&id: &NodeId| {
        let info = model.node_info(id);
        let name = info.as_ref().and_then(|info| info.name().map(str::to_owned)).unwrap_or_default();
        let shape: Vec<String> = info
            .and_then(|info| info.shape())
            .unwrap_or_default()
            .iter()
            .map(|size| match size {
                Dimension::Fixed(size) => size.to_string(),
                Dimension::Symbolic(name) => name.clone(),
            })
            .collect();
        format!("{name} ({})", shape.join(", "))
    };
    model.output_ids().iter().map(describe).collect::<Vec<_>>().join(", ")
}
