//! The sums of table look-ups in the registers of any vector instruction set: the loops over the blocks.

use super::prefetch::prefetch;
use super::scan::{BLOCK, Scaled, Scan, check};

/// The sums of one block in the registers of one instruction set.
///
/// # Safety
///
/// Every method may be called only where the CPU has that instruction set.
pub(super) trait Sums: Copy {
    /// `table` and `block` are equally long, a multiple of [`STEP`](super::scan::STEP) bytes and at most 4096. With `FETCH`
    /// each step fetches a line of `ahead`.
    unsafe fn of<const FETCH: bool>(table: &[u8], block: &[u8], ahead: &[u8]) -> Self;
    unsafe fn store(self, to: &mut [u16; BLOCK]);
    /// Puts the estimates under the threshold, and `first` + their lanes, at the front of `estimates` and `lanes`;
    /// returns how many. It may write anything behind them.
    unsafe fn select(
        self,
        scan: &Scan<'_>,
        biases: &[f32; BLOCK],
        first: u32,
        estimates: &mut [f32; BLOCK],
        lanes: &mut [u32; BLOCK],
    ) -> usize;
    /// The estimates of the block's vectors, each with its factors; returns a bit for each that passes.
    unsafe fn scaled(self, scaled: &Scaled<'_>, estimates: &mut [f32; BLOCK]) -> u32;
}

/// The sums of a block, while what is `ahead` is fetched as far as that goes; what is left of it then stays there.
///
/// # Safety
///
/// As for [`Sums`]: `table` and `block` are as long as [`Sums::of`] wants them.
#[inline(always)]
unsafe fn sums<S: Sums>(table: &[u8], block: &[u8], ahead: &mut &[u8]) -> S {
    let (meanwhile, left) = ahead.split_at(ahead.len().min(block.len()));
    *ahead = left;
    // SAFETY: the caller's promise.
    unsafe {
        if meanwhile.is_empty() {
            S::of::<false>(table, block, meanwhile)
        } else {
            S::of::<true>(table, block, meanwhile)
        }
    }
}

/// `lut_scan_blocks` in registers.
///
/// # Safety
///
/// As for [`Sums`]. It is inlined into a function that enables the instruction set, and must be.
#[inline(always)]
pub(super) unsafe fn scan_blocks<S: Sums>(table: &[u8], blocks: &[u8], out: &mut [[u16; BLOCK]]) {
    check(table, blocks, out.len());
    for (block, out) in blocks.chunks_exact(table.len()).zip(out) {
        // SAFETY: the caller's promise; the lengths are checked.
        unsafe { S::of::<false>(table, block, &[]).store(out) }
    }
}

/// `lut_select` in registers.
///
/// # Safety
///
/// As for [`scan_blocks`].
#[inline(always)]
pub(super) unsafe fn select_blocks<S: Sums>(
    scan: &Scan<'_>,
    estimates: &mut [f32],
    lanes: &mut [u32],
) -> usize {
    scan.check(estimates, lanes);
    let (mut kept, mut ahead) = (0, scan.ahead);
    let blocks = scan.blocks.chunks_exact(scan.table.len());
    for (i, (block, biases)) in blocks.zip(scan.biases.as_chunks().0).enumerate() {
        // Never refused: at most `i * BLOCK` are kept yet, and the outputs are as long as all blocks.
        let room = estimates[kept..].first_chunk_mut().zip(lanes[kept..].first_chunk_mut());
        let (estimates, lanes) = room.expect("the outputs have room for every lane");
        // SAFETY: the caller's promise; the lengths are checked.
        kept += unsafe {
            let sums: S = sums(scan.table, block, &mut ahead);
            sums.select(scan, biases, (i * BLOCK) as u32, estimates, lanes)
        };
    }
    prefetch(ahead);
    kept
}

/// `lut_scaled` in registers.
///
/// # Safety
///
/// As for [`scan_blocks`].
#[inline(always)]
pub(super) unsafe fn scaled_block<S: Sums>(scaled: &Scaled<'_>, estimates: &mut [f32; BLOCK]) -> u32 {
    check(scaled.table, scaled.block, 1);
    let mut ahead = scaled.ahead;
    // SAFETY: the caller's promise; the lengths are checked.
    let passing = unsafe { sums::<S>(scaled.table, scaled.block, &mut ahead).scaled(scaled, estimates) };
    prefetch(ahead);
    passing
}

/// [`Sums::select`] where there is no instruction for it: from the estimates and a bit for each that passes.
#[inline(always)]
pub(super) fn gather_passing(
    mut passing: u32,
    all: &[f32; BLOCK],
    first: u32,
    estimates: &mut [f32; BLOCK],
    lanes: &mut [u32; BLOCK],
) -> usize {
    let mut kept = 0;
    while passing != 0 {
        let lane = passing.trailing_zeros();
        estimates[kept] = all[lane as usize];
        lanes[kept] = first + lane;
        passing &= passing - 1;
        kept += 1;
    }
    kept
}

/// The scanning part of a backend: `$scan`, `$select` and `$scaled`, compiled for `$features` over the registers `$sums`.
macro_rules! scan_kernels {
    ($features:literal, $sums:ty, $scan:ident, $select:ident, $scaled:ident) => {
        #[target_feature(enable = $features)]
        fn $scan(table: &[u8], blocks: &[u8], out: &mut [[u16; BLOCK]]) {
            // SAFETY: this function enables the features that the registers need.
            unsafe { scan_blocks::<$sums>(table, blocks, out) }
        }

        #[target_feature(enable = $features)]
        fn $select(scan: &Scan<'_>, estimates: &mut [f32], lanes: &mut [u32]) -> usize {
            // SAFETY: this function enables the features that the registers need.
            unsafe { select_blocks::<$sums>(scan, estimates, lanes) }
        }

        #[target_feature(enable = $features)]
        fn $scaled(scaled: &Scaled<'_>, estimates: &mut [f32; BLOCK]) -> u32 {
            // SAFETY: this function enables the features that the registers need.
            unsafe { scaled_block::<$sums>(scaled, estimates) }
        }
    };
}
pub(super) use scan_kernels;
