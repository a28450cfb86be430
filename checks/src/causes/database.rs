//! Causes first seen by the `database` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "database-down",
        title: "the homeserver's database does not answer",
        explanation: "Synapse keeps running without its database: `/health` and `versions` are \
            answered, and everything that needs an account, a room or a key is an error. Either \
            PostgreSQL is down, or Synapse cannot reach it or log in to it.",
        remedy: "Look at the database first, `kubectl -n app-matrix get cluster matrix-db` and \
            its pods, then at Synapse's log for `OperationalError`, which says whether the \
            connection was refused, the name not found or the password wrong.",
    },
    Cause {
        id: "database-name-unknown",
        title: "the database's host name does not exist",
        explanation: "The name under which the homeserver looks for its database has no address. \
            CloudNativePG makes the Services of a Cluster, `-rw`, `-ro` and `-r`, in the Cluster's \
            own namespace.",
        remedy: "Use `matrix-db-rw.app-matrix.svc`, and see that it is there: \
            `kubectl -n app-matrix get svc matrix-db-rw`. In homeserver.yaml it is \
            `database.args.host`.",
    },
    Cause {
        id: "database-unreachable",
        title: "connections to the database are not answered",
        explanation: "Packets to the database's address get no answer, not even a refusal: a \
            NetworkPolicy drops them, the Service has no endpoint, or its node is gone.",
        remedy: "Look at `kubectl -n app-matrix get endpoints matrix-db-rw` and at the \
            NetworkPolicies of the namespace: port 5432 must be open from where this runs and \
            from Synapse's pod.",
    },
    Cause {
        id: "database-not-postgres",
        title: "what answers at the database's address is not PostgreSQL",
        explanation: "Host or port lead to another program.",
        remedy: "Correct `host` and `port`: Service `matrix-db-rw.app-matrix.svc`, port 5432.",
    },
    Cause {
        id: "database-refuses",
        title: "PostgreSQL opens no session, for a reason of its own",
        explanation: "The server runs and ends each session at once with an error that is neither \
            of the credentials nor of a limit, such as a damaged catalogue, a locale that its \
            machine does not have, or no space. The evidence has its words.",
        remedy: "Read the log of the primary: `kubectl -n app-matrix logs -l \
            cnpg.io/cluster=matrix-db,cnpg.io/instanceRole=primary`.",
    },
    Cause {
        id: "database-auth-failed",
        title: "the database does not accept the homeserver's credentials",
        explanation: "Role or password are not those that PostgreSQL knows, or `pg_hba.conf` does \
            not let the role in from there. Synapse then neither starts nor opens new connections.",
        remedy: "Compare the password of homeserver.yaml with key `password` of the Secret \
            `matrix-db-app`, which CloudNativePG keeps equal to the role's, and restart Synapse. \
            If the role was changed by hand, set it back with `ALTER ROLE synapse PASSWORD`.",
    },
    Cause {
        id: "database-missing",
        title: "the homeserver's database does not exist on its server",
        explanation: "The server answers and knows no database of that name: it was never \
            created, another Cluster answers, or one was bootstrapped anew and is empty.",
        remedy: "Look at `bootstrap.initdb.database` in `apps/base/matrix/data/cnpg-cluster.yaml` \
            and at `database.args.dbname` in homeserver.yaml. If the Cluster is a new one, restore \
            the backup before Synapse starts.",
    },
    Cause {
        id: "database-collation-wrong",
        title: "the database has another encoding or collation than Synapse demands",
        explanation: "Synapse demands UTF8 and the collation and character type `C`, and does not \
            start otherwise (`IncorrectDatabaseSetup`). Other collations change with the C \
            library, and indexes then no longer find their rows.",
        remedy: "Dump the database and restore it into one made with `bootstrap.initdb: \
            {encoding: UTF8, localeCollate: C, localeCType: C}` in \
            `apps/base/matrix/data/cnpg-cluster.yaml`; by hand, `CREATE DATABASE … TEMPLATE \
            template0 LC_COLLATE 'C' LC_CTYPE 'C'`.",
    },
    Cause {
        id: "database-version-unsupported",
        title: "the homeserver does not work with this PostgreSQL",
        explanation: "Synapse supports PostgreSQL as long as PostgreSQL's own makers do, and does \
            not start with an older one: 1.147 needs 14 or newer.",
        remedy: "Take a backup, then set a newer major release as `imageName` in \
            `apps/base/matrix/data/cnpg-cluster.yaml`.",
    },
    Cause {
        id: "database-version-ended",
        title: "this PostgreSQL gets no corrections any more",
        explanation: "A major release of PostgreSQL is corrected for five years. One of the next \
            releases of Synapse will not start with it.",
        remedy: "Plan the upgrade: a backup, a window for maintenance, then a newer major release \
            as `imageName` in `apps/base/matrix/data/cnpg-cluster.yaml`.",
    },
    Cause {
        id: "database-tls-off",
        title: "the database does not encrypt, and must",
        explanation: "`sslmode` demands TLS, and the server has none.",
        remedy: "Switch on `ssl` in PostgreSQL, which CloudNativePG does by itself: is it another \
            server that answers, or a pooler? Or set `sslmode` to what is meant.",
    },
    Cause {
        id: "database-tls-required",
        title: "the database lets nobody in without encryption",
        explanation: "The same role and password are let in with TLS and refused without: \
            `pg_hba.conf` has `hostssl` lines only.",
        remedy: "Set `sslmode` to `require` or `verify-full`, here and in `database.args` of \
            homeserver.yaml.",
    },
    Cause {
        id: "database-tls-broken",
        title: "no TLS session with the database comes about",
        explanation: "The server says that it encrypts, and the handshake fails.",
        remedy: "Look at the server's log, at its `ssl_min_protocol_version` and at the Secret \
            `matrix-db-server`: certificate and key must belong together.",
    },
    Cause {
        id: "database-certificate-wrong",
        title: "the database's certificate is not acceptable",
        explanation: "`sslmode` demands that the certificate is verified, and its authority is not \
            trusted here, it is for another name, or out of its dates.",
        remedy: "Put `ca.crt` of the Secret `matrix-db-ca` among `ca_files`, and name the host as \
            the certificate does: `matrix-db-rw.app-matrix.svc`.",
    },
    Cause {
        id: "database-connections-exhausted",
        title: "the database has no connection left",
        explanation: "PostgreSQL gives as many connections as `max_connections` says, and all are \
            in use. Whoever connects next, Synapse included, is refused.",
        remedy: "See who holds them: `SELECT usename, application_name, state, count(*) FROM \
            pg_stat_activity GROUP BY 1, 2, 3`. End what is idle, then raise `max_connections` \
            in `apps/base/matrix/data/cnpg-cluster.yaml` or lower `cp_max` in homeserver.yaml.",
    },
    Cause {
        id: "database-connections-few",
        title: "the database has too few connections for the homeserver's pool",
        explanation: "All is well until Synapse needs its whole pool: then there are not enough \
            connections left by others and by the limits of role and database.",
        remedy: "Raise `spec.postgresql.parameters.max_connections` in \
            `apps/base/matrix/data/cnpg-cluster.yaml`, or lower `cp_max` in homeserver.yaml.",
    },
];
