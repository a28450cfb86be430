//! File, environment and flags, put together and held to sense.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use mxdoctor_checks::{Cidr, Database, Expect, REGISTRY, Target};
use mxdoctor_model::Vantage;
use mxdoctor_probes::NetConfig;
use mxdoctor_probes::net::Overrides;

use super::error::{ConfigError, nearest};
use super::file::{DatabaseKeys, File, VantageKeys};
use super::options::{FailOn, Options};
use super::{canary, federation, jitsi, kubernetes, parse, secret};

/// The check that waits for a minute.
const LONG_WAIT: &str = "ingress.long_poll";

/// What one vantage looks at, and with what.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where it looks from.
    pub vantage: Vantage,
    /// What it looks at.
    pub target: Target,
    /// What it looks with.
    pub net: NetConfig,
}

/// Everything that a run needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server name.
    pub server_name: String,
    /// One entry a vantage.
    pub setups: Vec<Setup>,
    /// Ids to run; empty: all.
    pub only: GlobSet,
    /// Whether any `--only` was given.
    pub selected: bool,
    /// Ids to leave out.
    pub skip: GlobSet,
    /// Reports, `FORMAT[=PATH]`.
    pub reports: Vec<String>,
    /// Which outcome makes the exit code 1.
    pub fail_on: FailOn,
    /// Repeat what is not good for that long.
    pub wait: Option<Duration>,
    /// Deadline of one pass.
    pub timeout: Duration,
    /// Checks at a time.
    pub jobs: usize,
    /// Never to be printed.
    pub secrets: Vec<String>,
}

impl Settings {
    /// Reads the file, if any, and lays the flags over it.
    ///
    /// # Errors
    /// [`ConfigError`], which says what is wrong, where, and what was probably meant.
    pub fn load(
        server_name: Option<&str>,
        config: Option<&Path>,
        options: &Options,
    ) -> Result<Self, ConfigError> {
        let file = config.map(read).transpose()?.unwrap_or_default();
        let folder = config.and_then(Path::parent).unwrap_or(Path::new(""));
        let server_name =
            server_name.or(file.server_name.as_deref()).ok_or_else(|| ConfigError::Value {
                name: "SERVER_NAME".into(),
                message: "no server name: expected an argument or `server_name` in stack.toml"
                    .into(),
                help: Some("for instance `mxdoctor check example.org`".into()),
            })?;
        let server_name = check_server_name(server_name)?;
        let database = file.database.as_ref().map(|keys| database(keys, folder)).transpose()?;
        let mut base = base_target(&server_name, &file, options, database)?;
        jitsi::apply(&mut base, &file, options, folder)?;
        federation::apply(&mut base, &file, options, folder)?;
        canary::apply(&mut base, &file, options, folder)?;
        kubernetes::apply(&mut base, &file, options, folder)?;
        let only = if options.only.is_empty() { &file.run.only } else { &options.only };
        // Who names a check wants it whole.
        base.slow = options.slow || file.run.slow || only.iter().any(|id| id == LONG_WAIT);
        let setups = vantages(&file, options)?
            .into_iter()
            .map(|vantage| setup(vantage, &base, &file, options, folder))
            .collect::<Result<_, _>>()?;
        let skip = if options.skip.is_empty() { &file.run.skip } else { &options.skip };
        let timeout = time(options.timeout, file.run.timeout.as_deref(), "run.timeout")?;
        Ok(Self {
            setups,
            selected: !only.is_empty(),
            only: patterns("--only", only)?,
            skip: patterns("--skip", skip)?,
            reports: if options.report.is_empty() {
                file.run.report
            } else {
                options.report.clone()
            },
            fail_on: fail_on(options.fail_on, file.run.fail_on.as_deref())?,
            wait: time(options.wait, file.run.wait.as_deref(), "run.wait")?,
            timeout: timeout.unwrap_or(Duration::from_secs(if base.slow { 150 } else { 60 })),
            jobs: jobs(options.jobs.or(file.run.jobs))?,
            secrets: base.secrets().map(str::to_owned).collect(),
            server_name,
        })
    }
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: name.clone(), source })?;
    toml::from_str(&text).map_err(|error| ConfigError::toml(&name, &text, &error))
}

