//! Text that must never be shown.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What was sent as proof of who we are; clones of it may come back in what a server says.
static SENT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Shorter ones are words, or parts of words.
const SHORTEST_CONCEALED: usize = 4;

/// Remembers what is sent as proof, so that [`concealed`] knows it.
pub(crate) fn is_sent(secret: &str) {
    let mut sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= SHORTEST_CONCEALED && !sent.iter().any(|known| known == secret) {
        sent.push(secret.to_owned());
        // What holds another one goes first.
        sent.sort_by_key(|known| std::cmp::Reverse(known.len()));
    }
}

/// A server's words without the credentials that this process has sent: some servers repeat the request.
#[must_use]
pub fn concealed(mut text: String) -> String {
    let sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
    for secret in sent.iter() {
        if text.contains(secret.as_str()) {
            text = text.replace(secret.as_str(), "***");
        }
    }
    text
}

/// A token, a password, a private key: its `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret with this text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<secret>")
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_does_not_come_back() {
        is_sent("dG9tOmEtcGFzc3dvcmQ=");
        is_sent("tom:a-password");
        is_sent("a-password");
        is_sent("abc");
        let words = "no user tom:a-password, dG9tOmEtcGFzc3dvcmQ= or abc with `a-password`";
        let shown = concealed(words.to_owned());
        assert_eq!(shown, "no user ***, *** or abc with `***`");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(
            format!("{:?}", Secret::new("hunter2".to_owned())),
            "<secret>"
        );
    }
}
