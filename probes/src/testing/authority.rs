//! A certificate authority and what it issues.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A root or an intermediate.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its chain and key, as a server has it.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params(name), key).expect("a root");
        Self { issuer }
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        self.intermediate_with(name, |_| {})
    }

    pub(crate) fn intermediate_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name);
        change(&mut params);
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer);
        Self { issuer: issuer.expect("an intermediate") }
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A certificate for a name, just the leaf in its chain.
    pub(crate) fn leaf(&self, name: &str) -> Identity {
        self.leaf_with(name, |_| {})
    }

    pub(crate) fn leaf_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = leaf_params(name);
        change(&mut params);
        let leaf = params.signed_by(&key, &self.issuer).expect("a leaf");
        Identity { chain: vec![leaf.der().clone()], key }
    }
}

impl Identity {
    pub(crate) fn self_signed(name: &str, is_ca: IsCa) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = leaf_params(name);
        params.is_ca = is_ca;
        let leaf = params.self_signed(&key).expect("a certificate");
        Self { chain: vec![leaf.der().clone()], key }
    }

    /// With this certificate sent as well.
    pub(crate) fn with(mut self, authority: &Authority) -> Self {
        self.chain.push(authority.der());
        self
    }

    pub(crate) fn server(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.private_key())
            .expect("a certificate with its key");
        server.alpn_protocols = alpn.iter().map(|alpn| alpn.as_bytes().to_vec()).collect();
        Arc::new(server)
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).expect("a private key")
    }

    /// The chain as text, as servers read it.
    pub(crate) fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }
}

/// For [`Authority::leaf_with`]: where the issuer can be fetched.
pub(crate) fn issuer_at(url: &str) -> CustomExtension {
    let short = |length: usize| u8::try_from(length).expect("a short URL");
    let oid_of_method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let location = [&[0x86, short(url.len())][..], url.as_bytes()].concat();
    let length = short(oid_of_method.len() + location.len());
    let access = [&[0x30, length][..], &oid_of_method, &location].concat();
    let content = [&[0x30, short(access.len())][..], &access].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
