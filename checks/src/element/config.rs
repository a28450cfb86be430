//! `element.config`.

use mxdoctor_model::{EvidenceKind, Finding};

use crate::facts::ElementConfig;
use crate::{Cx, Verdict, check};

check! {
    /// Element's configuration can be read.
    ///
    /// ## What it asserts
    /// `config.<host>.json`, or where that is missing or empty `config.json`, is a JSON object. What
    /// it says is for `element.fatal_combination` and others.
    ///
    /// ## Why it matters
    /// Element reads nothing else. With a file that is not JSON it says "Your Element configuration
    /// contains invalid JSON" and does not start.
    ///
    /// ## What makes it fail
    /// A comma after the last entry, a missing file, or a fallback that answers every path with the
    /// index page. The host's own file replaces the common one as a whole; nothing is merged. That
    /// it is missing is normal.
    ///
    /// ## How to fix it
    /// Correct ConfigMap `element-config` in `apps/base/matrix/config/element-config.yaml`, and
    /// restart: `kubectl -n app-matrix rollout restart deploy/element` (a file mounted by `subPath`
    /// is not renewed by itself).
    ///
    /// ## Where it comes from
    /// Element Web's `docs/config.md`; its start-up code for the order of files and the errors.
    "element.config" at PI: "Element's configuration is valid JSON"
    causes ["element-config-missing", "element-config-invalid"]
    timeout 60
    attempts 2
}

async fn run(cx: &Cx) -> Verdict {
    let config = cx.fact(ElementConfig).await?;
    let file = config.url.path().rsplit('/').next().unwrap_or_default();
    let line = config.exchange.last().line();
    Ok(Finding::pass(format!("{file} is a JSON object"))
        .evidence(EvidenceKind::Request, line)
        .into())
}
