//! Builds SVG and XML. Only literals of this program become markup; all other text is escaped,
//! and hidden characters are removed.

use std::fmt::{self, Display};

use crate::ui::sanitise;

/// Markup under construction.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
}

impl Markup {
    /// Adds markup from a literal of this program.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.text.push_str(markup);
        self
    }

    /// Adds text, or the quoted value of an attribute.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        escape(&sanitise(&text.to_string()), &mut self.text);
        self
    }

    /// Adds other markup.
    pub(super) fn add(&mut self, other: &Self) -> &mut Self {
        self.text.push_str(&other.text);
        self
    }
}

impl Display for Markup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn escape(text: &str, to: &mut String) {
    for character in text.chars() {
        match character {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            // XML does not allow these, even as a reference.
            '\u{fffe}' | '\u{ffff}' => to.push('\u{fffd}'),
            plain => to.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::is_hidden;

    fn text(text: &str) -> String {
        let mut markup = Markup::default();
        markup.text(text);
        markup.to_string()
    }

    #[test]
    fn nothing_of_the_cluster_becomes_markup() {
        assert_eq!(
            text("</title><script>alert(\"1\")</script> & 'x'"),
            "&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;"
        );
        assert_eq!(text("\u{1b}[31mred\u{202e}\u{0}\u{ffff}"), "red\u{fffd}");
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
