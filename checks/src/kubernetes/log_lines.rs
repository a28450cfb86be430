//! Lines by which the stack's programs are known to say what is wrong.

/// A part of a line, whose it is, and what it means.
pub(super) struct Sign {
    /// Parts of image names; empty for any.
    pub(super) images: &'static [&'static str],
    /// Texts that all stand in the line, lower case.
    pub(super) parts: &'static [&'static str],
    /// The cause.
    pub(super) cause: &'static str,
    /// What it means, in a few words.
    pub(super) says: &'static str,
}

const SYNAPSE: &[&str] = &["synapse"];
const JITSI: &[&str] = &["jicofo", "jvb"];

/// The first that fits is taken: the special ones come first.
pub(super) const SIGNS: &[Sign] = &[
    sign(
        SYNAPSE,
        &["error reading signing_key"],
        "signing-key-unreadable",
        "it cannot read its signing key",
    ),
    // What the file is instead stands in lines of their own below.
    sign(
        SYNAPSE,
        &["error in configuration at 'signing_key"],
        "signing-key-unreadable",
        "it cannot read its signing key",
    ),
    sign(
        SYNAPSE,
        &["signing.key", "is a directory"],
        "signing-key-unreadable",
        "its signing key is a folder",
    ),
    sign(
        SYNAPSE,
        &["signing.key", "no such file"],
        "signing-key-unreadable",
        "its signing key is not there",
    ),
    sign(
        SYNAPSE,
        &["signing.key", "permission denied"],
        "signing-key-unreadable",
        "it may not read its signing key",
    ),
    sign(
        &[],
        &["password authentication failed for user"],
        "database-auth-failed",
        "the database refuses its password",
    ),
    sign(
        &[],
        &["role \"", "does not exist"],
        "database-auth-failed",
        "the database has no such role",
    ),
    sign(
        &[],
        &["remaining connection slots are reserved"],
        "database-connections-exhausted",
        "the database has no connection left",
    ),
    sign(
        &[],
        &["sorry, too many clients already"],
        "database-connections-exhausted",
        "the database has no connection left",
    ),
    sign(
        SYNAPSE,
        &["could not translate host name"],
        "database-name-unknown",
        "the database's name does not resolve",
    ),
    sign(
        SYNAPSE,
        &["database \"", "does not exist"],
        "database-missing",
        "there is no such database",
    ),
    sign(
        SYNAPSE,
        &["incorrectdatabasesetup"],
        "database-collation-wrong",
        "the database has the wrong encoding or collation",
    ),
    sign(
        SYNAPSE,
        &["database has incorrect collation"],
        "database-collation-wrong",
        "the database has the wrong collation",
    ),
    sign(
        SYNAPSE,
        &["synapse requires postgresql"],
        "database-version-unsupported",
        "the database is too old",
    ),
    sign(
        SYNAPSE,
        &["connection to server at", "refused"],
        "database-down",
        "the database refuses connections",
    ),
    sign(
        SYNAPSE,
        &["connection to server at", "timeout expired"],
        "database-down",
        "the database does not answer",
    ),
    sign(
        SYNAPSE,
        &["error while scanning"],
        "homeserver-configuration-broken",
        "its configuration is no YAML",
    ),
    sign(
        SYNAPSE,
        &["while scanning"],
        "homeserver-configuration-broken",
        "its configuration is no YAML",
    ),
    sign(
        SYNAPSE,
        &["while parsing a"],
        "homeserver-configuration-broken",
        "its configuration is no YAML",
    ),
    sign(
        SYNAPSE,
        &["error in configuration"],
        "homeserver-configuration-broken",
        "its configuration is refused",
    ),
    sign(
        SYNAPSE,
        &["permissionerror", "/data"],
        "volume-not-writable",
        "it may not write to its volume",
    ),
    sign(
        &["postgres", "cloudnative-pg"],
        &["no space left on device"],
        "volume-full",
        "its volume is full",
    ),
    sign(&[], &["no space left on device"], "volume-full", "its volume is full"),
    sign(
        JITSI,
        &["saslerror", "not-authorized"],
        "xmpp-password-wrong",
        "Prosody refuses its password",
    ),
    sign(JITSI, &["sasl", "not-authorized"], "xmpp-password-wrong", "Prosody refuses its password"),
    sign(
        JITSI,
        &["unknownhostexception"],
        "xmpp-server-not-found",
        "Prosody's name does not resolve",
    ),
    sign(
        JITSI,
        &["could not be resolved"],
        "xmpp-server-not-found",
        "Prosody's name does not resolve",
    ),
    sign(
        &["jvb"],
        &["numberformatexception", "tcp://"],
        "service-link-variable",
        "a variable of a Service link stands in the place of its port",
    ),
    sign(
        &["jicofo", "jvb"],
        &["java.lang.outofmemoryerror"],
        "memory-limit-exceeded",
        "its heap is full",
    ),
    sign(
        &["prosody"],
        &["jicofo_auth_password"],
        "xmpp-password-wrong",
        "it was given no password for the focus",
    ),
    sign(
        &["prosody"],
        &["jvb_auth_password"],
        "xmpp-password-wrong",
        "it was given no password for the bridges",
    ),
    sign(
        &["prosody"],
        &["authentication failure"],
        "xmpp-password-wrong",
        "a part of Jitsi gives a wrong password",
    ),
];

