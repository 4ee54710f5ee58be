//! Values that begin at a cache line.

use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};

use super::LANES;

/// A cache line.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// Values in whole cache lines, on which the widest loads and stores never straddle two.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// Becomes `n` values, rounded up to whole lines; what they are is for the caller to set.
    pub(crate) fn reset(&mut self, n: usize) {
        self.0.resize(n.div_ceil(LANES), Line([0.0; LANES]));
    }
}

impl Deref for Lines {
    type Target = [f32];

    #[inline]
    fn deref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for Lines {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}
