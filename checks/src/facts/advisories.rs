//! Security advisories of the software in the stack, those that an operator must not miss.
//!
//! From the projects' own advisories, each with its date; as of the end of August 2026. A version
//! that is not listed is not thereby safe.

use super::software::Release;

/// A published weakness.
#[derive(Debug, Clone, Copy)]
pub struct Advisory {
    /// Its GitHub advisory.
    pub id: &'static str,
    /// Its CVE number, where one is known.
    pub cve: &'static str,
    /// When it was published.
    pub date: &'static str,
    /// The first version that has it, where not all earlier ones do.
    since: &'static str,
    /// The first version without it.
    pub fixed: &'static str,
    /// Whether somebody without an account here can do serious harm with it.
    pub urgent: bool,
    /// What it permits.
    pub text: &'static str,
}

/// Synapse: `https://github.com/element-hq/synapse/security/advisories`.
pub const SYNAPSE: &[Advisory] = &[
    Advisory {
        id: "GHSA-8q93-326v-3m7g",
        cve: "CVE-2026-45078",
        date: "2026-05-14",
        since: "",
        fixed: "1.152.1",
        urgent: false,
        text: "a local user can take the CPU from all others",
    },
    Advisory {
        id: "GHSA-6qf2-7x63-mm6v",
        cve: "CVE-2026-45076",
        date: "2026-05-14",
        since: "",
        fixed: "1.152.1",
        urgent: false,
        text: "another server can keep clients from reading a room's full history",
    },
    Advisory {
        id: "GHSA-v56r-hwv5-mxg6",
        cve: "CVE-2025-30355",
        date: "2025-03-27",
        since: "",
        fixed: "1.127.1",
        urgent: true,
        text: "another server can end this one's federation by malformed events; seen in the wild",
    },
    Advisory {
        id: "GHSA-rfq8-j7rh-8hf2",
        cve: "",
        date: "2024-12-03",
        since: "",
        fixed: "1.120.1",
        urgent: true,
        text: "anybody can exhaust its memory by multipart requests",
    },
    Advisory {
        id: "GHSA-3h7q-rfh9-xm4v",
        cve: "CVE-2024-31208",
        date: "2024-04-23",
        since: "",
        fixed: "1.105.1",
        urgent: true,
        text: "another server can fill the database and the CPU by a room's state",
    },
];

/// Element Web: `https://github.com/element-hq/element-web/security/advisories`.
pub const ELEMENT: &[Advisory] = &[
    Advisory {
        id: "GHSA-wrcp-5v3v-3j6v",
        cve: "CVE-2026-55850",
        date: "2026-08-21",
        since: "",
        fixed: "1.12.22",
        urgent: false,
        text: "a malicious homeserver can show its own HTML on the home page",
    },
    Advisory {
        id: "GHSA-m6c8-98f4-75rr",
        cve: "CVE-2025-59161",
        date: "2025-09-16",
        since: "",
        fixed: "1.11.112",
        urgent: false,
        text: "a stranger can put another room in the place of one in the room list",
    },
    Advisory {
        id: "GHSA-w36j-v56h-q9pc",
        cve: "CVE-2024-51750",
        date: "2024-11-12",
        since: "",
        fixed: "1.11.85",
        urgent: true,
        text: "another server can keep rooms from being shown",
    },
    Advisory {
        id: "GHSA-3jm3-x98c-r34x",
        cve: "CVE-2024-47779",
        date: "2024-10-15",
        since: "1.11.70",
        fixed: "1.11.81",
        urgent: true,
        text: "a malicious widget can get the user's access token",
    },
];

impl Advisory {
    /// Whether a release has the weakness.
    pub fn concerns(&self, release: Release) -> bool {
        let bound = |text| Release::parse(text);
        bound(self.fixed).is_some_and(|fixed| release < fixed)
            && bound(self.since).is_none_or(|since| release >= since)
    }
}

impl std::fmt::Display for Advisory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.id)?;
        if !self.cve.is_empty() {
            write!(f, " ({})", self.cve)?;
        }
        write!(f, " of {}, fixed in {}: {}", self.date, self.fixed, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_advisory_has_a_readable_end() {
        for advisory in SYNAPSE.iter().chain(ELEMENT) {
            let fixed = Release::parse(advisory.fixed).expect("a release");
            assert!(!advisory.concerns(fixed), "{advisory}");
            assert!(advisory.since.is_empty() || Release::parse(advisory.since).is_some());
            assert!(advisory.id.starts_with("GHSA-") && advisory.date.len() == 10);
        }
        let concerned = |table: &[Advisory], version| {
            let release = Release::parse(version).expect("a release");
            table.iter().filter(|one| one.concerns(release)).count()
        };
        assert_eq!(concerned(SYNAPSE, "1.147.0"), 2);
        assert_eq!(concerned(SYNAPSE, "1.152.1"), 0);
        assert_eq!(concerned(ELEMENT, "1.11.69"), 3);
        assert_eq!(concerned(ELEMENT, "1.11.75"), 4);
    }
}
