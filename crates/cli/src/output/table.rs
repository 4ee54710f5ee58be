//! Columns with aligned numbers.

use std::io::{self, Write};

/// Writes headings and rows, every column as wide as its widest entry and aligned on the right.
pub(crate) fn columns(
    out: &mut dyn Write,
    headings: &[&str],
    rows: &[impl AsRef<[String]>],
) -> io::Result<()> {
    let width =
        |column: usize| rows.iter().map(|row| row.as_ref()[column].chars().count()).max().unwrap_or(0);
    let widths = headings.iter().enumerate().map(|(i, heading)| width(i).max(heading.chars().count()));
    let widths: Vec<usize> = widths.collect();
    line(out, headings, &widths)?;
    rows.iter().try_for_each(|row| line(out, row.as_ref(), &widths))
}

fn line(out: &mut dyn Write, entries: &[impl std::fmt::Display], widths: &[usize]) -> io::Result<()> {
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
