//! Causes first seen by the `database` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "database-down",
        title: "the homeserver's database does not answer",
        explanation: "PostgreSQL is stopped, starting up, or its Service selects no pod that is \
                      ready; or Synapse cannot reach it or log in to it. A Synapse that runs \
                      keeps running: `/health` and `versions` are answered, and everything that \
                      needs an account, a room or a key is an error. One that starts does not.",
        remedy: "look at `kubectl -n app-matrix get cluster matrix-db` and its pods, then at \
                 Synapse's log for `OperationalError`, which says whether the connection was \
                 refused, the name not found or the password wrong",
    },
    Cause {
        id: "database-unreachable",
        title: "nothing answers at the database's address",
        explanation: "Packets to the database get no answer: a network policy, a wrong address, or \
                      a node that is gone.",
        remedy: "permit TCP 5432 to the pods of `matrix-db` in the NetworkPolicies of `app-matrix`, \
                 and compare host and port with the Service `matrix-db-rw`",
    },
    Cause {
        id: "database-name-unknown",
        title: "the database's host name does not exist",
        explanation: "The name of the database's Service does not resolve here.",
        remedy: "use `matrix-db-rw.app-matrix.svc` (with the cluster's own domain behind it where \
                 the resolver has no search list), and see that the Service is there",
    },
    Cause {
        id: "database-not-postgresql",
        title: "something else than PostgreSQL answers",
        explanation: "The port is open, and what answers does not speak PostgreSQL's protocol.",
        remedy: "compare host and port in `[database]` with the Service `matrix-db-rw`, port 5432",
    },
    Cause {
        id: "database-auth-failed",
        title: "the database does not accept the credentials",
        explanation: "PostgreSQL answers and refuses the role or its password.",
        remedy: "use the keys `username` and `password` of the Secret `matrix-db-app`, and restart \
                 Synapse after the Secret was changed",
    },
    Cause {
        id: "database-missing",
        title: "the database does not exist",
        explanation: "PostgreSQL answers, and has no database of that name.",
        remedy: "write the name that `bootstrap.initdb.database` of the `Cluster` `matrix-db` has: \
                 `synapse`",
    },
    Cause {
        id: "database-collation-wrong",
        title: "the database has another locale than C",
        explanation: "Synapse refuses databases whose encoding is not UTF8 or whose collation or \
                      character types are not `C`, since their indexes break with upgrades of the \
                      C library.",
        remedy: "create the database anew with `encoding: UTF8`, `localeCollate: C` and \
                 `localeCType: C` in `bootstrap.initdb` of the `Cluster`, and restore a dump into it",
    },
    Cause {
        id: "database-too-old",
        title: "PostgreSQL is too old for Synapse",
        explanation: "Synapse 1.147 needs PostgreSQL 14 or newer and does not start on less.",
        remedy: "raise the major version in `imageName` of the `Cluster` `matrix-db`, with a backup \
                 at hand",
    },
    Cause {
        id: "database-tls-refused",
        title: "the database does not encrypt",
        explanation: "`sslmode` demands TLS, and the server does not offer it or fails at it.",
        remedy: "switch TLS on at the server (CloudNativePG does by itself), or set `sslmode` as in \
                 Synapse's `database.args`",
    },
    Cause {
        id: "database-tls-required",
        title: "the database demands encryption",
        explanation: "The server's `pg_hba.conf` lets nobody in without TLS.",
        remedy: "set `sslmode: require` in Synapse's `database.args` and in `[database]`",
    },
    Cause {
        id: "database-certificate-refused",
        title: "the database's certificate is not accepted",
        explanation: "`sslmode` verifies, and the certificate is of an authority that is not \
                      trusted, for another name, or out of its dates.",
        remedy: "give `ca.crt` of the Secret `matrix-db-ca` as a CA file (`sslrootcert` for \
                 Synapse), and use the host name that the certificate bears",
    },
    Cause {
        id: "database-connections-exhausted",
        title: "the database has no connection left",
        explanation: "All connections that PostgreSQL permits are in use. Synapse's next one is \
                      refused.",
        remedy: "find who holds them in `pg_stat_activity`, lower `cp_max`, or raise \
                 `postgresql.parameters.max_connections` of the `Cluster` `matrix-db`",
    },
    Cause {
        id: "database-connections-few",
        title: "the database has little room for the homeserver's pool",
        explanation: "There are fewer connections left than the pool may open. It shows under load \
                      only.",
        remedy: "lower `cp_max` in homeserver.yaml, or raise \
                 `postgresql.parameters.max_connections` of the `Cluster` `matrix-db`",
    },
];
