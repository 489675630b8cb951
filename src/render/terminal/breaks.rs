//! Breaks lines between words, but neither inside backticks, whose content is to be copied, nor between
//! a figure and its unit.

use console::measure_text_width;

/// Replaces a space at which a line must not break.
const NO_BREAK: char = '\u{a0}';

/// The extra indentation of continuation lines.
pub(crate) const HANGING: usize = 2;

/// Words that stay with the figure before them.
const UNITS: [&str; 11] = [
    "ms", "s", "min", "h", "d", "%", "byte", "bytes", "KiB", "MiB", "GiB",
];

/// The text without any place to break.
pub(crate) fn unbroken(text: &str) -> String {
    text.replace(' ', &NO_BREAK.to_string())
}

/// The text with [`NO_BREAK`] for each space at which a line must not break; its length is the same.
pub(crate) fn bound(text: &str) -> String {
    let pairs = text.matches('`').count() / 2 * 2;
    let mut quotes = 0;
    let mut bound = String::with_capacity(text.len());
    let mut words = text.split(' ').peekable();
    let mut before = "";
    while let Some(word) = words.next() {
        bound.push_str(word);
        quotes += word.matches('`').count();
        let Some(next) = words.peek() else {
            break;
        };
        let is_quoted = quotes % 2 == 1 && quotes < pairs;
        // `8 min 42 s` is one duration.
        let is_between = is_figure(before) && UNITS.contains(&word) && is_figure(next);
        let is_torn = is_quoted || is_between || is_figure(word) && is_unit(next);
        bound.push(if is_torn { NO_BREAK } else { ' ' });
        before = word;
    }
    bound
}

/// The inverse of [`bound`] and [`unbroken`].
pub(crate) fn released(text: &str) -> String {
    text.replace(NO_BREAK, " ")
}

/// Breaks a text, which may contain styles, into lines of at most this width, with extra indentation for
/// continuation lines.
pub(crate) fn broken(text: &str, width: usize) -> String {
    text.lines()
        .map(|line| broken_line(line, width) + "\n")
        .collect()
}

fn broken_line(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let indent = text.len() - text.trim_start_matches(' ').len() + HANGING;
    let mut broken = String::new();
    let mut used = 0;
    for (index, word) in bound(text).split(' ').enumerate() {
        let needed = columns(word);
        if index > 0 && used > indent && used + 1 + needed > width {
            broken.push('\n');
            broken.push_str(&" ".repeat(indent));
            used = indent;
        } else if index > 0 {
            broken.push(' ');
            used += 1;
        }
        broken.push_str(&released(word));
        used += needed;
    }
    broken
}

/// The width of a text in columns, without styles.
fn columns(text: &str) -> usize {
    let mut plain = String::with_capacity(text.len());
    for (index, part) in text.split('\u{1b}').enumerate() {
        let shown = match part.split_once('m') {
            Some((style, rest)) if index > 0 && style.starts_with('[') => rest,
            _ => part,
        };
        plain.push_str(shown);
    }
    measure_text_width(&plain)
}

fn is_figure(word: &str) -> bool {
    let figure = word.trim_start_matches(['(', '+', '~', '−', '-', '/']);
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    figure.starts_with(|first: char| first.is_ascii_digit()) && figure.bytes().all(is_number)
}

fn is_unit(word: &str) -> bool {
    UNITS.contains(&word.trim_end_matches(['.', ',', ';', ':', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        bound(text).split(' ').map(released).collect()
    }

    #[test]
    fn a_figure_stays_with_its_unit() {
        assert_eq!(
            words("after 98 ms, (31 bytes) in 8 min 42 s; 99.5 %: 2 replicas"),
            [
                "after",
                "98 ms,",
                "(31 bytes)",
                "in",
                "8 min 42 s;",
                "99.5 %:",
                "2",
                "replicas"
            ]
        );
    }

    #[test]
    fn what_is_quoted_stays_whole() {
        assert_eq!(
            words("run `kubectl get pods` or (`a b`) now"),
            ["run", "`kubectl get pods`", "or", "(`a b`)", "now"]
        );
        let stray = "a ` that never ends";
        assert_eq!(words(stray).len(), 5);
        assert_eq!(released(&bound(stray)), stray);
    }

    #[test]
    fn styles_take_no_room_and_lines_end_between_words() {
        let text = "error: \u{1b}[33mone\u{1b}[0m two three\n  [possible values: delete, evict, restart]\n";
        assert_eq!(
            broken(text, 20),
            "error: \u{1b}[33mone\u{1b}[0m two three\n  [possible values:\n    delete, evict,\n    restart]\n"
        );
        assert_eq!(broken(text, usize::MAX), text);
    }
}
