//! SASL mechanisms (RFC 6120 section 6): ANONYMOUS (RFC 4505), PLAIN (RFC 4616) and SCRAM without
//! channel binding (RFC 5802, RFC 7677).

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};

/// Rounds of PBKDF2 that are made for a server; with more it would only keep us busy.
const MOST_ROUNDS: u32 = 1_000_000;

/// Characters of a server's message.
const MOST_MESSAGE: usize = 4096;

/// A mechanism that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Anonymous,
    ScramSha256,
    ScramSha1,
    Plain,
}

impl Mechanism {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::Plain => "PLAIN",
        }
    }
}

/// The message of PLAIN.
pub(super) fn plain(user: &str, password: &str) -> String {
    BASE64.encode(format!("\0{user}\0{password}"))
}

/// An exchange of SCRAM, the client's side.
pub(super) struct Scram {
    hmac: hmac::Algorithm,
    pbkdf2: pbkdf2::Algorithm,
    digest: &'static digest::Algorithm,
    password: String,
    nonce: String,
    bare: String,
}

/// The last message of the client, and what the server must answer it with.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) message: String,
    key: hmac::Key,
    signed: String,
}

impl Scram {
    /// `nonce`: hard to guess, printable, without commas.
    pub(super) fn new(mechanism: Mechanism, user: &str, password: &str, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        let (hmac, pbkdf2, digest) = match mechanism {
            Mechanism::ScramSha1 => (
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                pbkdf2::PBKDF2_HMAC_SHA1,
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
            ),
            _ => (hmac::HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA256, &digest::SHA256),
        };
        Self { hmac, pbkdf2, digest, password: password.to_owned(), nonce, bare }
    }

    /// The client's first message.
    pub(super) fn first(&self) -> String {
        BASE64.encode(format!("n,,{}", self.bare))
    }

    /// Answers the server's challenge. Heavy: as many rounds as the server wants.
    pub(super) fn answer(&self, challenge: &str) -> Result<Proof, String> {
        let first = decode(challenge)?;
        let field = |key: char| {
            let mut fields = first.split(',');
            fields.find_map(|field| field.strip_prefix(key)?.strip_prefix('='))
        };
        let nonce = field('r').ok_or("it has no nonce")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("its nonce does not continue ours".into());
        }
        let salt = BASE64.decode(field('s').ok_or("it has no salt")?);
        let salt = salt.map_err(|_| "its salt is not Base64")?;
        let rounds = field('i').and_then(|rounds| rounds.parse().ok()).and_then(NonZeroU32::new);
        let rounds = rounds.filter(|rounds| rounds.get() <= MOST_ROUNDS);
        let rounds = rounds.ok_or("its number of rounds is missing, 0 or over 1000000")?;
        let mut salted = vec![0; self.digest.output_len()];
        pbkdf2::derive(self.pbkdf2, rounds, &salt, self.password.as_bytes(), &mut salted);
        let sign = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(self.hmac, key), text.as_bytes()).as_ref().to_vec()
        };
        let client_key = sign(&salted, "Client Key");
        let stored = digest::digest(self.digest, &client_key);
        let last = format!("c=biws,r={nonce}");
        let signed = format!("{},{first},{last}", self.bare);
        let signature = sign(stored.as_ref(), &signed);
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let message = BASE64.encode(format!("{last},p={}", BASE64.encode(proof)));
        let key = hmac::Key::new(self.hmac, &sign(&salted, "Server Key"));
        Ok(Proof { message, key, signed })
    }
}

impl Proof {
    /// Whether the server knows the password as well.
    pub(super) fn verify(&self, last: &str) -> Result<(), String> {
        let last = decode(last)?;
        let signature = last.split(',').find_map(|field| field.strip_prefix("v="));
        let signature = BASE64.decode(signature.ok_or("it has no signature")?);
        let signature = signature.map_err(|_| "its signature is not Base64")?;
        hmac::verify(&self.key, self.signed.as_bytes(), &signature)
            .map_err(|_| "its signature does not prove that it knows the password".into())
    }
}

/// What the client makes of a server's two messages of SCRAM, each as Base64, for a user whose
/// nonce is `n`: hostile servers are tried by this alone.
///
/// # Errors
/// What is wrong with the first message that is.
pub fn scram_exchange(sha256: bool, challenge: &str, last: &str) -> Result<(), String> {
    let mechanism = if sha256 { Mechanism::ScramSha256 } else { Mechanism::ScramSha1 };
    let scram = Scram::new(mechanism, "user", "pencil", "n".to_owned());
    scram.answer(challenge)?.verify(last)
}

fn decode(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.len() > MOST_MESSAGE {
        return Err(format!("it has more than {MOST_MESSAGE} characters"));
    }
    let bytes = BASE64.decode(text).map_err(|_| "it is not Base64")?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain_text(base64: &str) -> String {
        decode(base64).expect("Base64")
    }

    fn scram(mechanism: Mechanism, nonce: &str) -> Scram {
        Scram::new(mechanism, "user", "pencil", nonce.to_owned())
    }

    /// The examples of RFC 5802 section 5 and RFC 7677 section 3.
    #[test]
    fn the_examples_of_the_rfcs_hold() {
        for (mechanism, nonce, challenge, last, consent) in [
            (
                Mechanism::ScramSha1,
                "fyko+d2lbbFgONRv9qkxdawL",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,\
                 p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ),
            (
                Mechanism::ScramSha256,
                "rOprNGfwEbeRWgbNEkqO",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                 p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ),
        ] {
            let scram = scram(mechanism, nonce);
            assert_eq!(plain_text(&scram.first()), format!("n,,n=user,r={nonce}"));
            let proof = scram.answer(&BASE64.encode(challenge)).expect("an answer");
            assert_eq!(plain_text(&proof.message), last);
            assert_eq!(proof.verify(&BASE64.encode(consent)), Ok(()));
            assert!(proof.verify(&BASE64.encode("v=AAAA")).is_err());
            assert!(proof.verify("").is_err());
        }
    }

    #[test]
    fn the_example_of_plain_holds() {
        assert_eq!(plain_text(&plain("tim", "tanstaaftanstaaf")), "\0tim\0tanstaaftanstaaf");
    }

    proptest! {
        #[test]
        fn any_challenge_is_judged(text in ".{0,200}", fields in "(r=n[a-z]?|,|s=|i=|[0-9]{1,3}|=){0,12}") {
            let scram = scram(Mechanism::ScramSha1, "n");
            let _ = scram.answer(&text);
            let _ = scram.answer(&BASE64.encode(text));
            let _ = scram.answer(&BASE64.encode(fields));
        }
    }
}
