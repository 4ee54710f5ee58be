//! The public server: what it serves, and to whom.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use linjin::index::error::OpenError;
use linjin_images::{Collection, Embedder};
use thiserror::Error;

use crate::app::App;
use crate::{indexing, listen, router};

/// A token has at least so many characters: shorter ones can be guessed.
const TOKEN: usize = 16;

/// A collection of pictures to serve.
pub struct Pictures {
    /// The collection.
    pub collection: Collection,
    /// What makes its vectors.
    pub embedder: Box<dyn Embedder>,
    /// Whether the server indexes the folder, now and whenever something changes in it.
    pub keep_indexed: bool,
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pictures").field("collection", &self.collection).finish_non_exhaustive()
    }
}

/// What is served, and to whom.
#[derive(Debug)]
pub struct Options {
    /// Pictures, and the page that searches them.
    pub pictures: Option<Pictures>,
    /// An index file of vectors.
    pub index: Option<PathBuf>,
    /// Where to listen. An address that other machines reach needs a token.
    pub address: SocketAddr,
    /// What whoever asks has to know.
    pub token: Option<String>,
    /// Names of this machine that requests may call it by, beside `localhost` and addresses of the loopback.
    pub hosts: Vec<String>,
}

/// Why nothing is served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// There is nothing to serve.
    #[error("nothing to serve: give a folder of pictures, an index of vectors, or both")]
    Nothing,
    /// Other machines would reach it, and everybody on them could ask.
    #[error("{address} can be reached from other machines: set a token, or listen on 127.0.0.1")]
    Open {
        /// Where it should listen.
        address: IpAddr,
    },
    /// The token is too short.
    #[error("the token has {found} characters; at least {TOKEN} are needed so that nobody guesses it")]
    Token {
        /// Characters that it has.
        found: usize,
    },
    /// The index file was not opened or saved.
    #[error("{}: {error}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// Why.
        error: OpenError,
    },
    /// The folder of pictures was not opened.
    #[error("{}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// The port was not to be had, or the operating system said no.
    #[error("{address}: {error}")]
    Listen {
        /// Where it should listen.
        address: SocketAddr,
        /// What the operating system said.
        error: std::io::Error,
    },
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens what is to be served and takes the port; answers from [`run`](Self::run) on.
    ///
    /// # Errors
    ///
    /// There is nothing to serve, the index or the folder cannot be opened, the port is in use, the token is too short,
    /// or other machines would reach the server without one.
    pub fn bind(options: Options) -> Result<Self, ServeError> {
        if options.pictures.is_none() && options.index.is_none() {
            return Err(ServeError::Nothing);
        }
        if let Some(found) = options.token.as_ref().map(|token| token.chars().count())
            && found < TOKEN
        {
            return Err(ServeError::Token { found });
        }
        if options.token.is_none() && !options.address.ip().is_loopback() {
            return Err(ServeError::Open { address: options.address.ip() });
        }
        let refused = |error| ServeError::Listen { address: options.address, error };
        let listener = TcpListener::bind(options.address).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let app = Arc::new(App::new(options)?);
        Ok(Self { app, listener, address })
    }

    /// Where it listens: with the port that the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What answers requests, to be asked without a connection.
    pub fn router(&self) -> Router {
        router::router(&self.app)
    }

    /// Answers requests until the process is told to stop (Ctrl-C, SIGTERM) or `stop` is done. Then requests that were
    /// begun are finished, and changes of the index of vectors are saved.
    ///
    /// # Errors
    ///
    /// The operating system gives no threads, or the index was not saved.
    pub fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let refused = |error| ServeError::Listen { address: self.address, error };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(refused)?;
        let router = self.router();
        indexing::start(&self.app);
        runtime
            .block_on(async {
                let listener = tokio::net::TcpListener::from_std(self.listener)?;
                let watching = tokio::spawn(indexing::look_out(Arc::clone(&self.app)));
                listen::serve(listener, router, &self.app, stop).await;
                watching.abort();
                Ok(())
            })
            .map_err(refused)?;
        // What still works on a picture has nobody to tell of it.
        runtime.shutdown_background();
        self.app.vectors.as_ref().map_or(Ok(()), |vectors| vectors.save())
    }
}
