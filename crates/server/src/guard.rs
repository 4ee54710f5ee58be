//! Who may ask: requests that call the server by a name it knows, that come from its own page or from no page, and that
//! bring the token where one is set. Looked at before anything else.
//!
//! A page from elsewhere, opened in a browser on this machine, can send requests here. It cannot make the browser lie about
//! the host that it asks (a name that was made to point here is not in the list), nor about the page's own origin.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::Problem;

/// The cookie that holds the token.
pub(crate) const COOKIE: &str = "linjin";
/// Where the token is handed in.
pub(crate) const SESSION: &str = "/api/session";

/// Whom to let in.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: Vec<String>,
    /// Listens on all addresses, so that each of them is a name of this machine.
    all_addresses: bool,
    token: Option<blake3::Hash>,
}

impl Guard {
    pub(crate) fn new(address: IpAddr, token: Option<&str>, hosts: Vec<String>) -> Self {
        let mut hosts: Vec<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        hosts.push(match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        let all_addresses = address.is_unspecified();
        Self { hosts, all_addresses, token: token.map(|token| blake3::hash(token.as_bytes())) }
    }

    /// Whether a token has to be known.
    pub(crate) fn wants_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether this is the token. Hashes are compared, in constant time, so that nothing can be measured.
    pub(crate) fn is_token(&self, token: &str) -> bool {
        self.token.is_none_or(|hash| hash == blake3::hash(token.as_bytes()))
    }

    fn knows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.contains(&host)
            || (self.all_addresses && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok())
    }

    fn check(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let refused = |code, why: String| Err(Problem::new(StatusCode::FORBIDDEN, code, why));
        let host = match single(headers, &header::HOST)? {
            Some(host) => host.to_owned(),
            None => request.uri().authority().map(ToString::to_string).unwrap_or_default(),
        };
        // A request may name the host in its first line too.
        for named in std::iter::once(host.as_str()).chain(request.uri().authority().map(Authority::as_str)) {
            if !named.parse::<Authority>().is_ok_and(|named| self.knows(named.host())) {
                return refused(
                    "host",
                    format!("this server does not answer to the name {named:?}; --allow-host adds names"),
                );
            }
        }
        if let Some(origin) = single(headers, &header::ORIGIN)? {
            let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            if !own.is_some_and(|own| own.eq_ignore_ascii_case(&host)) {
                return refused("origin", format!("requests from pages of {origin} are not answered"));
            }
        }
        // Pages of others may link to this page; everything else is for the page itself.
        let site = single(headers, &HeaderName::from_static("sec-fetch-site"))?;
        let linked = request.method() == Method::GET
            && request.uri().path() == "/"
            && single(headers, &HeaderName::from_static("sec-fetch-mode"))? == Some("navigate");
        if matches!(site, Some("cross-site" | "same-site")) && !linked {
            return refused("origin", "requests from other pages are not answered".to_owned());
        }
        let path = request.uri().path();
        if path.starts_with("/api/") && path != SESSION && !self.is_let_in(headers) {
            let what =
                "this server wants its token: as `Authorization: Bearer TOKEN`, or typed into its page";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "token", what));
        }
        Ok(())
    }

    fn is_let_in(&self, headers: &HeaderMap) -> bool {
        if self.token.is_none() {
            return true;
        }
        let bearer = text(headers, &header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookie = cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find_map(|(name, value)| (name == COOKIE).then_some(value));
        bearer.or(cookie).is_some_and(|token| self.is_token(token))
    }
}

/// Lets a request through, or answers it.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.guard.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A header that may be there once: of two, one could be looked at here and the other one elsewhere.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Problem::bad(format!("the header {name} is no text"))),
        },
        _ => Err(Problem::bad(format!("the header {name} is there twice"))),
    }
}
