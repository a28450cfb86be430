//! What the last lines of a container that fails tell: those that the real Synapse writes.

use libtest_mimic::Failed;
use mxdoctor_fixtures::cluster::synapse_fails;
use mxdoctor_fixtures::postgres::Postgres;

use super::bench::{Bench, ensure, string};
use super::faults::SYNAPSE_CRASHES;
use super::inject::Broken;

/// Settings with which Synapse does not start, and the cause that its last words name.
const SETTINGS: &[(&str, &str)] = &[
    ("signing_key_path: FOLDER/gone/signing.key", "signing-key-unreadable"),
    ("signing_key_path: FOLDER/empty", "signing-key-unreadable"),
    (
        "database: {name: psycopg2, args: {host: 127.0.0.1, port: 1, user: synapse, dbname: s}}",
        "database-down",
    ),
    (
        "database: {name: psycopg2, args: {host: db.invalid, user: synapse, dbname: s}}",
        "database-name-unknown",
    ),
    ("modules: [", "homeserver-configuration-broken"),
];

/// The same with a real PostgreSQL, `PORT` its port.
const AT_DATABASE: &[(&str, &str)] = &[
    ("user: synapse, password: wrong, dbname: synapse", "database-auth-failed"),
    ("user: synapse, password: right, dbname: gone", "database-missing"),
    ("user: synapse, password: right, dbname: english", "database-collation-wrong"),
];

/// Each is named for what it is, with the line that says so, and is the one cause.
pub(super) fn synapse(bench: &Bench) -> Result<(), Failed> {
    for (settings, cause) in SETTINGS {
        named(bench, settings, cause)?;
    }
    let database = Postgres::start("", "host all all 127.0.0.1/32 scram-sha-256", &[])?;
    database.sql(&[
        "CREATE ROLE synapse LOGIN PASSWORD 'right'",
        "CREATE DATABASE synapse OWNER synapse",
        "CREATE DATABASE english OWNER synapse TEMPLATE template0 LOCALE 'C.UTF-8'",
    ])?;
    for (arguments, cause) in AT_DATABASE {
        let port = database.port;
        let settings = format!(
            "database: {{name: psycopg2, args: {{host: 127.0.0.1, port: {port}, {arguments}}}}}"
        );
        named(bench, &settings, cause)?;
    }
    Ok(())
}

fn named(bench: &Bench, settings: &str, wanted: &str) -> Result<(), Failed> {
    let said = synapse_fails(settings)?;
    let stack = bench.aged()?;
    let _kubelet = stack.cluster.with_kubelet(said.clone())?;
    let broken = Broken::by(&stack.cluster, SYNAPSE_CRASHES)?;
    let report = stack.report();
    broken.heal()?;
    let report = report?;
    let told = || format!("{settings}\n{said}\n{}", report.bad());
    let [cause] = report.causes() else { return Err(told().into()) };
    ensure(cause["cause"] == wanted, told)?;
    let evidence = cause["evidence"].as_array().into_iter().flatten();
    let mut lines = evidence.map(|one| string(&one["text"]));
    ensure(lines.any(|line| line.starts_with("log: ")), || format!("{cause:#}"))
}
