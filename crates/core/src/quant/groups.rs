//! How many of the coded values share a code.

use std::ops::Range;

/// At least this many values share a code on average, where all vary alike.
const VALUES_PER_CODE: usize = 2;
/// Codes of a vector come in fours.
const MULTIPLE: usize = 4;
/// With no fewer, where there are values for them. Where vectors lie on a sheet of few directions, a few codes leave little of them, but all of
/// what they leave points along the sheet, as queries do: on 100,000 vectors of 96 values on a sheet of 24, searches for 0.95 took
/// 48 and 50 microseconds with 16 codes, 103 and 113 with 8.
const LEAST_CODES: usize = 16;
/// As many as the kernel can sum.
pub(crate) const MOST_CODES: usize = 256;

/// Neighbouring values, as groups that get a code each, chosen so that all codes together leave the least distortion.
/// `variances` fall; `total` is the variance of the vectors, coded or not; as few codes are taken as leave the share
/// `wanted` of it, or [`LEAST_CODES`]. Returns the groups, a multiple of four, the
/// last ones empty when there are fewer values; and the share of `total` that they leave. Values at the end that no code
/// would say anything about are in no group.
///
/// Sixteen codewords on values of equal variance v leave about v · 16^(−2/n) of each of the n values (the rate of a
/// good quantiser), and somewhat more; values far below the others' variance in a group are left as they are (reverse water-filling). From
/// one group a value, the two neighbours whose union costs least are united until as many groups are left as wanted.
pub(super) fn groups(variances: &[f64], total: f64, wanted: f64) -> (Vec<Range<usize>>, f64) {
    let uncoded = (total - variances.iter().sum::<f64>()).max(0.0);
    let most = variances.len().div_ceil(VALUES_PER_CODE).next_multiple_of(MULTIPLE).min(MOST_CODES);
    let mut groups: Vec<Range<usize>> = (0..variances.len()).map(|i| i..i + 1).collect();
    let mut left: Vec<f64> = groups.iter().map(|group| distortion(&variances[group.clone()]).0).collect();
    let union = |a: &Range<usize>, b: &Range<usize>| distortion(&variances[a.start..b.end]).0;
    let mut losses: Vec<f64> = groups
        .windows(2)
        .enumerate()
        .map(|(i, pair)| union(&pair[0], &pair[1]) - left[i] - left[i + 1])
        .collect();
    let wanted = wanted * total;
    while let Some(best) = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])) {
        let all: f64 = uncoded + left.iter().sum::<f64>();
        if groups.len() <= most && groups.len().is_multiple_of(MULTIPLE) {
            // Four fewer, if that still leaves little enough.
            let cheapest = losses[best] * MULTIPLE as f64;
            if all + cheapest > wanted || groups.len() <= LEAST_CODES {
                break;
            }
        }
        groups[best].end = groups[best + 1].end;
        groups.remove(best + 1);
        left[best] = distortion(&variances[groups[best].clone()]).0;
        left.remove(best + 1);
        losses.remove(best);
        if best > 0 {
            losses[best - 1] = union(&groups[best - 1], &groups[best]) - left[best - 1] - left[best];
        }
        if best + 1 < groups.len() {
            losses[best] = union(&groups[best], &groups[best + 1]) - left[best] - left[best + 1];
        }
    }
    // What lies under water at the end need not be looked at.
    if let Some(last) = groups.last_mut() {
        last.end = last.start + distortion(&variances[last.clone()]).1.max(1);
    }
    let end = groups.last().map_or(0, |last| last.end);
    groups.resize(groups.len().next_multiple_of(MULTIPLE), end..end);
    let share = if total > 0.0 { (uncoded + left.iter().sum::<f64>()) / total } else { 0.0 };
    (groups, share)
}

/// Sixteen codewords do worse than the rate promises, which holds for many dimensions: on normally distributed values
/// they leave 0.0115, 0.115, 0.36 and 0.62 of 1, 2, 4 and 8 of them, instead of 0.0039, 0.0625, 0.25 and 0.5.
const FINITE: f64 = 1.7;

/// What one code leaves of values with these falling variances, and of how many of them it says something.
fn distortion(variances: &[f64]) -> (f64, usize) {
    let rest: f64 = variances.iter().sum();
    let (mut log_product, mut held, mut least, mut used) = (0.0, 0.0, rest, 0);
    for (i, &variance) in variances.iter().enumerate() {
        if variance <= 0.0 {
            break;
        }
        log_product += variance.ln();
        held += variance;
        let n = (i + 1) as f64;
        // 16^(-2/n) for each of n values: e^(-2 ln 16 / n).
        let each = ((log_product - 2.0 * 16_f64.ln()) / n).exp() * (1.0 + FINITE / n);
        if each > variance {
            break; // the water stands above this value
        }
        (least, used) = (n * each + (rest - held), i + 1);
    }
    (least, used)
}

#[cfg(test)]
mod tests {
    use super::{LEAST_CODES, groups};

    #[test]
    fn vectors_on_a_sheet_get_codes_enough() {
        let sheet: Vec<f64> = (0..96).map(|i| if i < 24 { 1.0 } else { 1e-4 }).collect();
        let total = sheet.iter().sum();
        let (found, left) = groups(&sheet, total, 0.15);
        assert_eq!(found.len(), LEAST_CODES);
        assert!(left < 0.1, "{left}: fewer would have been enough");
        // But no more than one for two values.
        let few = vec![1.0; 8];
        assert_eq!(groups(&few, 8.0, 0.15).0.len(), 4);
        // And where more are wanted, more.
        let many = vec![1.0; 100];
        assert!(groups(&many, 100.0, 0.15).0.len() > 40);
    }
}
