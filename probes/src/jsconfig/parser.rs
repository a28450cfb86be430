//! From tokens to what `config` holds at the end.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use url::Url;

use super::tokens::{Kind, Token, tokenize};

/// Levels of brackets that are followed.
const MAX_DEPTH: usize = 32;

/// Characters of a concatenated string that are kept.
const MAX_TEXT: usize = 8 * 1024;

/// The object `config`, where one is set, and how much was left out.
pub(super) fn read(text: &str, page: &Url) -> (Option<Map<String, Value>>, usize) {
    let mut parser = Parser {
        tokens: tokenize(text),
        at: 0,
        variables: location(page),
        config: None,
        skipped: 0,
    };
    while parser.at < parser.tokens.len() {
        let start = parser.at;
        if parser.sign(';') || parser.sign('}') {
            continue;
        }
        if parser.declaration_or_assignment().is_none() {
            parser.at = start;
            parser.skipped += 1;
            parser.skip_statement(0);
            // Always forward, whatever stood there.
            parser.at = parser.at.max(start + 1);
        }
    }
    (parser.config, parser.skipped)
}

/// What a page may ask of its own address.
fn location(page: &Url) -> HashMap<String, Value> {
    let hostname = page.host_str().unwrap_or_default().to_owned();
    let host = match page.port() {
        Some(port) => format!("{hostname}:{port}"),
        None => hostname.clone(),
    };
    let parts = [
        ("host", host),
        ("hostname", hostname),
        ("origin", page.origin().ascii_serialization()),
        ("protocol", format!("{}:", page.scheme())),
    ];
    parts
        .into_iter()
        .flat_map(|(key, value)| {
            ["location", "window.location", "document.location"]
                .map(|object| (format!("{object}.{key}"), Value::from(value.clone())))
        })
        .collect()
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// Variables that hold a scalar; others are not kept, so that nothing can grow by copying.
    variables: HashMap<String, Value>,
    config: Option<Map<String, Value>>,
    skipped: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn peek_sign(&self, sign: char) -> bool {
        self.peek() == Some(&Kind::Sign(sign))
    }

    fn sign(&mut self, sign: char) -> bool {
        let there = self.peek_sign(sign);
        self.at += usize::from(there);
        there
    }

    fn word(&mut self) -> Option<String> {
        let Some(Kind::Word(word)) = self.peek() else { return None };
        let word = word.clone();
        self.at += 1;
        Some(word)
    }

    fn is_word(&self, words: &[&str]) -> bool {
        matches!(self.peek(), Some(Kind::Word(word)) if words.contains(&word.as_str()))
    }

    fn declaration_or_assignment(&mut self) -> Option<()> {
        let declared = self.is_word(&["var", "let", "const"]);
        self.at += usize::from(declared);
        loop {
            self.assignment(declared)?;
            if !(declared && self.sign(',')) {
                break;
            }
        }
        self.sign(';');
        Some(())
    }

    /// Whether the expression is over: what follows could not go on with it.
    fn ends(&self) -> bool {
        match self.tokens.get(self.at) {
            None => true,
            Some(Token { kind: Kind::Sign(sign), .. }) => matches!(sign, ';' | ',' | '}'),
            Some(token) => token.starts_line,
        }
    }

    fn assignment(&mut self, declared: bool) -> Option<()> {
        let path = self.path()?;
        if declared && !self.peek_sign('=') {
            return Some(());
        }
        if !self.sign('=') || self.peek_sign('=') {
            return None;
        }
        let value = self.expression(0)?;
        if self.ends() { self.assign(&path, value) } else { None }
    }

    /// `a.b['c']`, at most as deep as brackets may be.
    fn path(&mut self) -> Option<Vec<String>> {
        let mut path = vec![self.word()?];
        while path.len() < MAX_DEPTH {
            if self.sign('.') {
                path.push(self.word()?);
            } else if self.sign('[') {
                let Some(Kind::Text(key)) = self.peek().cloned() else { return None };
                self.at += 1;
                path.push(key);
                if !self.sign(']') {
                    return None;
                }
            } else {
                break;
            }
        }
        if path.len() > 1 && path[0] == "window" && path[1] == "config" {
            path.remove(0);
        }
        Some(path)
    }

    fn assign(&mut self, path: &[String], value: Value) -> Option<()> {
        match path {
            [name] if name == "config" => self.config = Some(value.as_object()?.clone()),
            [name, keys @ .., last] if name == "config" => {
                let mut object = self.config.get_or_insert_default();
                for key in keys {
                    let entry =
                        object.entry(key.as_str()).or_insert_with(|| Value::from(Map::new()));
                    if !entry.is_object() {
                        *entry = Value::from(Map::new());
                    }
                    object = entry.as_object_mut()?;
                }
                object.insert(last.clone(), value);
            }
            _ if value.is_array() || value.is_object() => {}
            path => {
                self.variables.insert(path.join("."), value);
            }
        }
        Some(())
    }

    /// One operand or several with `+` between.
    fn expression(&mut self, depth: usize) -> Option<Value> {
        let mut sum = self.operand(depth)?;
        while self.sign('+') {
            let other = self.operand(depth)?;
            sum = add(&sum, &other)?;
        }
        Some(sum)
    }

    fn operand(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()?.clone() {
            Kind::Text(text) => self.take(Value::from(text)),
            Kind::Number(number) => self.take(json_number(number)?),
            Kind::Sign('{') => self.object(depth),
            Kind::Sign('[') => self.array(depth),
            Kind::Sign('(') => {
                self.at += 1;
                let inner = self.expression(depth + 1)?;
                self.sign(')').then_some(inner)
            }
            Kind::Sign('-') => {
                self.at += 1;
                let inner = self.operand(depth + 1)?.as_f64()?;
                json_number(-inner)
            }
            Kind::Sign('!') => {
                self.at += 1;
                let inner = self.operand(depth + 1)?;
                Some(Value::Bool(!truthy(&inner)))
            }
            Kind::Word(word) => match word.as_str() {
                "true" => self.take(Value::Bool(true)),
                "false" => self.take(Value::Bool(false)),
                "null" | "undefined" => self.take(Value::Null),
                _ => self.variable(),
            },
            Kind::Sign(_) | Kind::Opaque => None,
        }
    }

    fn take(&mut self, value: Value) -> Option<Value> {
        self.at += 1;
        Some(value)
    }

    fn variable(&mut self) -> Option<Value> {
        let path = self.path()?;
        // A call is nothing that can be known here.
        if self.peek_sign('(') {
            return None;
        }
        if path[0] != "config" {
            return self.variables.get(&path.join(".")).cloned();
        }
        let (first, rest) = path[1..].split_first()?;
        let first = self.config.as_ref()?.get(first)?;
        let value = rest.iter().try_fold(first, |value, key| value.get(key))?;
        (!value.is_array() && !value.is_object()).then(|| value.clone())
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut object = Map::new();
        while !self.sign('}') {
            self.peek()?;
            let start = self.at;
            match self.entry(depth) {
                Some((key, value)) if self.peek_sign(',') || self.peek_sign('}') => {
                    object.insert(key, value);
                }
                _ => self.skip_entry(start),
            }
            self.sign(',');
        }
        Some(Value::Object(object))
    }

    fn entry(&mut self, depth: usize) -> Option<(String, Value)> {
        let key = match self.peek()?.clone() {
            Kind::Word(key) | Kind::Text(key) => key,
            Kind::Number(key) => key.to_string(),
            Kind::Sign(_) | Kind::Opaque => return None,
        };
        self.at += 1;
        if !self.sign(':') {
            return None;
        }
        Some((key, self.expression(depth + 1)?))
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.sign(']') {
            self.peek()?;
            let start = self.at;
            match self.expression(depth + 1) {
                Some(item) if self.peek_sign(',') || self.peek_sign(']') => items.push(item),
                _ => self.skip_entry(start),
            }
            self.sign(',');
        }
        Some(Value::Array(items))
    }

    /// On to the comma or bracket that ends the entry which began at `start`.
    fn skip_entry(&mut self, start: usize) {
        self.skipped += 1;
        self.at = start;
        let mut depth = 0_usize;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Sign(',') if depth == 0 => return,
                Kind::Sign('}' | ']' | ')') if depth == 0 => {
                    // A stray bracket of another kind must not hold up the reading.
                    self.at += usize::from(self.at == start);
                    return;
                }
                Kind::Sign('{' | '[' | '(') => depth += 1,
                Kind::Sign('}' | ']' | ')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// On to the end of a statement, with all that belongs to it.
    fn skip_statement(&mut self, depth: usize) {
        if depth > MAX_DEPTH {
            self.at = self.tokens.len();
        } else if self.is_word(&["if", "for", "while", "with", "switch", "catch"]) {
            self.at += 1;
            self.skip_brackets();
            self.skip_statement(depth + 1);
        } else if self.is_word(&["else", "do", "try", "finally"]) {
            self.at += 1;
            self.skip_statement(depth + 1);
        } else if self.is_word(&["function"]) {
            self.at += 1;
            self.word();
            self.skip_brackets();
            self.skip_brackets();
        } else if self.peek_sign('{') {
            self.skip_brackets();
        } else {
            self.skip_to_semicolon();
        }
        if self.is_word(&["else", "catch", "finally"]) {
            self.skip_statement(depth + 1);
        }
    }

    /// Over one pair of brackets with what is in it.
    fn skip_brackets(&mut self) {
        let mut depth = 0_usize;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Sign('{' | '[' | '(') => depth += 1,
                Kind::Sign('}' | ']' | ')') => depth = depth.saturating_sub(1),
                _ if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_to_semicolon(&mut self) {
        let start = self.at;
        while let Some(token) = self.tokens.get(self.at) {
            let new_line = token.starts_line && matches!(token.kind, Kind::Word(_));
            match token.kind {
                Kind::Sign(';') => {
                    self.at += 1;
                    return;
                }
                Kind::Sign('}') => return,
                Kind::Sign('{' | '[' | '(') => self.skip_brackets(),
                _ if new_line && self.at > start => return,
                _ => self.at += 1,
            }
        }
    }
}

fn json_number(number: f64) -> Option<Value> {
    // Integers stay integers, so that they read as such.
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number)
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn add(one: &Value, other: &Value) -> Option<Value> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    if let (Value::Number(one), Value::Number(other)) = (one, other) {
        return json_number(one.as_f64()? + other.as_f64()?);
    }
    let sum = text(one)? + &text(other)?;
    (sum.len() <= MAX_TEXT).then(|| Value::from(sum))
}
