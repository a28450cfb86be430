//! What a client's verification says of a chain: trust, name and dates apart.

use std::time::Duration;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::certificate::is_self_issued;
use super::{Certificate, Trust, Verification, describe};
use crate::Net;

/// Certificates fetched at most to complete one chain.
const MOST_FETCHED: usize = 3;

/// What the certificates say among themselves and to our roots.
enum Path {
    /// They lead to a root; whether all are in their dates.
    Trusted { in_dates: bool },
    /// They end before a root.
    Open,
    /// They are no path at all.
    Broken(String),
}

impl Net {
    /// Judges what was sent, leaf first, against the roots, a name and our clock.
    pub(super) async fn verify(
        &self,
        name: &ServerName<'_>,
        sent: &[CertificateDer<'_>],
    ) -> Verification {
        let Some(leaf) = sent.first() else {
            let trust = Trust::Invalid("no certificate was sent".into());
            return Verification { trust, name_matches: false, in_dates: false };
        };
        let (trust, in_dates) = self.trust(leaf, sent).await;
        Verification { trust, name_matches: name_matches(leaf, name), in_dates }
    }

    async fn trust(&self, leaf: &CertificateDer<'_>, sent: &[CertificateDer<'_>]) -> (Trust, bool) {
        let now = UnixTime::now();
        let in_dates = path_in_dates(sent, now);
        if is_self_signed(leaf) {
            // A client told to trust just this certificate does so.
            let pinned = self.config().extra_roots.iter().any(|root| root == leaf);
            return (if pinned { Trust::Trusted } else { Trust::SelfSigned }, in_dates);
        }
        match self.path(sent, now) {
            Path::Trusted { in_dates } => (Trust::Trusted, in_dates),
            Path::Broken(reason) => (Trust::Invalid(reason), in_dates),
            Path::Open => (self.open_end(sent, now).await, in_dates),
        }
    }

    /// Verifies at the present; and where that says that a date is past or to come, at the ends of
    /// each certificate's time, so that trust is told apart from dates.
    fn path(&self, sent: &[CertificateDer<'_>], now: UnixTime) -> Path {
        match self.path_at(sent, now) {
            Ok(()) => return Path::Trusted { in_dates: true },
            Err(error) if !is_about_dates(&error) => return outcome(&error),
            Err(_) => {}
        }
        let mut outcome_elsewhere = None;
        for certificate in sent.iter().map(|der| describe(der)) {
            for second in [certificate.not_before, certificate.not_after] {
                match self.path_at(sent, unix_time(second)) {
                    Ok(()) => return Path::Trusted { in_dates: false },
                    Err(error) if !is_about_dates(&error) => {
                        outcome_elsewhere.get_or_insert(error);
                    }
                    Err(_) => {}
                }
            }
        }
        match outcome_elsewhere {
            Some(error) => outcome(&error),
            None => Path::Broken("the certificates were never valid at the same time".into()),
        }
    }

    fn path_at(&self, sent: &[CertificateDer<'_>], time: UnixTime) -> Result<(), Error> {
        let [leaf, intermediates @ ..] = sent else {
            return Err(CertificateError::BadEncoding.into());
        };
        let algorithms = self.provider().signature_verification_algorithms.all;
        let leaf = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(
            &leaf,
            self.roots(),
            intermediates,
            time,
            algorithms,
        )
    }

    /// What is at the end of a path that leads to no root: a root of their own, or a gap that can
    /// be closed by fetching what was not sent.
    async fn open_end(&self, sent: &[CertificateDer<'_>], now: UnixTime) -> Trust {
        let mut chain: Vec<CertificateDer<'static>> =
            sent.iter().map(|der| der.clone().into_owned()).collect();
        let first_gap = describe(end(&chain)).issuer;
        for _ in 0..MOST_FETCHED {
            let last = end(&chain).clone();
            let Certificate { subject, self_issued, issuer_url, .. } = describe(&last);
            if self_issued {
                return Trust::UntrustedRoot(subject);
            }
            let Some(url) = issuer_url else { break };
            let Some(issuer) = self.fetch_issuer(&url).await else { break };
            if !is_signed_by(&last, &issuer) {
                break;
            }
            chain.push(issuer);
            if let Path::Trusted { .. } = self.path(&chain, now) {
                return Trust::IssuerNotSent { issuer: first_gap, completed: true };
            }
        }
        Trust::IssuerNotSent { issuer: first_gap, completed: false }
    }
}

fn outcome(error: &Error) -> Path {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => Path::Open,
        Error::InvalidCertificate(error) => Path::Broken(error.to_string()),
        error => Path::Broken(error.to_string()),
    }
}

fn is_about_dates(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    )
}

fn name_matches(leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(leaf).is_ok_and(|leaf| verify_server_name(&leaf, name).is_ok())
}

fn unix_time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The path through what was sent: from the leaf on, each certificate's issuer. What is not on it,
/// such as an expired cross-signature that nobody needs, does not count.
fn walk<'a, 'b>(sent: &'a [CertificateDer<'b>]) -> Vec<&'a CertificateDer<'b>> {
    let mut path: Vec<&CertificateDer<'_>> = sent.first().into_iter().collect();
    while let Some(last) = path.last()
        && let Some(next) =
            sent.iter().find(|next| !path.contains(next) && is_issued_by(last, next))
    {
        path.push(next);
    }
    path
}

/// The last certificate of the path; the leaf itself where nothing else fits.
fn end<'a, 'b>(sent: &'a [CertificateDer<'b>]) -> &'a CertificateDer<'b> {
    walk(sent).last().copied().unwrap_or(&sent[0])
}

fn path_in_dates(sent: &[CertificateDer<'_>], now: UnixTime) -> bool {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    walk(sent)
        .iter()
        .map(|der| describe(der))
        .all(|certificate| (certificate.not_before..=certificate.not_after).contains(&now))
}

/// By name only.
fn is_issued_by(certificate: &[u8], issuer: &[u8]) -> bool {
    with_both(certificate, issuer, |certificate, issuer| {
        !is_self_issued(certificate) && certificate.issuer().as_raw() == issuer.subject().as_raw()
    })
}

/// By name and signature.
fn is_signed_by(certificate: &[u8], issuer: &[u8]) -> bool {
    with_both(certificate, issuer, |certificate, issuer| {
        certificate.issuer().as_raw() == issuer.subject().as_raw()
            && certificate.verify_signature(Some(issuer.public_key())).is_ok()
    })
}

fn is_self_signed(certificate: &[u8]) -> bool {
    is_signed_by(certificate, certificate)
}

fn with_both(
    first: &[u8],
    second: &[u8],
    says: impl FnOnce(&X509Certificate<'_>, &X509Certificate<'_>) -> bool,
) -> bool {
    match (X509Certificate::from_der(first), X509Certificate::from_der(second)) {
        (Ok((_, first)), Ok((_, second))) => says(&first, &second),
        _ => false,
    }
}
