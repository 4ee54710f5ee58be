//! `linjin serve`: pictures and vectors over HTTP, and the page that searches pictures.

use std::io::{IsTerminal, Write, stderr};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use linjin_images::Collection;
use linjin_server::{Options, Pictures, ServeError, Server};
use tracing_subscriber::filter::LevelFilter;

use crate::failure::Failure;
use crate::images::{failed, models};

/// Serve a folder of pictures, with a page that searches it, or an index of vectors.
#[derive(Debug, Args)]
#[command(after_help = "\
The folder is indexed first and again whenever something changes in it; --no-index shows what there is. Only this machine is
answered. For others set --host and a token, which whoever asks has to know; put it behind a proxy with TLS where the network
is not your own. /openapi.json describes the requests.

Examples:
  linjin serve --images ~/Pictures
  linjin serve --index items.linjin --port 8080
  LINJIN_TOKEN=$(openssl rand -hex 16) linjin serve --images ~/Pictures --host 0.0.0.0")]
pub(crate) struct Serve {
    /// Folder of pictures
    #[arg(long, value_name = "DIR", required_unless_present = "index")]
    images: Option<PathBuf>,
    /// Where to keep what is known about the pictures [default: DIR/.linjin]
    #[arg(long, value_name = "FOLDER", requires = "images")]
    data: Option<PathBuf>,
    /// What makes the vectors: descriptor, or a model that was imported; without it, what made them before
    #[arg(long, value_name = "NAME", requires = "images")]
    model: Option<String>,
    /// Do not index the folder
    #[arg(long, requires = "images")]
    no_index: bool,
    /// Index of vectors
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Address to listen on; one that other machines reach needs a token
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free
    #[arg(short, long, default_value = "7465")]
    port: u16,
    /// What whoever asks has to know, at least 16 characters; $LINJIN_TOKEN is not seen in lists of processes
    #[arg(long)]
    token: Option<String>,
    /// A name by which requests may call this machine; may be given again
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Say what is done: each request, each run of indexing
    #[arg(short, long)]
    verbose: bool,
}

pub(crate) fn run(arguments: Serve, out: &mut dyn Write) -> Result<(), Failure> {
    let pictures = match &arguments.images {
        Some(folder) => Some(pictures(folder, &arguments)?),
        None => None,
    };
    let level = if arguments.verbose { LevelFilter::DEBUG } else { LevelFilter::ERROR };
    // Fails where the caller of `run` has his own way of logging, which is as well.
    _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        .try_init();
    let own = std::env::var("LINJIN_TOKEN").ok().filter(|token| !token.is_empty());
    let token = arguments.token.or(own);
    let server = Server::bind(Options {
        pictures,
        index: arguments.index,
        address: SocketAddr::new(arguments.host, arguments.port),
        token: token.clone(),
        hosts: arguments.allow_host,
    })
    .map_err(refused)?;
    let mut address = server.address();
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    writeln!(out, "http://{address}/")?;
    if token.is_some() {
        writeln!(out, "the page asks for the token")?;
    }
    if stderr().is_terminal() {
        writeln!(out, "Ctrl-C ends it")?;
    }
    out.flush()?;
    server.run(std::future::pending()).map_err(refused)
}

fn pictures(folder: &std::path::Path, arguments: &Serve) -> Result<Pictures, Failure> {
    let collection = match arguments.no_index {
        true => Collection::open(folder),
        false => Collection::create(folder, arguments.data.as_deref()),
    }
    .map_err(failed)?;
    let embedder = match &arguments.model {
        Some(name) => models::named(name)?,
        None => models::of(&collection)?,
    };
    Ok(Pictures { collection, embedder, keep_indexed: !arguments.no_index })
}

fn refused(error: ServeError) -> Failure {
    match error {
        ServeError::Nothing | ServeError::Open { .. } | ServeError::Token { .. } => {
            Failure::Usage(error.to_string())
        }
        ServeError::Index { path, error } => Failure::index(&path, &error),
        other => Failure::Run(other.to_string()),
    }
}
