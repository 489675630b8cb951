//! What the API server changes in answers: it rewrites the links of HTML pages, for which it prints every start tag anew
//! (apimachinery, pkg/util/proxy/transport.go, `rewriteHTML`), and it guesses the type of what has none, as every server
//! written in Go does (net/http/sniff.go).

use std::fmt::Write;

use http::{HeaderMap, header};

/// The attributes that hold links.
const LINKS: &[&str] = &["href", "src", "action", "cite", "longdesc", "codebase"];

/// Whether an answer is a page, which gets rewritten.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = value.unwrap_or_default().split(';').next();
    kind.unwrap_or_default().trim() == "text/html"
}

/// The page with start tags as they are printed anew, and with links that lead through the proxy.
pub(super) fn rewritten(page: &str, prefix: &str) -> String {
    let mut printed = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        printed.push_str(&rest[..start]);
        rest = &rest[start..];
        let is_start_tag = rest[1..].starts_with(|first: char| first.is_ascii_alphabetic());
        let end = rest.find('>').filter(|_| is_start_tag);
        let Some(end) = end else {
            printed.push('<');
            rest = &rest[1..];
            continue;
        };
        printed.push_str(&tag(&rest[1..end], prefix));
        rest = &rest[end + 1..];
    }
    printed.push_str(rest);
    printed
}

/// A start tag: names in small letters, values in quotes.
fn tag(inner: &str, prefix: &str) -> String {
    let (inner, end) = inner
        .strip_suffix('/')
        .map_or((inner, ">"), |inner| (inner, "/>"));
    let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let mut printed = format!("<{}", name.to_ascii_lowercase());
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return printed + end;
        }
        let length = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let name = rest[..length].to_ascii_lowercase();
        rest = &rest[length..];
        let value = rest.strip_prefix('=').map_or("", |value| {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, after) = match quote {
                Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
            };
            rest = after;
            value
        });
        let leads_back = LINKS.contains(&name.as_str()) && value.starts_with('/');
        let prefix = if leads_back { prefix } else { "" };
        _ = write!(printed, " {name}=\"{prefix}{value}\"");
    }
}

/// The type of a body that begins so.
pub(super) fn guessed(beginning: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(beginning).to_ascii_lowercase();
    let is_page = [
        "<html",
        "<!doctype html",
        "<p",
        "<a",
        "<h1",
        "<head",
        "<body",
    ]
    .iter()
    .any(|start| {
        let after = text.trim_start().strip_prefix(start);
        after.is_some_and(|after| after.starts_with([' ', '>']))
    });
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    match () {
        () if is_page => "text/html; charset=utf-8",
        () if beginning.iter().any(is_binary) => "application/octet-stream",
        () => "text/plain; charset=utf-8",
    }
}
