//! Cuts a stream into lines, however it arrives.

/// What has come of a stream, up to its next line.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no end of a line, so that a long one is not searched
    /// again with every piece.
    searched: usize,
}

impl Lines {
    /// Takes the next bytes in.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line, its end included.
    pub(crate) fn next_line(&mut self) -> Option<Vec<u8>> {
        let rest = self.buffer.get(self.searched..)?;
        let Some(found) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + found;
        self.searched = 0;
        Some(self.buffer.drain(..=end).collect())
    }

    /// A piece of this length of a line that is longer and has not ended.
    pub(crate) fn next_piece(&mut self, length: usize) -> Option<Vec<u8>> {
        if self.buffer.len() <= length {
            return None;
        }
        self.searched = self.searched.saturating_sub(length);
        Some(self.buffer.drain(..length).collect())
    }

    /// How much there is of a line that has not ended.
    pub(crate) fn unfinished(&self) -> usize {
        self.buffer.len()
    }

    /// What there is of it.
    pub(crate) fn take_unfinished(&mut self) -> Vec<u8> {
        self.searched = 0;
        std::mem::take(&mut self.buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = b"one\n\ntwo, which is longer\nthree";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in text.chunks(size) {
                lines.push(piece);
                found.extend(std::iter::from_fn(|| lines.next_line()));
            }
            let expected: [&[u8]; 3] = [b"one\n", b"\n", b"two, which is longer\n"];
            assert_eq!(found, expected, "in pieces of {size}");
            assert_eq!(lines.unfinished(), 5);
            assert_eq!(lines.take_unfinished(), b"three");
        }
    }
}
