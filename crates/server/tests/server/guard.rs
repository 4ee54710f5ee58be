//! Who may ask: hosts, origins, the token.

use axum::body::Body;
use axum::http::{Method, Request, header};
use linjin_server::{Options, ServeError, Server};
use serde_json::json;

use crate::{Answer, Room, Served, nothing, request, wait};

const TOKEN: &str = "0123456789abcdef";

async fn ask(served: &Served, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served.ask(request.body(Body::from("{}")).unwrap()).await
}

#[test]
fn only_names_of_this_machine_are_answered() {
    let room = Room::new();
    let served = Served::new(Options { hosts: vec!["album.home".to_owned()], ..room.options() });
    wait(async {
        for host in ["localhost", "localhost:7465", "LOCALHOST:1", "127.0.0.1:80", "[::1]:7465", "album.home"]
        {
            let answer = ask(&served, Method::GET, "/api/state", &[("host", host)]).await;
            assert_eq!(answer.status, 200, "{host}");
        }
        // Names that somebody else made point here, tricks with them, and none at all.
        for host in [
            "evil.example",
            "evil.example:7465",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil@localhost.example",
            "192.168.1.7",
            "0.0.0.0",
            "localhost:7465:1",
            "",
            "local host",
            "[::1",
            "127.0.0.2",
        ] {
            for path in ["/", "/api/state", "/web/style.css", "/nowhere"] {
                let answer = ask(&served, Method::GET, path, &[("host", host)]).await;
                assert!([400, 403].contains(&answer.status.as_u16()), "{host} {path}: {}", answer.status);
            }
        }
        let none = ask(&served, Method::GET, "/api/state", &[]).await;
        assert_eq!(none.problem(403), "host");
        let twice =
            ask(&served, Method::GET, "/api/state", &[("host", "localhost"), ("host", "evil.example")]).await;
        assert_eq!(twice.status, 400);
        // The first line of the request counts as well.
        let both = ask(&served, Method::GET, "http://evil.example/api/state", &[("host", "localhost")]).await;
        assert_eq!(both.problem(403), "host");
    });
}

#[test]
fn pages_from_elsewhere_are_not_answered() {
    let room = Room::new();
    let served = room.serve();
    let here = ("host", "localhost:7465");
    wait(async {
        for origin in [
            "http://evil.example",
            "https://localhost.evil.example",
            "http://localhost:9999",
            "http://localhost",
            "null",
            "",
            "http://localhost:7465.evil.example",
            "file://",
        ] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
                let answer = ask(&served, method.clone(), "/api/search", &[here, ("origin", origin)]).await;
                assert_eq!(answer.problem(403), "origin", "{method} {origin}");
                assert!(!answer.headers.contains_key("access-control-allow-origin"));
            }
        }
        let twice = [here, ("origin", "http://localhost:7465"), ("origin", "http://evil.example")];
        assert_eq!(ask(&served, Method::POST, "/api/search", &twice).await.status, 400);
        let own = [here, ("origin", "http://localhost:7465"), ("sec-fetch-site", "same-origin")];
        assert_eq!(ask(&served, Method::GET, "/api/state", &own).await.status, 200);

        // Browsers say where a request comes from: a picture of ours in another page is not shown, a link to ours works.
        for site in ["cross-site", "same-site"] {
            let inside = [here, ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors")];
            assert_eq!(
                ask(&served, Method::GET, "/api/pictures/1/thumbnail", &inside).await.problem(403),
                "origin"
            );
            let linked = [here, ("sec-fetch-site", site), ("sec-fetch-mode", "navigate")];
            assert_eq!(ask(&served, Method::GET, "/", &linked).await.status, 200);
            assert_eq!(ask(&served, Method::GET, "/api/state", &linked).await.status, 403);
        }
    });
}

