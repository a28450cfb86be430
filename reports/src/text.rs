//! Text of strangers, made fit for a line of output.

use unicode_width::UnicodeWidthStr;

/// Columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The lines of a text with nothing in them that moves a cursor, changes a colour or turns the
/// direction of writing: what a server sent must not forge a report.
pub(crate) fn clean_lines(text: &str) -> Vec<String> {
    text.lines().map(clean).collect()
}

/// As [`clean_lines`], in one line.
pub(crate) fn clean_line(text: &str) -> String {
    text.split_whitespace().map(clean).collect::<Vec<_>>().join(" ")
}

fn clean(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    for char in line.trim_end().chars() {
        match char {
            '\t' => clean.push_str("  "),
            char if char.is_control() || steers(char) => clean.extend(char.escape_unicode()),
            char => clean.push(char),
        }
    }
    clean
}

/// Characters of the Unicode bidirectional algorithm (UAX 9), line separators and the byte order
/// mark: invisible, and able to make a line read as another one.
fn steers(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Breaks at spaces so that each line takes at most `columns`. A word is never cut: an id, a host
/// or an address must stay something that can be copied, so a longer one has a line of its own.
/// Indentation at the start of the text is kept.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let indent = text.len() - text.trim_start_matches(' ').len();
    let mut line = text[..indent].to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines
}

/// For a terminal that is not UTF-8: the signs that reports use by their usual substitutes,
/// everything else by a question mark.
pub(crate) fn ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            char if char.is_ascii() => ascii.push(char),
            '…' => ascii.push_str("..."),
            '→' => ascii.push_str("->"),
            '←' => ascii.push_str("<-"),
            '·' | '–' | '—' => ascii.push('-'),
            '×' => ascii.push('x'),
            '“' | '”' => ascii.push('"'),
            '‘' | '’' => ascii.push('\''),
            '\u{a0}' => ascii.push(' '),
            '≤' => ascii.push_str("<="),
            '≥' => ascii.push_str(">="),
            _ => ascii.push('?'),
        }
    }
    ascii
}

/// `1 cause`, `2 causes`.
pub(crate) fn count(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// A time span in the unit that suits it: `12 ms`, `2.4 s`, `3 min 5 s`.
pub(crate) fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms / 1_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_sent() {
        assert_eq!(clean_line("a\u{1b}[31mb\n c\u{202e}"), "a\\u{1b}[31mb c\\u{202e}");
        assert_eq!(clean_lines("a\tb\r\nc"), ["a  b", "c"]);
    }

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrap("  a bb cccccccccc d", 6), ["  a bb", "  cccccccccc", "  d"]);
        assert_eq!(wrap("", 6), [""]);
        assert_eq!(wrap("測試 測試", 5), ["測試", "測試"]);
    }

    #[test]
    fn spans() {
        let spans: Vec<_> = [0, 999, 1_000, 59_999, 61_000].into_iter().map(span).collect();
        assert_eq!(spans, ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min 1 s"]);
    }
}
