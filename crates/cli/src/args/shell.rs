//! What can be typed after `completions` and `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Write what a shell needs to complete this command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  linjin completions bash > ~/.local/share/bash-completion/completions/linjin
  linjin completions zsh > ~/.zfunc/_linjin
  linjin completions fish > ~/.config/fish/completions/linjin.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Write the manual pages.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  linjin man | man -l -
  linjin man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Folder for a page of each command; without it, the page of linjin goes to standard output
    pub(crate) folder: Option<PathBuf>,
}
