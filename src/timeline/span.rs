//! Spans: states that last for some time.

/// A state that held for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<S> {
    /// Its beginning, in milliseconds since the start of the run.
    pub from_ms: u64,
    /// Its end.
    pub until_ms: u64,
    /// The state.
    pub state: S,
}

impl<S> Span<S> {
    /// How much of it lies between two times, in milliseconds.
    #[must_use]
    pub fn within(&self, from_ms: u64, until_ms: u64) -> u64 {
        let end = self.until_ms.min(until_ms);
        end.saturating_sub(self.from_ms.max(from_ms))
    }
}

/// The spans between changes, in order; equal neighbours are merged. A span of zero length is kept,
/// because it was seen.
pub(super) fn spans<S: Copy + PartialEq>(changes: &[(u64, S)], until_ms: u64) -> Vec<Span<S>> {
    let mut spans: Vec<Span<S>> = Vec::new();
    for (index, &(from_ms, state)) in changes.iter().enumerate() {
        let next = changes.get(index + 1).map_or(until_ms, |next| next.0);
        let until_ms = next.max(from_ms);
        match spans.last_mut() {
            Some(last) if last.state == state => last.until_ms = until_ms,
            _ => spans.push(Span {
                from_ms,
                until_ms,
                state,
            }),
        }
    }
    spans
}
