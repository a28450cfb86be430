//! A unit of opinion.

use std::time::Duration;

use futures_util::future::BoxFuture;
use mxdoctor_model::{Finding, Vantage};

use crate::{Cx, Unavailable};

/// What a check comes to: findings, one an instance, or the fact that it could not have.
pub type Verdict = Result<Findings, Unavailable>;

/// One line of a check's verdict.
#[derive(Debug, Clone)]
pub enum Entry {
    /// The check has an opinion.
    Finding(Finding),
    /// The check could not look at this instance because a fact was not to be had.
    Blocked {
        /// The instance that was to be looked at.
        instance: Option<String>,
        /// What was missing, and who owns it.
        by: Unavailable,
    },
}

/// What a check has to say, one entry an instance.
#[derive(Debug, Clone, Default)]
pub struct Findings(pub Vec<Entry>);

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Self(vec![Entry::Finding(finding)])
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Self(findings.into_iter().map(Entry::Finding).collect())
    }
}

/// A check: its metadata and the one function that forms an opinion. Made by [`crate::check!`].
pub struct Check {
    /// `family.name`; a public interface, never reused.
    pub id: &'static str,
    /// What must be true, in one line.
    pub title: &'static str,
    /// The manual page, in Markdown: the doc comment of the check's file.
    pub page: &'static str,
    /// How long it may take in all.
    pub timeout: Duration,
    /// Where it can look from.
    pub vantages: &'static [Vantage],
    /// How often it is tried when a finding is marked transient; 1 is once.
    pub attempts: u32,
    /// Causes that it can name itself.
    pub causes: &'static [&'static str],
    /// Forms the opinion.
    pub run: for<'a> fn(&'a Cx) -> BoxFuture<'a, Verdict>,
}

impl Check {
    /// The part of the id before the dot.
    pub fn family(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(family, _)| family)
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Where a check can look from, by the letters of the catalogue.
pub mod at {
    use mxdoctor_model::Vantage::{self, Cluster, Internal, Public};

    /// Public names only.
    pub const P: &[Vantage] = &[Public];
    /// Public names and the internal ingress.
    pub const PI: &[Vantage] = &[Public, Internal];
    /// From everywhere.
    pub const PIC: &[Vantage] = &[Public, Internal, Cluster];
    /// Public names and the cluster.
    pub const PC: &[Vantage] = &[Public, Cluster];
    /// The cluster only.
    pub const C: &[Vantage] = &[Cluster];
}

/// Declares the check of a file as `CHECK`: its doc comment is its manual page, and the file's
/// `async fn run(cx: &Cx) -> Verdict` is its opinion.
///
/// ```text
/// check! {
///     /// Every host of the stack resolves …
///     "dns.address" at PIC: "every host of the stack resolves"
///     causes ["dns-record-missing", "dns-private-address"]
///     timeout 10
/// }
/// ```
/// `timeout` is in seconds (10 unless given); `attempts` is 1 unless given.
#[macro_export]
macro_rules! check {
    (
        $(#[doc = $page:literal])+
        $id:literal at $at:ident : $title:literal
        causes [$($cause:literal),* $(,)?]
        $(timeout $timeout:literal)?
        $(attempts $attempts:literal)?
    ) => {
        $(#[doc = $page])+
        pub static CHECK: $crate::Check = $crate::Check {
            id: $id,
            title: $title,
            page: concat!($($page, "\n"),+),
            timeout: std::time::Duration::from_secs($crate::check!(@or 10, $($timeout)?)),
            vantages: $crate::at::$at,
            attempts: $crate::check!(@or 1, $($attempts)?),
            causes: &[$($cause),*],
            run: |cx| Box::pin(run(cx)),
        };
    };
    (@or $default:literal, $given:literal) => { $given };
    (@or $default:literal,) => { $default };
}
