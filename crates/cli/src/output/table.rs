//! Columns with aligned numbers.

use std::io::{self, Write};

/// Writes headings and rows, every column as wide as its widest entry and aligned on the right.
pub(crate) fn columns<const N: usize>(
    out: &mut dyn Write,
    headings: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(|i| width(i).max(headings[i].chars().count()));
    line(out, &headings, &widths)?;
    for row in rows {
        line(out, &row.each_ref().map(String::as_str), &widths)?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, entries: &[&str], widths: &[usize]) -> io::Result<()> {
    for (entry, &width) in entries.iter().zip(widths) {
        write!(out, "  {entry:>width$}")?;
    }
    writeln!(out)
}

/// Writes names and values, a line each, the values one below the other.
pub(crate) fn facts(out: &mut dyn Write, facts: &[(&str, String)]) -> io::Result<()> {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts {
        writeln!(out, "{name:<width$}  {value}")?;
    }
    Ok(())
}
