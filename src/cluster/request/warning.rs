//! What the API server warns of: the `Warning` headers of its answers (KEP-1693), said once each.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Method, Request, header};

use super::super::error::shortened;
use crate::emitter::Emitter;
use crate::event::EventKind;

/// The code of a warning that is no cache's (RFC 7234, 5.5.7).
const MISCELLANEOUS: &str = "299 ";

/// More different warnings than anybody reads.
const MOST: usize = 100;

/// Marks a request whose warnings are about a place where the object is not to be.
#[derive(Clone)]
struct Unheard;

/// Nobody is told what the API server warns of when it answers this request.
pub(crate) fn unheard<B>(request: &mut Request<B>) {
    request.extensions_mut().insert(Unheard);
}

/// Whether what the API server warns of is the user's: only what they have written can be put right by
/// them, not what this program reads.
pub(crate) fn is_heard<B>(request: &Request<B>) -> bool {
    request.method() != Method::GET && request.extensions().get::<Unheard>().is_none()
}

/// What was said in a run.
#[derive(Clone)]
pub(crate) struct Warnings {
    emitter: Emitter,
    said: Arc<Mutex<BTreeSet<String>>>,
}

impl Warnings {
    pub(crate) fn new(emitter: Emitter) -> Self {
        Self {
            emitter,
            said: Arc::default(),
        }
    }

    /// Says a warning that was not said before.
    pub(crate) fn say(&self, text: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let message = match said.len() {
            MOST => "the API server warns of more than is shown".to_owned(),
            count if count > MOST => return,
            _ => shortened(text),
        };
        if said.insert(message.clone()) {
            self.emitter.send(EventKind::Warning { message });
        }
    }
}

/// The texts of an answer's warnings.
pub(crate) fn texts(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::WARNING)
        .iter()
        .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
        .flat_map(parse)
        .collect()
}

/// The warnings of one header, `299 agent "text"`, perhaps with a date, perhaps several with commas
/// (`k8s.io/apimachinery` `pkg/util/net/http.go`, `ParseWarningHeaders`).
fn parse(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = header;
    while let Some((head, quoted)) = rest.split_once('"') {
        let Some((text, after)) = unquoted(quoted) else {
            break;
        };
        let head = head.trim_start_matches([',', ' ']);
        // A date is quoted as well, and stands right behind the text.
        if head.starts_with(MISCELLANEOUS) && !text.is_empty() {
            texts.push(text);
        }
        rest = after;
    }
    texts
}

/// The text up to its closing quote, and what comes behind.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_hold_several_warnings_with_quotes_and_dates() {
        let table: [(&str, &[&str]); 6] = [
            (r#"299 - "deprecated""#, &["deprecated"]),
            (
                r#"299 - "say \"a\\b\"" "Sat, 25 Aug 2012 23:34:45 GMT", 299 host "two""#,
                &[r#"say "a\b""#, "two"],
            ),
            (r#"110 - "Response is stale""#, &[]),
            (r#"299 - "never ends"#, &[]),
            (r#"299 - """#, &[]),
            ("299 -", &[]),
        ];
        for (header, expected) in table {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[tokio::test]
    async fn each_warning_is_said_once_and_not_without_end() {
        let (emitter, mut events) = Emitter::new();
        let warnings = Warnings::new(emitter);
        for _ in 0..2 {
            for number in 0..2 * MOST {
                warnings.say(format!("warning {number}"));
            }
        }
        drop(warnings);
        let mut all = Vec::new();
        while events.receive(&mut all, 1000).await > 0 {}
        assert_eq!(all.len(), MOST + 1);
    }
}
