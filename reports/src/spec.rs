//! What was asked for: `--report FORMAT[=PATH]`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A form that a report can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For a person at a terminal.
    Terminal,
    /// One line a finding that is not a pass, and one of summary.
    Short,
    /// JUnit XML as GitLab, GitHub and Jenkins show it best.
    Junit,
    /// JUnit XML valid under the schemas of Jenkins' xUnit plugin and of Ant.
    JunitStrict,
    /// The whole report as one JSON document.
    Json,
    /// One event a line, as JSON, as it happens.
    Ndjson,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that GitHub shows at the lines of a change.
    Github,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[
        Self::Terminal,
        Self::Short,
        Self::Junit,
        Self::JunitStrict,
        Self::Json,
        Self::Ndjson,
        Self::Sarif,
        Self::Github,
    ];

    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Short => "short",
            Self::Junit => "junit",
            Self::JunitStrict => "junit-strict",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let known = || Self::ALL.iter().copied();
        known().find(|format| format.as_str() == text).ok_or_else(|| {
            let nearest = known()
                .map(|format| (strsim::damerau_levenshtein(format.as_str(), text), format))
                .min_by_key(|(distance, _)| *distance)
                .filter(|(distance, _)| *distance <= 3)
                .map(|(_, format)| format);
            SpecError::UnknownFormat { given: text.to_owned(), nearest }
        })
    }
}

/// One report that was asked for, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Its form.
    pub format: Format,
    /// Its file; none is standard output.
    pub path: Option<PathBuf>,
}

impl Spec {
    /// A report on standard output.
    pub fn stdout(format: Format) -> Self {
        Self { format, path: None }
    }
}

impl FromStr for Spec {
    type Err = SpecError;

    /// `FORMAT`, `FORMAT=-` (both standard output) or `FORMAT=PATH`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (format, path) = match text.split_once('=') {
            Some((format, "")) => return Err(SpecError::EmptyPath { format: format.parse()? }),
            Some((format, "-")) => (format, None),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        Ok(Self { format: format.parse()?, path })
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}={}", self.format, path.display()),
            None => write!(f, "{}", self.format),
        }
    }
}

/// Why a report specification cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecError {
    /// No such format.
    UnknownFormat {
        /// What was written.
        given: String,
        /// The one that was likely meant.
        nearest: Option<Format>,
    },
    /// `FORMAT=` with nothing behind.
    EmptyPath {
        /// The format.
        format: Format,
    },
}

impl std::error::Error for SpecError {}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFormat { given, nearest } => {
                write!(f, "unknown report format `{given}`")?;
                if let Some(nearest) = nearest {
                    write!(f, ", did you mean `{nearest}`")?;
                }
                let known: Vec<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
                write!(f, ": known are {}", known.join(", "))
            }
            Self::EmptyPath { format } => write!(
                f,
                "`{format}=` lacks a path: write `{format}=PATH`, or `{format}` for standard output"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_read_back() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(*format));
            assert_eq!(format.as_str().parse(), Ok(Spec::stdout(*format)));
        }
    }

    #[test]
    fn a_path_may_contain_anything() {
        let spec: Spec = "junit=out/a=b.xml".parse().expect("a path");
        assert_eq!(spec, Spec { format: Format::Junit, path: Some("out/a=b.xml".into()) });
        assert_eq!(spec.to_string(), "junit=out/a=b.xml");
        assert_eq!("json=-".parse(), Ok(Spec::stdout(Format::Json)));
    }

    #[test]
    fn a_wrong_format_is_answered_with_the_nearest() {
        let error = "jnuit=a.xml".parse::<Spec>().expect_err("unknown").to_string();
        assert_eq!(
            error,
            "unknown report format `jnuit`, did you mean `junit`: \
             known are terminal, short, junit, junit-strict, json, ndjson, sarif, github"
        );
        let error = "openmetrics".parse::<Spec>().expect_err("unknown").to_string();
        assert!(error.starts_with("unknown report format `openmetrics`: known are"), "{error}");
        let error = "json=".parse::<Spec>().expect_err("empty path").to_string();
        assert_eq!(error, "`json=` lacks a path: write `json=PATH`, or `json` for standard output");
    }
}
