//! Which PostgreSQL a Cluster runs, and how its database is made.

use mxdoctor_probes::manifest::{Node, Object};

use super::cluster::{clusters, of_synapse};
use crate::lint::view::Image;
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// Synapse demands a database in UTF8 with the collation and the character type C: with any
    /// other an upgrade of the operating system can break its indexes. CloudNativePG makes it so
    /// unless told otherwise. It is read once, when the database is made.
    ///
    /// Source: Synapse, `synapse/storage/engines/postgres.py`; CloudNativePG, `bootstrap.initdb`.
    LOCALE = "DB-06" Error: "Synapse's database is made with UTF8 and the locale C"
    breaks "Synapse does not start: IncorrectDatabaseSetup"
    remedy "encoding: UTF8, localeCollate: C, localeCType: C; a database that is there is dumped \
            and restored"
    cause "database-collation-wrong"
    check "kubernetes.database"
    look locale
}

rule! {
    /// CloudNativePG reads the version from the image's tag and refuses `latest`; Synapse refuses
    /// a PostgreSQL older than 14.
    ///
    /// Source: CloudNativePG, "Container Image Requirements"; Synapse,
    /// `synapse/storage/engines/postgres.py`.
    UNFIT = "DB-07" Error: "the database's image has a version that Synapse works with"
    breaks "the operator refuses the Cluster, or Synapse does not start"
    remedy "name a version: `ghcr.io/cloudnative-pg/postgresql:16.10`"
    cause "database-version-unsupported"
    check "kubernetes.database"
    look unfit
}

rule! {
    /// Another major version is no update but a conversion of all data: newer operators do it in
    /// place, with the database stopped, older ones refuse. It is seen by holding the image that
    /// is asked for against the one that the data are of, which a live Cluster's status tells.
    ///
    /// Source: CloudNativePG, "PostgreSQL Upgrades"; `status.pgDataImageInfo`.
    MAJOR_CHANGE = "DB-08" Critical: "the database's major version is not changed in passing"
    breaks "the database is stopped and converted at once, without a way back but the backup"
    remedy "take a backup, then change the version in a planned window"
    cause "database-upgrade-unplanned"
    check "kubernetes.database"
    look major_change
}

/// The oldest that Synapse starts with.
const OLDEST: u64 = 14;

fn locale(stack: &Stack<'_>, found: &mut Found) {
    let Some(cluster) = of_synapse(stack) else { return };
    let allowed = stack.synapse.iter().filter_map(|it| it.option("database.allow_unsafe_locale"));
    if allowed.into_iter().any(|(_, node)| node.as_bool() == Some(true)) {
        return;
    }
    let Some(initdb) = cluster.at("spec.bootstrap.initdb") else { return };
    for (key, wanted) in
        [("encoding", "UTF8"), ("localeCollate", "C"), ("localeCType", "C"), ("locale", "C")]
    {
        let Some(node) = initdb.get(key) else { continue };
        let Some(text) = node.as_str().filter(|text| !text.contains("${")) else { continue };
        // `locale` is what the other two are taken from.
        let both = initdb.get("localeCollate").is_some() && initdb.get("localeCType").is_some();
        let same = text == wanted || (key == "encoding" && is_utf8(text));
        if same || (key == "locale" && both) {
            continue;
        }
        let message = format!("{key} is {text}, and Synapse demands {wanted}");
        let problem = found.at(cluster, node, message);
        if node.place.line > 0 {
            let change = Change::Replace { place: node.place.clone(), with: wanted.to_owned() };
            problem.fix(format!("set {key} to {wanted}"), vec![change]);
        }
    }
}

fn is_utf8(text: &str) -> bool {
    text.to_lowercase().replace('-', "") == "utf8"
}

/// The image of a Cluster, and where it is named.
fn image(cluster: &Object) -> Option<(&Node, Image<'_>)> {
    let node = cluster.at("spec.imageName")?;
    let text = node.as_str().filter(|text| !text.contains("${"))?;
    Some((node, Image::new(text)))
}

