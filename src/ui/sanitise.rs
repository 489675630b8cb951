//! Makes text from a cluster safe for a terminal and for the log of a build service.

/// The starts of commands that build services accept anywhere in a log line: `##[` (GitHub, older),
/// `##vso[` (Azure Pipelines), `##teamcity[`.
const INLINE_COMMAND: &str = "##";

/// The start of a command that GitHub accepts at the beginning of a line, ignoring white space.
const LEADING_COMMAND: &str = "::";

/// One line without anything that a terminal or a build service would execute, or that a person
/// could not see: control characters, escape sequences, changes of writing direction, zero width.
///
/// Line breaks and tabs become spaces.
#[must_use]
pub fn sanitise(text: &str) -> String {
    break_workflow_commands(&without_hidden(text))
}

/// The maximum length of an outside text in a message, in characters.
const LONGEST: usize = 4000;

/// [`sanitise`] for messages: longer text is cut off.
#[must_use]
pub fn brief(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => sanitise(text),
        Some((end, _)) => {
            let (shown, rest) = text.split_at(end);
            format!("{} … ({} more bytes)", sanitise(shown), rest.len())
        }
    }
}

/// The text without control sequences and invisible characters.
pub(crate) fn without_hidden(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.trim_end_matches(['\r', '\n']);
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = match sequence(character, after) {
            Some(end) => end,
            None => after,
        };
        match character {
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                clean.push(' ');
            }
            hidden if is_hidden(hidden) => {}
            visible => clean.push(visible),
        }
    }
    clean
}

/// Whether a character is invisible but changes how others are shown.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'                      // soft hyphen
            | '\u{61c}'                   // Arabic letter mark
            | '\u{180e}'                  // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}'     // zero width, direction marks
            | '\u{2028}'..='\u{202e}'     // line separators, embeddings and overrides
            | '\u{2060}'..='\u{206f}'     // word joiner, isolates, deprecated controls
            | '\u{feff}'                  // byte order mark
            | '\u{fff9}'..='\u{fffb}'     // interlinear annotation
            | '\u{e0000}'..='\u{e0fff}'   // tags
        )
}

/// The text after an escape sequence that starts with `introducer`; `None` if none starts there.
///
/// A string sequence without an end is kept: skipping it would hide readable text.
fn sequence(introducer: char, after: &str) -> Option<&str> {
    let (kind, body) = match introducer {
        '\u{1b}' => {
            let kind = after.chars().next()?;
            (kind, after.get(kind.len_utf8()..)?)
        }
        '\u{9b}' => ('[', after),
        '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => (']', after),
        _ => return None,
    };
    match kind {
        '[' => {
            let end = body.find(|character: char| !matches!(character, ' '..='?'))?;
            let last = body.get(end..)?;
            Some(
                last.strip_prefix(|character: char| matches!(character, '@'..='~'))
                    .unwrap_or(last),
            )
        }
        ']' | 'P' | 'X' | '^' | '_' => ["\u{7}", "\u{1b}\\", "\u{9c}"]
            .into_iter()
            .filter_map(|end| body.split_once(end))
            .map(|(_, rest)| rest)
            .max_by_key(|rest| rest.len())
            .or(Some(body)),
        ' '..='/' => {
            let end = body.find(|character: char| !matches!(character, ' '..='/'))?;
            let last = body.get(end..)?;
            Some(
                last.strip_prefix(|character: char| matches!(character, '0'..='~'))
                    .unwrap_or(last),
            )
        }
        '0'..='~' => Some(body),
        _ => Some(after),
    }
}

/// The line with a space in every marker that a build service would accept as a command.
#[must_use]
pub fn break_workflow_commands(line: &str) -> String {
    let mut broken = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(INLINE_COMMAND) {
        let (before, marker) = rest.split_at(start);
        let (first, after) = marker.split_at(1);
        broken.push_str(before);
        broken.push_str(first);
        let name = after.trim_start_matches('#');
        let is_last_pair = after.len() - name.len() == 1;
        if is_last_pair
            && name
                .trim_start_matches(char::is_alphanumeric)
                .starts_with('[')
        {
            broken.push(' ');
        }
        rest = after;
    }
    broken.push_str(rest);
    let start = broken.len() - broken.trim_start().len();
    if broken.split_at(start).1.starts_with(LEADING_COMMAND) {
        broken.insert(start + 1, ' ');
    }
    broken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_becomes_plain_text() {
        let table = [
            ("plain text, ünïcödé ✓", "plain text, ünïcödé ✓"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}31mred", "red"),
            ("\u{9d}52;c;AAAA\u{9c}after", "after"),
            ("\u{1b}]0;never ends", "0;never ends"),
            ("\u{1b}(Bcharset", "charset"),
            ("\u{1b}cclear", "clear"),
            ("\u{1b}", ""),
            ("\u{1b}[", "["),
            ("50%\rdone", "50% done"),
            ("from Windows\r\n", "from Windows"),
            ("a\tb", "a b"),
            ("one\ntwo", "one two"),
            ("bell\u{7} back\u{8}space", "bell backspace"),
            ("user\u{202e}nimda", "usernimda"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("::error::mine", ": :error::mine"),
            ("  ::set-output name=x::y", "  : :set-output name=x::y"),
            ("\u{200b}::error::mine", ": :error::mine"),
            ("text ##[error]mine", "text # #[error]mine"),
            ("##vso[task.setvariable]x", "# #vso[task.setvariable]x"),
            ("###vso[x]", "## #vso[x]"),
            ("std::io::Error", "std::io::Error"),
            ("https://[::1]:6443", "https://[::1]:6443"),
        ];
        for (hostile, expected) in table {
            assert_eq!(sanitise(hostile), expected, "{hostile:?}");
        }
    }

    #[test]
    fn of_an_endless_text_the_beginning_is_shown() {
        let text = "é".repeat(LONGEST);
        assert_eq!(brief(&text), text);
        let shown = brief(&(text.clone() + "and on"));
        assert_eq!(shown, text + " … (6 more bytes)");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_ever_left(text in any::<String>()) {
            prop_assert!(!sanitise(&text).chars().any(is_hidden));
        }

        #[test]
        fn no_command_is_ever_left(text in "[ :#\\[vsoteamcity\u{1b}\u{200b}\n]{0,24}") {
            let clean = sanitise(&text);
            prop_assert!(!clean.trim_start().starts_with("::"), "{}", clean);
            for command in ["##[", "##vso[", "##teamcity["] {
                prop_assert!(!clean.contains(command), "{}", clean);
            }
        }

        #[test]
        fn printable_text_is_left_alone(text in "[a-zA-Z0-9 ./_()=-]{0,40}") {
            prop_assert_eq!(sanitise(&text), text);
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            let once = sanitise(&text);
            prop_assert_eq!(sanitise(&once), once);
        }
    }
}
