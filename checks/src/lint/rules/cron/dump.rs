//! Dumps of the database.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::view::{Container, EnvValue, Image, VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// `pg_dump` refuses a server of a newer major version than its own.
    ///
    /// Source: PostgreSQL, `pg_dump`, "server version mismatch".
    OLDER = "CRON-02" Error: "pg_dump is of the database's major version"
    breaks "each run ends with \"server version mismatch\": there is no dump"
    remedy "use an image of the database's major version for the dump"
    cause "backup-job-unfit"
    check "kubernetes.cronjob"
    look older
}

rule! {
    /// A dump that is written into the container, or into a volume that lives and dies with the
    /// pod, is gone when the job ends.
    ///
    /// Silent where another container of the pod has the volume too, and where the script runs
    /// anything that may hand the dump on: a program that is not known to stay where it is.
    ///
    /// Source: Kubernetes, "Volumes", emptyDir.
    NOWHERE = "CRON-04" Critical: "a dump outlives its job"
    breaks "every dump is deleted with its pod: there is no backup at all"
    remedy "write it onto a claim that is copied out of the cluster, or upload it"
    cause "backup-in-the-same-place"
    check "kubernetes.cronjob"
    look nowhere
}

/// Programs that dump, pack and clear up, and take nothing elsewhere.
const STAYING: &[&str] = &[
    "bash",
    "bzip2",
    "cat",
    "cd",
    "chmod",
    "chown",
    "cp",
    "createdb",
    "date",
    "do",
    "done",
    "echo",
    "else",
    "exit",
    "export",
    "fi",
    "find",
    "for",
    "gzip",
    "head",
    "if",
    "ls",
    "lz4",
    "mkdir",
    "mv",
    "pg_basebackup",
    "pg_dump",
    "pg_dumpall",
    "pg_isready",
    "pg_restore",
    "pigz",
    "printf",
    "psql",
    "rm",
    "sed",
    "set",
    "sh",
    "sleep",
    "sort",
    "stat",
    "sync",
    "tail",
    "tee",
    "test",
    "then",
    "time",
    "touch",
    "trap",
    "true",
    "umask",
    "until",
    "wait",
    "while",
    "xz",
    "zstd",
    "[",
    "[[",
];

/// Whether a script runs nothing but programs that take nothing elsewhere. Of a command without a
/// script the first word is the program.
fn stays(words: &[&str]) -> bool {
    let script = words.iter().find(|word| word.contains(char::is_whitespace));
    let Some(script) = script else { return words.first().is_some_and(|word| is_staying(word)) };
    let script = script.replace("\\\n", " ");
    let lines = script.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let commands = lines.flat_map(|line| line.split([';', '|', '&', '(']));
    let mut programs = commands.filter_map(|command| {
        let assigned = |word: &&str| word.split_once('=').is_some_and(|(name, _)| is_name(name));
        let mut words = command.split_whitespace().filter(|word| *word != "exec" && *word != "!");
        words.find(|word| !assigned(word))
    });
    programs.all(is_staying)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_staying(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'', ')', '{', '}', '`']);
    word.is_empty()
        || word.starts_with(['-', '+', '%', '>', '<', '$'])
        || STAYING.contains(&word.rsplit('/').next().unwrap_or(word))
}

/// The jobs that dump, each with its container and what it runs.
fn dumps<'a>(stack: &Stack<'a>) -> Vec<(Workload<'a>, Container<'a>, Vec<&'a str>)> {
    let mut all = Vec::new();
    for workload in stack.workloads.iter().filter(|workload| workload.runs_once()) {
        for container in workload.main() {
            let parts = ["command", "args"].iter().flat_map(|part| container.node.list(part));
            let words: Vec<&str> = parts.filter_map(Node::as_str).collect();
            let dumping = |word: &&str| word.contains("pg_dump") || word.contains("pg_basebackup");
            if words.iter().any(dumping) {
                all.push((*workload, container, words));
            }
        }
    }
    all
}

/// Images whose tag begins with the version of PostgreSQL.
const CLIENTS: &[&str] =
    &["postgres", "postgresql", "postgres-backup-s3", "postgres-backup-local", "postgis"];

/// The major version of an image of PostgreSQL, where its tag says one.
fn major(image: &str) -> Option<u32> {
    let image = Image::new(image);
    // Others may count their own releases.
    let of_postgres = CLIENTS.contains(&image.base());
    let tag = image.tag.filter(|_| of_postgres)?;
    tag.split(['.', '-', '_']).next()?.parse().ok().filter(|major| (9..100).contains(major))
}

fn older(stack: &Stack<'_>, found: &mut Found) {
    for (job, container, _) in dumps(stack) {
        let Some(image) = container.node.get("image") else { continue };
        let Some(client) = image.as_str().and_then(major) else { continue };
        let host = container.env(stack, &job).into_iter().find_map(|env| match env.value {
            EnvValue::Known(node) if env.name == "PGHOST" => node.as_str(),
            _ => None,
        });
        let Some(cluster) = host.and_then(|host| cluster(stack, &job, host)) else { continue };
        let Some(server) = cluster.at("spec.imageName") else { continue };
        let Some(major) = server.as_str().and_then(major) else { continue };
        if client < major {
            let message = format!("pg_dump of {client} refuses a server of {major}");
            found.at(job.object, image, message).also(server, "the database's image");
        }
    }
}

