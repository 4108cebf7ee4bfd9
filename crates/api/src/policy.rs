//! Who may come in: programs of this machine and the server's own page, never a page of somebody else.
//!
//! A browser sends requests to loopback for any page that asks it to. Two checks keep those out: `Host` must
//! name this server, so that a name that was rebound to this address does not pass; and `Origin`, where a
//! browser sends it, must be that of the page that this server serves. No CORS header is ever sent.

use crate::{codes, context::Context, problem::Refusal};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The port of `http` where none is named.
const HTTP_PORT: u16 = 80;

/// Lets a request in, or refuses it.
pub async fn check(State(context): State<Arc<Context>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = admit(context.address, request.uri(), request.headers()) {
        return refusal.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

fn admit(server: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
    let by_uri = uri.authority().is_none_or(|authority| names(server, authority.as_str()));
    if hosts.next().is_some() || !by_uri || !names(server, host) {
        let detail = format!("Host is {host:?}, which is not this server; ask http://{server}");
        return Err(Refusal::new(codes::E_HOST, detail));
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(&format!("http://{host}")));
    if own && headers.get_all(header::ORIGIN).iter().count() == 1 {
        return Ok(());
    }
    let detail = "a page of another origin cannot use this server through a browser";
    Err(Refusal::new(codes::E_ORIGIN, detail))
}

/// Whether `HOST[:PORT]` means this server. Names other than `localhost` can be rebound; addresses cannot.
fn names(server: SocketAddr, authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => match port.parse() {
            Ok(number) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, number),
            _ => return false,
        },
        _ => (authority, HTTP_PORT),
    };
    if port != server.port() {
        return false;
    }
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']').filter(|v6| v6.contains(':')),
        None => Some(host).filter(|host| !host.contains(':')),
    };
    let ip: Option<IpAddr> = bare.and_then(|ip| ip.parse().ok());
    ip.is_some_and(|ip| ip.is_loopback() || server.ip().is_unspecified() || ip == server.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn verdict(server: &str, host: &str, origin: Option<&str>) -> Result<(), &'static str> {
        let mut pairs = vec![("host", host)];
        pairs.extend(origin.map(|origin| ("origin", origin)));
        let all = headers(&pairs);
        let refusal = admit(server.parse().unwrap(), &Uri::from_static("/"), &all);
        refusal.map_err(|refusal| if format!("{refusal:?}").contains("E_HOST") { "host" } else { "origin" })
    }

    #[test]
    fn only_this_server_is_meant() {
        for (server, host, admitted) in [
            ("127.0.0.1:7878", "127.0.0.1:7878", true),
            ("127.0.0.1:7878", "localhost:7878", true),
            ("127.0.0.1:7878", "LOCALHOST:7878", true),
            ("127.0.0.1:7878", "127.0.0.2:7878", true),
            ("127.0.0.1:7878", "[::1]:7878", true),
            ("127.0.0.1:80", "localhost", true),
            ("127.0.0.1:80", "[::1]", true),
            ("127.0.0.1:7878", "localhost", false),
            ("127.0.0.1:7878", "localhost:7879", false),
            ("127.0.0.1:7878", "localhost:+7878", false),
            ("127.0.0.1:7878", "", false),
            ("127.0.0.1:7878", "evil.example:7878", false),
            ("127.0.0.1:7878", "localhost.evil.example:7878", false),
            ("127.0.0.1:7878", "127.0.0.1.evil.example:7878", false),
            ("127.0.0.1:7878", "192.168.1.2:7878", false),
            ("127.0.0.1:7878", "::1:7878", false),
            ("192.168.1.2:7878", "192.168.1.2:7878", true),
            ("192.168.1.2:7878", "192.168.1.3:7878", false),
            ("0.0.0.0:7878", "192.168.1.2:7878", true),
            ("0.0.0.0:7878", "evil.example:7878", false),
        ] {
            assert_eq!(verdict(server, host, None).is_ok(), admitted, "{host} at {server}");
        }
    }

    #[test]
    fn only_the_own_page_may_ask() {
        let server = "127.0.0.1:7878";
        for (origin, admitted) in [
            ("http://localhost:7878", true),
            ("HTTP://LOCALHOST:7878", true),
            ("http://127.0.0.1:7878", false),
            ("http://localhost:5173", false),
            ("https://localhost:7878", false),
            ("http://localhost:7878.evil.example", false),
            ("http://evil.example", false),
            ("null", false),
            ("", false),
        ] {
            let expected = if admitted { Ok(()) } else { Err("origin") };
            assert_eq!(verdict(server, "localhost:7878", Some(origin)), expected, "{origin}");
        }
    }

    #[test]
    fn a_request_says_only_one_host() {
        let server = "127.0.0.1:7878".parse().unwrap();
        let twice = headers(&[("host", "localhost:7878"), ("host", "localhost:7878")]);
        // Collecting keeps the last; both must be there.
        let mut both = twice;
        both.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert!(admit(server, &Uri::from_static("/"), &both).is_err());
        let one = headers(&[("host", "localhost:7878")]);
        assert!(admit(server, &Uri::from_static("http://evil.example/"), &one).is_err());
        assert!(admit(server, &Uri::from_static("http://localhost:7878/"), &one).is_ok());
    }
}
