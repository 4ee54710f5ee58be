//! The command `linjin`: hands what was typed to the library and its answer to the shell.

fn main() {
    std::process::exit(linjin_cli::run(std::env::args_os()));
}