#[test]
fn methods_are_what_they_say() {
    let room = Room::new();
    let served = room.serve();
    wait(async {
        // A GET stays one, whatever it claims to be.
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            let answer = ask(
                &served,
                Method::GET,
                "/api/state?_method=DELETE",
                &[("host", "localhost"), (name, "POST")],
            )
            .await;
            assert_eq!(answer.status, 200);
        }
        for (method, path) in [
            (Method::POST, "/api/state"),
            (Method::DELETE, "/api/pictures/1"),
            (Method::GET, "/api/search"),
            (Method::PUT, "/api/uploads"),
            (Method::TRACE, "/api/state"),
            (Method::OPTIONS, "/api/search"),
        ] {
            let answer = ask(&served, method, path, &[("host", "localhost")]).await;
            assert_eq!(answer.problem(405), "method");
            assert!(answer.headers.contains_key(header::ALLOW));
        }
    });
}

#[test]
fn every_answer_carries_the_rules() {
    let room = Room::new();
    let served = room.serve();
    wait(async {
        for path in
            ["/", "/web/js/main.js", "/api/state", "/api/pictures/1/thumbnail", "/nowhere", "/openapi.json"]
        {
            for host in ["localhost", "evil.example"] {
                let answer = ask(&served, Method::GET, path, &[("host", host)]).await;
                let policy = answer.header("content-security-policy");
                assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                assert_eq!(answer.header("x-frame-options"), "DENY");
                assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
                assert!(answer.headers.contains_key(header::CACHE_CONTROL));
            }
        }
    });
}

#[test]
fn a_token_is_asked_for() {
    let room = Room::new();
    let served = Served::new(Options { token: Some(TOKEN.to_owned()), ..room.options() });
    wait(async {
        let host = ("host", "localhost");
        for headers in [
            vec![],
            vec![("authorization", "Bearer wrong")],
            vec![("authorization", "Basic 0123456789abcdef")],
            vec![("authorization", "Bearer 0123456789abcdeF")],
            vec![("cookie", "other=0123456789abcdef")],
            vec![("cookie", "linjin=0123456789abcde")],
        ] {
            for path in ["/api/state", "/api/pictures/1/original", "/api/nowhere"] {
                let answer = ask(&served, Method::GET, path, &[&[host][..], &headers[..]].concat()).await;
                assert_eq!(answer.problem(401), "token");
                assert_eq!(answer.header("www-authenticate"), "Bearer");
            }
        }
        for value in
            [("authorization", "Bearer 0123456789abcdef"), ("cookie", "a=b; linjin=0123456789abcdef")]
        {
            let answer = ask(&served, Method::GET, "/api/state", &[host, value]).await;
            // The folder of a machine is nothing for others.
            assert!(!answer.json()["pictures"]["folder"].as_str().unwrap().contains('/'));
        }
        // The page says that it wants it.
        assert_eq!(ask(&served, Method::GET, "/", &[host]).await.status, 200);

        let wrong = served.post("/api/session", &json!({ "token": "guess" })).await;
        assert_eq!(wrong.problem(401), "token");
        let right = served.post("/api/session", &json!({ "token": TOKEN })).await;
        assert_eq!(right.status, 204);
        let cookie = right.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let entered = request(Method::GET, "/api/state").header(header::COOKIE, cookie);
        assert_eq!(served.ask(entered.body(Body::empty()).unwrap()).await.status, 200);
    });
}

#[test]
fn others_are_let_in_with_a_token_only() {
    let room = Room::new();
    let everywhere = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
    let open = Server::bind(Options { address: everywhere, ..room.options() }).unwrap_err();
    assert!(matches!(open, ServeError::Open { .. }), "{open}");
    let short = Server::bind(Options { token: Some("short".to_owned()), ..room.options() }).unwrap_err();
    assert!(matches!(short, ServeError::Token { found: 5 }), "{short}");
    assert!(matches!(Server::bind(nothing()).unwrap_err(), ServeError::Nothing));

    let token = Some(TOKEN.to_owned());
    let served = Served::new(Options { address: everywhere, token, ..room.options() });
    wait(async {
        let bearer = ("authorization", "Bearer 0123456789abcdef");
        // Each of its addresses is a name of it; names are made by anybody.
        for (host, status) in [("192.168.1.7:7465", 200), ("[fe80::1]", 200), ("evil.example", 403)] {
            let answer = ask(&served, Method::GET, "/api/state", &[("host", host), bearer]).await;
            assert_eq!(answer.status, status, "{host}");
        }
    });
}