/// The database that a host name leads to.
fn cluster<'a>(stack: &Stack<'a>, job: &Workload<'a>, host: &str) -> Option<&'a Object> {
    let service = host.split('.').next()?;
    let name = service.rsplit_once('-')?.0;
    stack.inventory.beside(job.object, "Cluster", name)
}

fn nowhere(stack: &Stack<'_>, found: &mut Found) {
    for (job, container, words) in dumps(stack) {
        let script = words.join("\n");
        if !stays(&words) {
            continue;
        }
        let Some(path) = target(&script) else { continue };
        let mounts = job.mounts(&container);
        let below = mounts.iter().filter(|mount| mount.rest(path).is_some());
        let mount = below.max_by_key(|mount| mount.path().len());
        let why = match mount.map(|mount| mount.volume.map(|volume| volume.kind)) {
            None => "is not on a volume",
            Some(Some(VolumeKind::Empty)) => "is on a volume that ends with the pod",
            Some(_) => continue,
        };
        let others = job.containers().into_iter().filter(|it| it.name() != container.name());
        let name = mount.and_then(|mount| mount.volume).map(|volume| volume.name());
        let shared = others.into_iter().any(|other| {
            let mounts = job.mounts(&other);
            name.is_some() && mounts.iter().any(|it| it.volume.map(|it| it.name()) == name)
        });
        if shared {
            continue;
        }
        let node = mount.map_or(container.node, |mount| mount.node);
        found.at(job.object, node, format!("{path}, where the dump goes, {why}"));
    }
}

/// The absolute path that a dump is written to; none where it cannot be seen in the script.
fn target(script: &str) -> Option<&str> {
    let after = |mark: &str| {
        let rest = script.split_once(mark)?.1.trim_start().trim_start_matches(['"', '\'']);
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '|' | '&' | '$'))
            .unwrap_or(rest.len());
        rest[..end].starts_with('/').then_some(&rest[..end])
    };
    ["--file=", "--file ", "--file\n", " -f ", "\n-f\n", "--pgdata=", "> "]
        .iter()
        .find_map(|mark| after(mark))
}

#[cfg(test)]
mod tests {
    use super::{major, target};
    use crate::lint::testing::found;

    fn job(image: &str, script: &str, volume: &str) -> String {
        format!(
            "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: db}}\nspec: \
             {{imageName: 'ghcr.io/cloudnative-pg/postgresql:16.10'}}\n---\napiVersion: batch/v1\n\
             kind: CronJob\nmetadata: {{name: dump}}\nspec:\n  schedule: '0 3 * * *'\n  \
             jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: \
             Never\n          containers:\n          - name: d\n            image: {image}\n            \
             command: [sh, -c, '{script}']\n            env: [{{name: PGHOST, value: \
             db-rw.m.svc}}]\n            volumeMounts: [{{name: v, mountPath: /dump}}]\n          \
             volumes: [{{name: v, {volume}}}]\n"
        )
    }

    const CLAIM: &str = "persistentVolumeClaim: {claimName: c}";

    #[test]
    fn a_client_is_not_older_than_its_server() {
        let script = "pg_dump --file=/dump/a";
        assert_eq!(found("CRON-02", &job("postgres:16-alpine", script, CLAIM)), [""; 0]);
        let bad = found("CRON-02", &job("postgres:15.4", script, CLAIM));
        assert_eq!(bad, ["18:20 pg_dump of 15 refuses a server of 16"]);
        assert_eq!(
            (major("a/postgres:17"), major("busybox:1"), major("postgres")),
            (Some(17), None, None)
        );
    }

    #[test]
    fn a_dump_stays() {
        let of = |script: &str, volume: &str| found("CRON-04", &job("postgres:16", script, volume));
        assert_eq!(of("pg_dump > /dump/a", CLAIM), [""; 0]);
        let expected = "/dump/a, where the dump goes, is on a volume that ends with the pod";
        assert!(of("pg_dump > /dump/a", "emptyDir: {}")[0].ends_with(expected));
        let expected = "/tmp/a, where the dump goes, is not on a volume";
        assert!(of("pg_dump -f /tmp/a", CLAIM)[0].ends_with(expected));
        assert_eq!(of("pg_dump > /tmp/a && aws s3 cp /tmp/a s3://b", CLAIM), [""; 0]);
        let own = "pg_dump > /tmp/a && /scripts/offsite /tmp/a";
        assert_eq!(of(own, CLAIM), [""; 0], "what it does is not known");
        let packs = "set -e; pg_dump | gzip -9 > /tmp/a; find /tmp -mtime +7";
        assert_eq!(of(packs, CLAIM).len(), 1);
        let two = job("postgres:16", "pg_dump > /dump/a", "emptyDir: {}").replace(
            "          volumes: ",
            "          - {name: up, image: a/b:1, volumeMounts: [{name: v, mountPath: /x}]}\n          \
             volumes: ",
        );
        assert_eq!(found("CRON-04", &two), [""; 0]);
        assert_eq!(of("pg_dump | gzip", CLAIM), [""; 0]);
        assert_eq!(target("pg_dump --file=\"/x/$(date)\""), Some("/x/"));
    }
}
