//! `linjin completions` and `linjin man`: what shells and manuals want to know.

use std::fs;
use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man as Page;

use crate::args::{Arguments, Completions, Man};
use crate::failure::Failure;

pub(crate) fn completions(arguments: &Completions, out: &mut dyn Write) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "linjin", &mut text);
    Ok(out.write_all(&text)?)
}

pub(crate) fn man(arguments: &Man, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(folder) = &arguments.folder else {
        return Ok(Page::new(Arguments::command()).render(out)?);
    };
    let failed = |error: io::Error| Failure::io(folder, &error);
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Arguments::command(), folder).map_err(failed)?;
    let pages = fs::read_dir(folder).map_err(failed)?.count();
    Ok(writeln!(out, "{}: {pages} pages", folder.display())?)
}
