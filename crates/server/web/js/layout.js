// The justified grid, as numbers: rows as wide as the page, pictures side by side at about the height that is wanted.

// ratios: width by height of each picture. Returns the tops of rows and the first picture of each, and the left edges.
export function justify(ratios, width, wanted, gap) {
  const count = ratios.length;
  const lefts = new Float32Array(count);
  const widths = new Float32Array(count);
  const rows = [];
  let top = 0;
  let first = 0;
  let sum = 0;
  for (let at = 0; at < count; at++) {
    sum += ratios[at];
    const space = width - gap * (at - first);
    const height = space / sum;
    // Closer to the wanted height with the next one, or without?
    const next = at + 1 < count ? (width - gap * (at + 1 - first)) / (sum + ratios[at + 1]) : 0;
    const last = at + 1 === count;
    if (!last && (height > wanted * 1.05 && Math.abs(next - wanted) < Math.abs(height - wanted) || height > wanted * 1.6)) continue;
    const tall = Math.min(height, last ? wanted * 1.05 : height);
    let left = 0;
    for (let i = first; i <= at; i++) {
      lefts[i] = left;
      widths[i] = ratios[i] * tall;
      left += widths[i] + gap;
    }
    rows.push({ top, height: tall, first, end: at + 1 });
    top += tall + gap;
    first = at + 1;
    sum = 0;
  }
  return { rows, lefts, widths, height: Math.max(top - gap, 0) };
}

// The row at this height, by bisection.
export function rowAt(rows, y) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle].top <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

// The row of a picture.
export function rowOf(rows, index) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle].first <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}
