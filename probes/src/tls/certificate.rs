//! Certificates in words.

use std::net::IpAddr;

use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::oid_registry as oids;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Alternative names that are kept at most.
const MOST_NAMES: usize = 1000;

/// A certificate of a chain as sent, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// RFC 4514 style, as `x509-parser` prints it.
    pub subject: String,
    /// Likewise.
    pub issuer: String,
    /// Subject alternative names: DNS names in lower case, addresses as text.
    pub names: Vec<String>,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// For instance `ECDSA P-256`, `RSA 2048`, `Ed25519`.
    pub key: String,
    /// Key size in bits.
    pub key_bits: usize,
    /// For instance `ecdsa-with-SHA256`.
    pub signature: String,
    /// SHA-256 of the DER in lower-case hex.
    pub sha256: String,
    /// Where the issuer's certificate can be fetched (authority information access).
    pub issuer_url: Option<String>,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
    /// Proofs of logging that are embedded (RFC 6962 section 3.3).
    pub scts: usize,
    /// Whether it demands a stapled OCSP response (RFC 7633).
    pub must_staple: bool,
}

/// A certificate from its DER. One that cannot be parsed has empty fields, and says so as its
/// subject; its hash is always there.
pub fn describe(der: &[u8]) -> Certificate {
    let sha256 = ring::digest::digest(&ring::digest::SHA256, der);
    let sha256 = sha256.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Certificate { sha256, ..parsed(&certificate) },
        Err(error) => Certificate {
            subject: format!("(not a readable certificate: {error})"),
            issuer: String::new(),
            names: Vec::new(),
            not_before: 0,
            not_after: 0,
            key: String::new(),
            key_bits: 0,
            signature: String::new(),
            sha256,
            issuer_url: None,
            self_issued: false,
            scts: 0,
            must_staple: false,
        },
    }
}

fn parsed(certificate: &X509Certificate<'_>) -> Certificate {
    let (key, key_bits) = key(certificate.public_key());
    let validity = certificate.validity();
    Certificate {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names: names(certificate),
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
        key,
        key_bits,
        signature: name_of(&certificate.signature_algorithm.algorithm),
        sha256: String::new(),
        issuer_url: issuer_url(certificate),
        self_issued: is_self_issued(certificate),
        scts: scts(certificate),
        must_staple: demands_staple(certificate),
    }
}

/// Whether subject and issuer are the same, byte for byte.
pub(super) fn is_self_issued(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
}

fn scts(certificate: &X509Certificate<'_>) -> usize {
    let found =
        certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SCT(scts) => Some(scts.len()),
            _ => None,
        });
    found.unwrap_or(0)
}

/// The TLS feature `status_request` (5), in a list of at most a handful.
fn demands_staple(certificate: &X509Certificate<'_>) -> bool {
    let feature = certificate
        .extensions()
        .iter()
        .find(|extension| extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.24");
    feature.is_some_and(|feature| feature.value.windows(3).any(|item| item == [2, 1, 5]))
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternatives)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    alternatives
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .take(MOST_NAMES)
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(bytes).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|bytes| IpAddr::from(bytes).to_string())
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> (String, usize) {
    match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let bits = bits(rsa.modulus);
            (format!("RSA {bits}"), bits)
        }
        Ok(PublicKey::EC(_)) => curve(info),
        _ if info.algorithm.algorithm == oids::OID_SIG_ED25519 => ("Ed25519".into(), 256),
        Ok(PublicKey::DSA(_)) => ("DSA".into(), 0),
        _ => (name_of(&info.algorithm.algorithm), 0),
    }
}

/// Significant bits of an unsigned number.
fn bits(number: &[u8]) -> usize {
    match number.iter().position(|&byte| byte != 0) {
        Some(first) => (number.len() - first) * 8 - number[first].leading_zeros() as usize,
        None => 0,
    }
}

fn curve(info: &SubjectPublicKeyInfo<'_>) -> (String, usize) {
    let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
    match curve {
        Some(oid) if oid == oids::OID_EC_P256 => ("ECDSA P-256".into(), 256),
        Some(oid) if oid == oids::OID_NIST_EC_P384 => ("ECDSA P-384".into(), 384),
        Some(oid) if oid == oids::OID_NIST_EC_P521 => ("ECDSA P-521".into(), 521),
        Some(oid) => (format!("ECDSA {}", name_of(&oid)), 0),
        None => ("ECDSA".into(), 0),
    }
}

fn name_of(oid: &Oid<'_>) -> String {
    oid2sn(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned)
}

/// RFC 5280 section 4.2.2.1, the first `http` one.
fn issuer_url(certificate: &X509Certificate<'_>) -> Option<String> {
    let access = certificate.extensions().iter().find_map(|extension| {
        match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => Some(access),
            _ => None,
        }
    })?;
    access.accessdescs.iter().find_map(|description| match description.access_location {
        GeneralName::URI(url)
            if description.access_method == oids::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS
                && url.starts_with("http://") =>
        {
            Some(url.to_owned())
        }
        _ => None,
    })
}
