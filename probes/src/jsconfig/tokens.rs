//! From text to tokens. Comments vanish, quotes are respected, nothing is ever fatal.

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A name or keyword.
    Word(String),
    /// A string literal, escapes resolved.
    Text(String),
    /// A number literal.
    Number(f64),
    /// Any other character by itself.
    Sign(char),
    /// Something that is not understood: a template with expressions, a regular expression.
    Opaque,
}

/// A token and whether it is the first on its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) starts_line: bool,
}

pub(super) fn tokenize(text: &str) -> Vec<Token> {
    let mut scanner = Scanner { rest: text, tokens: Vec::new(), starts_line: true };
    while scanner.step() {}
    scanner.tokens
}

struct Scanner<'t> {
    rest: &'t str,
    tokens: Vec<Token>,
    starts_line: bool,
}

impl Scanner<'_> {
    /// Takes one token or one piece of nothing; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if first == '\n' {
            self.starts_line = true;
            self.skip(1);
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if self.rest.starts_with("//") || self.rest.starts_with("<!--") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            let comment = self.rest.find("*/").map_or(self.rest.len(), |end| end + 2);
            self.starts_line |= self.rest[..comment].contains('\n');
            self.skip(comment);
        } else if matches!(first, '\'' | '"' | '`') {
            self.quoted(first);
        } else if is_word(first) && !first.is_ascii_digit() {
            let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            self.push(Kind::Word(self.rest[..end].to_owned()), end);
        } else if first.is_ascii_digit() {
            self.number();
        } else if first == '/' && self.regex_may_start() {
            self.regex();
        } else {
            self.push(Kind::Sign(first), first.len_utf8());
        }
        true
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn push(&mut self, kind: Kind, bytes: usize) {
        self.tokens.push(Token { kind, starts_line: self.starts_line });
        self.starts_line = false;
        self.skip(bytes);
    }

    fn quoted(&mut self, quote: char) {
        let mut text = String::new();
        let mut opaque = false;
        let mut chars = self.rest.char_indices().skip(1).peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    end = at + 1;
                    break;
                }
                // A string does not go over the end of its line: it is a broken one.
                '\n' if quote != '`' => {
                    opaque = true;
                    end = at;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, '\n')) | None => {}
                    Some((_, c)) => unescape(c, &mut chars, &mut text),
                },
                '$' if quote == '`' && chars.peek().is_some_and(|(_, c)| *c == '{') => {
                    opaque = true
                }
                c => text.push(c),
            }
        }
        self.push(if opaque { Kind::Opaque } else { Kind::Text(text) }, end);
    }

    fn number(&mut self) {
        let end = self.rest.find(|c: char| !is_word(c) && c != '.').unwrap_or(self.rest.len());
        let text = &self.rest[..end];
        let number = match text.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok().map(f64::from),
            None => text.parse::<f64>().ok().filter(|number| number.is_finite()),
        };
        self.push(number.map_or(Kind::Opaque, Kind::Number), end);
    }

    /// A slash after an operand divides, elsewhere it begins a regular expression.
    fn regex_may_start(&self) -> bool {
        match self.tokens.last().map(|token| &token.kind) {
            None => true,
            Some(Kind::Sign(sign)) => matches!(sign, '=' | '(' | ',' | ':' | '[' | '!' | '&' | '|'),
            Some(Kind::Word(word)) => word == "return",
            Some(_) => false,
        }
    }

    fn regex(&mut self) {
        let mut in_class = false;
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => return self.push(Kind::Sign('/'), 1),
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => return self.push(Kind::Opaque, at + 1),
                _ => {}
            }
        }
        self.push(Kind::Sign('/'), 1);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// What stands after a backslash.
fn unescape<I: Iterator<Item = (usize, char)> + Clone>(c: char, chars: &mut I, text: &mut String) {
    let digits = match c {
        'u' => 4,
        'x' => 2,
        _ => 0,
    };
    if digits > 0 {
        let hex: String = chars.clone().take(digits).map(|(_, c)| c).collect();
        let value = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
        if let Some(value) = value.filter(|_| hex.len() == digits) {
            text.push(value);
            chars.nth(digits - 1);
            return;
        }
    }
    text.push(match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        c => c,
    });
}
