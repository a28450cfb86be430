//! What may not be printed, and what could harm a terminal.

/// Takes known secrets and control characters out of every text of a report.
#[derive(Debug, Clone, Default)]
pub(super) struct Redactor {
    secrets: Vec<String>,
}

/// Shorter secrets would blank out ordinary words.
const SHORTEST: usize = 4;

/// No text of a report is longer; what a server sends is cut there.
const LONGEST: usize = 4096;

impl Redactor {
    pub(super) fn new(secrets: &[String]) -> Self {
        let secrets = secrets.iter().filter(|secret| secret.len() >= SHORTEST).cloned().collect();
        Self { secrets }
    }

    /// The text without secrets, and without control characters other than line ends and tabs:
    /// what a server sends must not steer the reader's terminal.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text: String = text
            .chars()
            .map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c })
            .collect();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "***");
            }
        }
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_escapes_go() {
        let redactor = Redactor::new(&["hunter22".into(), "ab".into()]);
        assert_eq!(redactor.clean("ab: \x1b[31mhunter22\x07\n"), "ab: \u{fffd}[31m***\u{fffd}\n");
        assert!(redactor.clean(&"ä".repeat(5000)).len() <= LONGEST + '…'.len_utf8());
    }
}