/// Refuses what cannot be a server name, with a hint where a URL or a user id was typed.
fn check_server_name(text: &str) -> Result<String, ConfigError> {
    let wrong = |message: String, help: Option<String>| ConfigError::Value {
        name: "SERVER_NAME".into(),
        message,
        help,
    };
    let bare = text.trim_start_matches("https://").trim_start_matches("http://");
    let bare = bare.trim_end_matches('/');
    if bare != text && !bare.contains('/') {
        return Err(wrong(
            format!("`{text}` is a URL, not a server name"),
            Some(format!("did you mean `{bare}`? it is what stands after the colon in user ids")),
        ));
    }
    if let Some((_, domain)) = text.strip_prefix('@').and_then(|id| id.split_once(':')) {
        return Err(wrong(
            format!("`{text}` is a user id, not a server name"),
            Some(format!("did you mean `{domain}`?")),
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    if text.is_empty() || text.len() > 255 || !text.chars().all(allowed) {
        return Err(wrong(
            format!("`{text}` is not a server name: expected letters, digits, `-`, `.` and a port"),
            None,
        ));
    }
    Ok(text.to_owned())
}

fn base_target(
    server_name: &str,
    file: &File,
    options: &Options,
    database: Option<Database>,
) -> Result<Target, ConfigError> {
    let routable =
        if options.routable.is_empty() { &file.network.routable } else { &options.routable };
    let second = file.network.second_resolver.as_deref();
    Ok(Target {
        server_name: server_name.to_owned(),
        homeserver: file.homeserver.base_url.clone(),
        element: file.element.base_url.clone(),
        jitsi: file.jitsi.base_url.clone(),
        database,
        internal_names: file.network.internal_names.clone(),
        second_resolver: second
            .map(|text| name_server("network.second_resolver", text))
            .transpose()?,
        expect: Expect {
            synapse_version: file.expect.synapse_version.clone(),
            element_version: file.expect.element_version.clone(),
            postgres_version: file.expect.postgres_version.clone(),
            database_pool: file.expect.database_pool,
            signing_keys: federation::signing_keys(file)?,
            upload_limit: file
                .expect
                .upload_limit
                .as_deref()
                .map(|text| parse::size("expect.upload_limit", text))
                .transpose()?,
        },
        routable: routable
            .iter()
            .map(|text| text.parse::<Cidr>().map_err(|e| ConfigError::value("routable", e)))
            .collect::<Result<_, _>>()?,
        ..Target::default()
    })
}

fn vantages(file: &File, options: &Options) -> Result<Vec<Vantage>, ConfigError> {
    let mut chosen = if !options.vantage.is_empty() {
        options.vantage.clone()
    } else if let Some(names) = &file.vantages {
        names
            .iter()
            .map(|name| name.parse().map_err(|e: String| ConfigError::value("vantages", e)))
            .collect::<Result<_, _>>()?
    } else {
        let cluster =
            file.cluster.is_some() || file.database.is_some() || file.kubernetes.is_some();
        let mut default = vec![Vantage::Public];
        default.extend(file.internal.is_some().then_some(Vantage::Internal));
        default.extend(cluster.then_some(Vantage::Cluster));
        default
    };
    chosen.sort();
    chosen.dedup();
    Ok(chosen)
}

/// The target and the instruments of one vantage: away from the public one only its own addresses
/// count, since the public names need not lead anywhere from there.
fn setup(
    vantage: Vantage,
    base: &Target,
    file: &File,
    options: &Options,
    folder: &Path,
) -> Result<Setup, ConfigError> {
    let none = VantageKeys::default();
    let own = match vantage {
        Vantage::Public => None,
        Vantage::Internal => Some(file.internal.as_ref().unwrap_or(&none)),
        Vantage::Cluster => Some(file.cluster.as_ref().unwrap_or(&none)),
        Vantage::Files => None,
    };
    let mut target = base.clone();
    if let Some(own) = own {
        target.homeserver.clone_from(&own.homeserver);
        target.element.clone_from(&own.element);
        target.jitsi.clone_from(&own.jitsi);
        jitsi::apply_vantage(&mut target, own);
    }
    let own = own.unwrap_or(&none);
    let pick = |flag: &[String], own: &[String], file: &[String]| -> Vec<String> {
        [flag, own, file].into_iter().find(|list| !list.is_empty()).unwrap_or(&[]).to_vec()
    };
    let dns = pick(&options.dns_server, &own.dns_servers, &file.network.dns_servers);
    let mut overrides = Overrides::default();
    for text in options.resolve.iter().chain(&own.resolve).chain(&file.network.resolve) {
        parse::add_override(&mut overrides, text)
            .map_err(|message| ConfigError::value("resolve", message))?;
    }
    let from_file = own.ca_files.iter().chain(&file.network.ca_files).map(|path| folder.join(path));
    let mut extra_roots = Vec::new();
    for path in options.ca_file.iter().cloned().chain(from_file) {
        extra_roots.extend(certificates(&path)?);
    }
    let net = NetConfig {
        dns_servers: dns
            .iter()
            .map(|text| name_server("dns-server", text))
            .collect::<Result<_, _>>()?,
        overrides,
        extra_roots,
        system_roots: own.system_roots.or(file.network.system_roots).unwrap_or(true),
        ..NetConfig::default()
    };
    Ok(Setup { vantage, target, net })
}

fn name_server(name: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    parse::name_server(text).map_err(|message| ConfigError::value(name, message))
}

fn certificates(
    path: &PathBuf,
) -> Result<Vec<rustls_pki_types::CertificateDer<'static>>, ConfigError> {
    use rustls_pki_types::pem::PemObject as _;
    let name = path.display().to_string();
    let pem = std::fs::read(path)
        .map_err(|source| ConfigError::Unreadable { path: name.clone(), source })?;
    let found = rustls_pki_types::CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| ConfigError::value("ca-file", format!("{name}: {error:?}")))?;
    if found.is_empty() {
        let message = format!("{name} holds no certificate: expected PEM");
        return Err(ConfigError::value("ca-file", message));
    }
    Ok(found)
}

fn database(keys: &DatabaseKeys, folder: &Path) -> Result<Database, ConfigError> {
    let given = keys.password.as_deref();
    let path = keys.password_file.as_ref().map(|path| folder.join(path));
    let variable = "MXDOCTOR_DATABASE_PASSWORD";
    let password = secret::read("database", given, path.as_deref(), variable)?.unwrap_or_default();
    let modes = ["disable", "prefer", "require", "verify-full"];
    if !modes.contains(&keys.sslmode.as_str()) {
        return Err(ConfigError::Value {
            name: "database.sslmode".into(),
            message: format!("`{}` is unknown: expected {}", keys.sslmode, modes.join(", ")),
            help: nearest(&keys.sslmode, modes).map(|mode| format!("did you mean `{mode}`?")),
        });
    }
    Ok(Database {
        host: keys.host.clone(),
        port: keys.port,
        user: keys.user.clone(),
        password,
        name: keys.name.clone(),
        sslmode: keys.sslmode.clone(),
    })
}

/// Patterns of ids; one that fits no check is a mistake worth an error.
fn patterns(name: &str, texts: &[String]) -> Result<GlobSet, ConfigError> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        let glob = Glob::new(text).map_err(|e| ConfigError::value(name, e.to_string()))?;
        let matcher = glob.compile_matcher();
        if !REGISTRY.iter().any(|check| matcher.is_match(check.id)) {
            let ids = REGISTRY.iter().map(|check| check.id);
            let help = match nearest(text, ids) {
                Some(id) => format!("did you mean `{id}`? `mxdoctor list` shows them all"),
                None => "`mxdoctor list` shows them all".into(),
            };
            return Err(ConfigError::FitsNothing { name: name.into(), text: text.clone(), help });
        }
        set.add(glob);
    }
    set.build().map_err(|e| ConfigError::value(name, e.to_string()))
}