const fn sign(
    images: &'static [&'static str],
    parts: &'static [&'static str],
    cause: &'static str,
    says: &'static str,
) -> Sign {
    Sign { images, parts, cause, says }
}

/// What the lines tell, with the line that tells it; the last of such lines counts.
pub(super) fn recognise<'l>(image: &str, lines: &'l [String]) -> Option<(&'static Sign, &'l str)> {
    let fits = |sign: &&Sign, lower: &str| {
        (sign.images.is_empty() || sign.images.iter().any(|part| image.contains(part)))
            && sign.parts.iter().all(|part| lower.contains(part))
    };
    lines.iter().rev().find_map(|line| {
        let lower = line.to_ascii_lowercase();
        SIGNS.iter().find(|sign| fits(sign, &lower)).map(|sign| (sign, line.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as the programs write them.
    #[test]
    fn known_lines_are_recognised() {
        let rows = [
            (
                "matrixdotorg/synapse:v1.147.0",
                "synapse.config._base.ConfigError: Error reading signing_key: /keys/signing.key",
                "signing-key-unreadable",
            ),
            (
                "matrixdotorg/synapse:v1.147.0",
                "IsADirectoryError: [Errno 21] Is a directory: '/keys/testing.signing.key'",
                "signing-key-unreadable",
            ),
            (
                "matrixdotorg/synapse:v1.147.0",
                "psycopg2.OperationalError: connection to server at \"matrix-db-rw\" (10.43.7.9), port 5432 failed: FATAL:  password authentication failed for user \"synapse\"",
                "database-auth-failed",
            ),
            (
                "matrixdotorg/synapse:v1.147.0",
                "psycopg2.OperationalError: connection to server at \"matrix-db-rw\" (10.43.7.9), port 5432 failed: Connection refused",
                "database-down",
            ),
            (
                "matrixdotorg/synapse:v1.147.0",
                "psycopg2.OperationalError: could not translate host name \"matrix-db-rw\" to address: Temporary failure in name resolution",
                "database-name-unknown",
            ),
            (
                "matrixdotorg/synapse:v1.147.0",
                "yaml.scanner.ScannerError: while scanning for the next token",
                "homeserver-configuration-broken",
            ),
            (
                "matrixdotorg/synapse:v1.147.0",
                "PermissionError: [Errno 13] Permission denied: '/data/media_store'",
                "volume-not-writable",
            ),
            (
                "jitsi/jicofo:stable-10741",
                "org.jivesoftware.smack.sasl.SASLErrorException: SASLError using SCRAM-SHA-1: not-authorized",
                "xmpp-password-wrong",
            ),
            (
                "jitsi/jvb:stable-10741",
                "org.jivesoftware.smack.SmackException$EndpointConnectionException: The following addresses failed: 'RFC 6120 A/AAAA Endpoint + [prosody:5222] (prosody:5222)' failed because: java.net.UnknownHostException: prosody",
                "xmpp-server-not-found",
            ),
            (
                "jitsi/prosody:stable-10741",
                "FATAL ERROR: Jicofo auth password must be changed or JICOFO_AUTH_PASSWORD is not set",
                "xmpp-password-wrong",
            ),
        ];
        for (image, line, cause) in rows {
            let lines = ["starting".to_owned(), line.to_owned(), "bye".to_owned()];
            let (sign, told) = recognise(image, &lines).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((sign.cause, told), (cause, line));
        }
        assert!(recognise("matrixdotorg/synapse", &["all is well".into()]).is_none());
        assert!(recognise("nginx", &["while scanning".into()]).is_none());
        for sign in SIGNS {
            assert!(crate::cause(sign.cause).is_some(), "{}", sign.cause);
        }
    }
}
