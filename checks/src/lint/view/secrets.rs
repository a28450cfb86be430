//! Secrets by their names and keys, wherever they come from: no value is looked at.

use mxdoctor_probes::manifest::{Object, Origin};

use crate::lint::Stack;

/// Something that makes a Secret.
#[derive(Debug, Clone)]
pub struct Produced<'a> {
    /// The Secret's name.
    pub name: String,
    /// Its keys.
    pub keys: Keys<'a>,
    /// The object that it comes from: a Secret, SealedSecret, Certificate, Cluster …
    pub by: &'a Object,
}

/// The keys of a Secret, as far as its producer tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys<'a> {
    /// Just these.
    Known(Vec<&'a str>),
    /// The producer does not say.
    Unknown,
}

/// Keys of the Secret that CloudNativePG makes for the application's user.
const CNPG_USER: &[&str] = &[
    "username",
    "user",
    "password",
    "dbname",
    "host",
    "port",
    "pgpass",
    "uri",
    "jdbc-uri",
    "fqdn-uri",
    "fqdn-jdbc-uri",
];

impl<'a> Stack<'a> {
    /// What makes the Secret of a name that `from` means; none where nothing in the inventory
    /// does.
    pub fn secret(&self, from: &Object, name: &str) -> Option<&Produced<'a>> {
        self.secrets.iter().find(|made| {
            made.name == name
                && (made.by.namespace().is_none()
                    || from.namespace().is_none()
                    || made.by.namespace() == from.namespace())
        })
    }

    /// The keys of the Secret of a name, where they are known.
    pub fn secret_keys(&self, from: &Object, name: &str) -> Option<Vec<&'a str>> {
        let first = self.secret(from, name)?;
        // Several make one together where an ExternalSecret adds to what is there.
        let here =
            |made: &&Produced<'a>| made.name == name && made.by.namespace() == first.by.namespace();
        let open = self.secrets.iter().filter(here).any(|made| made.keys == Keys::Unknown);
        match &first.keys {
            Keys::Known(keys) if !open => Some(keys.clone()),
            _ => None,
        }
    }
}

/// Every Secret that something in the inventory makes.
pub(super) fn produced<'a>(objects: &'a [Object], origin: Origin) -> Vec<Produced<'a>> {
    objects.iter().flat_map(|object| by(object, origin)).collect()
}

fn by<'a>(object: &'a Object, origin: Origin) -> Vec<Produced<'a>> {
    let one = |name: &str, keys| Produced { name: name.to_owned(), keys, by: object };
    let entries = |path: &str| object.node.map(path).iter().map(|entry| entry.key.as_str());
    match (object.kind(), object.group()) {
        ("Secret", "") => {
            let keys: Vec<_> = entries("data").chain(entries("stringData")).collect();
            // An API server's Secrets are listed without their data unless that was asked for.
            let unread = origin == Origin::Live && keys.is_empty();
            vec![one(object.name(), if unread { Keys::Unknown } else { Keys::Known(keys) })]
        }
        ("SealedSecret", _) => {
            let sealed = entries("spec.encryptedData").chain(entries("spec.template.data"));
            vec![one(object.name(), Keys::Known(sealed.collect()))]
        }
        ("Certificate", "cert-manager.io") => object
            .node
            .str("spec.secretName")
            .map(|name| one(name, Keys::Known(vec!["tls.crt", "tls.key", "ca.crt"])))
            .into_iter()
            .collect(),
        ("Cluster", "postgresql.cnpg.io") => cnpg(object),
        ("ExternalSecret", _) => {
            let name = object.node.str("spec.target.name").unwrap_or(object.name());
            vec![one(name, Keys::Unknown)]
        }
        _ => Vec::new(),
    }
}

fn cnpg(cluster: &Object) -> Vec<Produced<'_>> {
    let name = cluster.name();
    let one = |suffix: &str, keys| Produced { name: format!("{name}-{suffix}"), keys, by: cluster };
    let mut all = vec![
        one("ca", Keys::Known(vec!["ca.crt", "ca.key"])),
        one("server", Keys::Known(vec!["tls.crt", "tls.key"])),
        one("replication", Keys::Known(vec!["tls.crt", "tls.key"])),
    ];
    // A Secret that the Cluster names takes the place of the one that the operator would make.
    if cluster.at("spec.bootstrap.initdb.secret.name").is_none() {
        all.push(one("app", Keys::Known(CNPG_USER.to_vec())));
    }
    if cluster.node.bool("spec.enableSuperuserAccess") == Some(true) {
        all.push(one("superuser", Keys::Known(CNPG_USER.to_vec())));
    }
    all
}