fn time(
    flag: Option<Duration>,
    file: Option<&str>,
    name: &str,
) -> Result<Option<Duration>, ConfigError> {
    let given = match (flag, file) {
        (Some(duration), _) => Some(duration),
        (None, Some(text)) => Some(parse::duration(text).map_err(|e| ConfigError::value(name, e))?),
        (None, None) => None,
    };
    if given.is_some_and(|duration| duration.is_zero()) {
        return Err(ConfigError::value(name, "0 leaves no time: expected for instance 60s"));
    }
    Ok(given)
}

fn fail_on(flag: Option<FailOn>, file: Option<&str>) -> Result<FailOn, ConfigError> {
    match (flag, file) {
        (Some(outcome), _) => Ok(outcome),
        (None, None | Some("fail")) => Ok(FailOn::Fail),
        (None, Some("warn")) => Ok(FailOn::Warn),
        (None, Some(text)) => {
            let message = format!("`{text}` is unknown: expected warn or fail");
            Err(ConfigError::value("run.fail_on", message))
        }
    }
}

fn jobs(given: Option<usize>) -> Result<usize, ConfigError> {
    match given {
        Some(0) => Err(ConfigError::value("jobs", "0 runs nothing: expected 1 or more")),
        Some(jobs) => Ok(jobs.min(1024)),
        None => Ok(1024),
    }
}
