//! Text of this run or its cluster in HTML, SVG and XML. The program's own literals are the only other
//! markup.

use std::fmt::Display;

use maud::Render;

use crate::ui::sanitise;

/// Text, or the value of an attribute: escaped, and without hidden characters. Whatever a cluster, a
/// file or an argument says is shown through this type.
pub(super) struct Text<T>(pub(super) T);

/// Text with backticks around literals, which become code.
pub(super) struct Prose<T>(pub(super) T);

impl<T: Display> Render for Text<T> {
    fn render_to(&self, markup: &mut String) {
        for character in sanitise(&self.0.to_string()).chars() {
            match character {
                '&' => markup.push_str("&amp;"),
                '<' => markup.push_str("&lt;"),
                '>' => markup.push_str("&gt;"),
                '"' => markup.push_str("&quot;"),
                '\'' => markup.push_str("&#39;"),
                // XML does not allow these, even as a reference.
                '\u{fffe}' | '\u{ffff}' => markup.push('\u{fffd}'),
                plain => markup.push(plain),
            }
        }
    }
}

impl<T: Display> Render for Prose<T> {
    fn render_to(&self, markup: &mut String) {
        let text = self.0.to_string();
        let parts: Vec<&str> = text.split('`').collect();
        // An unpaired backtick is shown.
        let is_paired = parts.len() % 2 == 1;
        for (index, part) in parts.iter().enumerate() {
            let before = match index {
                0 => "",
                _ if !is_paired => "`",
                _ if index % 2 == 1 => "<code>",
                _ => "</code>",
            };
            markup.push_str(before);
            Text(part).render_to(markup);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::is_hidden;

    fn text(text: &str) -> String {
        Text(text).render().into_string()
    }

    #[test]
    fn nothing_of_the_cluster_becomes_markup() {
        assert_eq!(
            text("</title><script>alert(\"1\")</script> & 'x'"),
            "&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;"
        );
        assert_eq!(text("\u{1b}[31mred\u{202e}\u{0}\u{ffff}"), "red\u{fffd}");
    }

    #[test]
    fn literals_are_code_and_a_lone_backtick_is_itself() {
        let prose = |text: &str| Prose(text).render().into_string();
        assert_eq!(prose("`a<b` is gone"), "<code>a&lt;b</code> is gone");
        assert_eq!(prose("a ` b"), "a ` b");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_neither_markup_nor_hidden(hostile in any::<String>()) {
            let text = text(&hostile);
            let is_clean = !text.contains(['<', '>', '"', '\'', '\u{fffe}', '\u{ffff}']);
            prop_assert!(is_clean, "{}", text);
            prop_assert!(!text.chars().any(is_hidden));
        }
    }
}
