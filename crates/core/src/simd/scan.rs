//! Sums of table look-ups over blocks of 4-bit codes: the layout and the specification.
//!
//! A block holds [`BLOCK`] vectors of `m` codes of 4 bits. The 16 bytes at `16 * c` are code `c` of all of them: byte j
//! has vector j's in its low half and vector j+16's in its high half. The 16 bytes at `16 * c` of a table are the
//! addends of the sixteen values of code `c`. So one look-up instruction serves sixteen vectors, and the table and the
//! block are read from front to back. The method is that of Quicker ADC (André, Kermarrec, Le Scouarnec, 2019).
//!
//! `m` is a multiple of 4, at most 256, so that a sum, at most 256 * 255, fits 16 bits.

/// Vectors in a block.
pub(crate) const BLOCK: usize = 32;

/// The bytes of one code in a block, and of its part of the table.
const CODE: usize = 16;
/// The sizes of a table, and of a block: four codes to 256.
const LEAST: usize = 4 * CODE;
const MOST: usize = 256 * CODE;

/// Blocks of vectors that each have a bias.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// The table of a query.
    pub table: &'a [u8],
    /// The codes of the blocks, one after the other.
    pub blocks: &'a [u8],
    /// What each vector adds to its estimate.
    pub biases: &'a [f32],
    /// What every estimate has.
    pub base: f32,
    /// What an addend is worth.
    pub scale: f32,
    /// Estimates below it pass.
    pub threshold: f32,
    /// What will be read next: fetched into the cache meanwhile, a line with each step of the sums.
    pub ahead: &'a [u8],
}

/// A block of vectors that each have factors of their own.
#[derive(Clone, Copy, Debug)]
pub struct Scaled<'a> {
    /// The table of a query.
    pub table: &'a [u8],
    /// The codes of one block.
    pub block: &'a [u8],
    /// For each vector two floats cut to their upper halves: what it adds to an estimate, in the lower half, and what the sum
    /// of its codes is multiplied by, in the upper half.
    pub factors: &'a [u32; BLOCK],
    /// What every estimate has.
    pub base: f32,
    /// What an addend is worth, and what every sum lacks.
    pub scale: f32,
    /// See `scale`.
    pub offset: f32,
    /// Estimates below it pass.
    pub threshold: f32,
    /// What will be read next: fetched into the cache meanwhile, a line with each step of the sums.
    pub ahead: &'a [u8],
}

impl Scan<'_> {
    /// Panics unless all lengths belong together.
    pub(super) fn check(&self, estimates: &[f32], lanes: &[u32]) {
        check(self.table, self.blocks, self.biases.len() / BLOCK);
        assert_eq!(self.biases.len() % BLOCK, 0);
        assert!(u32::try_from(self.biases.len()).is_ok());
        assert!(estimates.len() >= self.biases.len() && lanes.len() >= self.biases.len());
    }
}

/// Panics unless `blocks` is `count` blocks of as many codes as `table` has.
pub(super) fn check(table: &[u8], blocks: &[u8], count: usize) {
    assert!((LEAST..=MOST).contains(&table.len()) && table.len().is_multiple_of(LEAST));
    assert_eq!(Some(blocks.len()), table.len().checked_mul(count));
}

/// Bytes of the table and of a block that the backends sum with each step.
pub(super) const STEP: usize = 64;

/// The specification of the sums.
pub(super) fn lut_scan_blocks(table: &[u8], blocks: &[u8], out: &mut [[u16; BLOCK]]) {
    check(table, blocks, out.len());
    for (block, out) in blocks.chunks_exact(table.len()).zip(out) {
        *out = [0; BLOCK];
        let (addends, codes) = (table.as_chunks::<CODE>().0, block.as_chunks::<CODE>().0);
        for (addends, codes) in addends.iter().zip(codes) {
            for (lane, &byte) in codes.iter().enumerate() {
                out[lane] += u16::from(addends[usize::from(byte & 15)]);
                out[lane + CODE] += u16::from(addends[usize::from(byte >> 4)]);
            }
        }
    }
}

/// The specification of estimates with factors.
pub(super) fn lut_scaled(scaled: &Scaled<'_>, estimates: &mut [f32; BLOCK]) -> u32 {
    let mut sums = [0; BLOCK];
    lut_scan_blocks(scaled.table, scaled.block, std::slice::from_mut(&mut sums));
    let mut passing = 0;
    for lane in 0..BLOCK {
        let sum = f32::from(sums[lane]).mul_add(scaled.scale, scaled.offset);
        let factors = scaled.factors[lane];
        let (added, times) = (f32::from_bits(factors << 16), f32::from_bits(factors & 0xFFFF_0000));
        estimates[lane] = times.mul_add(sum, scaled.base + added);
        passing |= u32::from(estimates[lane] < scaled.threshold) << lane;
    }
    passing
}

/// The specification of the selection.
pub(super) fn lut_select(scan: &Scan<'_>, estimates: &mut [f32], lanes: &mut [u32]) -> usize {
    scan.check(estimates, lanes);
    let mut kept = 0;
    let blocks = scan.blocks.chunks_exact(scan.table.len());
    for (i, (block, biases)) in blocks.zip(scan.biases.as_chunks::<BLOCK>().0).enumerate() {
        let mut sums = [0; BLOCK];
        lut_scan_blocks(scan.table, block, std::slice::from_mut(&mut sums));
        for lane in 0..BLOCK {
            let estimate = f32::from(sums[lane]).mul_add(scan.scale, scan.base + biases[lane]);
            if estimate < scan.threshold {
                estimates[kept] = estimate;
                lanes[kept] = (i * BLOCK + lane) as u32;
                kept += 1;
            }
        }
    }
    kept
}