/// The major version that a Cluster asks for, and where.
fn major(cluster: &Object) -> Option<(&Node, u64)> {
    if let Some((node, image)) = image(cluster) {
        return Some((node, *image.version()?.first()?));
    }
    let node = cluster.at("spec.imageCatalogRef.major")?;
    Some((node, u64::try_from(node.as_i64()?).ok()?))
}

fn unfit(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack) {
        if let Some((node, image)) = image(cluster)
            && image.digest.is_none()
            && matches!(image.tag, None | Some("latest"))
        {
            let message = format!("{} names no version, and the operator wants one", image.text);
            found.at(cluster, node, message);
        }
    }
    let Some(cluster) = of_synapse(stack) else { return };
    if let Some((node, major)) = major(cluster).filter(|(_, major)| *major < OLDEST) {
        let message = format!("this is PostgreSQL {major}, and Synapse wants {OLDEST} at least");
        found.at(cluster, node, message);
    }
}

fn major_change(stack: &Stack<'_>, found: &mut Found) {
    for cluster in clusters(stack) {
        let Some((node, wanted)) = major(cluster) else { continue };
        let told = cluster.at("status.pgDataImageInfo.majorVersion").and_then(Node::as_i64);
        let told = told.and_then(|it| u64::try_from(it).ok());
        let of_image = || {
            let image = Image::new(cluster.node.str("status.image")?);
            image.version()?.first().copied()
        };
        if let Some(has) = told.or_else(of_image).filter(|has| *has != wanted) {
            let message = format!("{wanted} is asked for, and the data are of PostgreSQL {has}");
            found.at(cluster, node, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    fn with(spec: &str) -> String {
        synapse("database: {name: psycopg2, args: {host: db-rw}}")
            + "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata:\n  name: db\nspec:\n  instances: 1\n  "
            + spec
            + "\n"
    }

    #[test]
    fn a_database_as_synapse_wants_it_is_right() {
        let good = with(
            "imageName: ghcr.io/cloudnative-pg/postgresql:16.10\n  bootstrap: {initdb: {encoding: \
             UTF8, localeCollate: C, localeCType: C}}",
        );
        for rule in ["DB-06", "DB-07", "DB-08"] {
            assert_eq!(found(rule, &good), [""; 0], "{rule}");
        }
    }

    #[test]
    fn another_locale_is_found_for_synapse_alone() {
        let text = with("bootstrap: {initdb: {localeCollate: en_US.UTF-8, encoding: LATIN1}}");
        let expected = [
            "37:39 localeCollate is en_US.UTF-8, and Synapse demands C",
            "37:62 encoding is LATIN1, and Synapse demands UTF8",
        ];
        assert_eq!(found("DB-06", &text), expected);
        let others = text.replace("db-rw", "other.example.org");
        assert_eq!(found("DB-06", &others), [""; 0]);
        let allowed = text.replace("{name: psycopg2", "{allow_unsafe_locale: true");
        assert_eq!(found("DB-06", &allowed), [""; 0]);
    }

    #[test]
    fn an_image_without_a_version_and_one_too_old_are_found() {
        for (tag, expected) in [
            (":latest", "37:14 postgresql:latest names no version, and the operator wants one"),
            ("", "37:14 postgresql names no version, and the operator wants one"),
            (":13.4", "37:14 this is PostgreSQL 13, and Synapse wants 14 at least"),
        ] {
            assert_eq!(found("DB-07", &with(&format!("imageName: postgresql{tag}"))), [expected]);
        }
    }

    #[test]
    fn a_change_of_the_major_version_is_found_by_the_status() {
        let spec = "imageName: postgresql:17.2\nstatus: {image: 'postgresql:16.10'}";
        let expected = "37:14 17 is asked for, and the data are of PostgreSQL 16";
        assert_eq!(found("DB-08", &with(spec)), [expected]);
        assert_eq!(found("DB-08", &with(&spec.replace("16.10", "17.1"))), [""; 0]);
    }
}
