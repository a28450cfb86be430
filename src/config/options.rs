//! The options that `check` and `demo` share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use mxdoctor_model::Vantage;
use url::Url;

use super::parse;

/// Which outcome makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Warnings and failures.
    Warn,
    /// Failures only.
    Fail,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What stands behind `mxdoctor check` and `mxdoctor demo`.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Run only the checks whose id fits (globs: `jitsi.*`); repeatable
    #[arg(long, value_name = "PATTERN", value_delimiter = ',', help_heading = "What to check")]
    pub only: Vec<String>,

    /// Leave out the checks whose id fits (globs); repeatable
    #[arg(long, value_name = "PATTERN", value_delimiter = ',', help_heading = "What to check")]
    pub skip: Vec<String>,

    /// Where to look from: public, internal or cluster; repeatable
    #[arg(
        long,
        value_name = "VANTAGE",
        value_delimiter = ',',
        env = "MXDOCTOR_VANTAGE",
        help_heading = "What to check"
    )]
    pub vantage: Vec<Vantage>,

    /// Private REST address of the Jitsi video bridge, for the UDP test
    #[arg(long, value_name = "URL", env = "MXDOCTOR_JVB_REST", help_heading = "What to check")]
    pub jvb_rest: Option<Url>,

    /// Public name or address of the node that runs the bridge
    #[arg(long, value_name = "HOST", env = "MXDOCTOR_JITSI_NODE", help_heading = "What to check")]
    pub jitsi_node: Option<String>,

    /// Also wait a minute to see that long waits are not cut (`ingress.long_poll`), and send a
    /// whole body as large as the upload limit (`ingress.upload_limit`)
    #[arg(long, help_heading = "What to check")]
    pub slow: bool,

    /// Permit checks that create and remove things on the target (`canary`)
    #[arg(long, value_name = "WHAT", help_heading = "What to check")]
    pub allow: Vec<Allow>,

    /// Serve a signing identity of the tool's own there, for the homeserver to ask for its key
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "MXDOCTOR_FEDERATION_LISTEN",
        help_heading = "What to check"
    )]
    pub federation_listen: Option<String>,

    /// Folder for what is kept from run to run (default: mxdoctor in $XDG_STATE_HOME)
    #[arg(long, value_name = "DIR", env = "MXDOCTOR_STATE", help_heading = "How to run")]
    pub state: Option<PathBuf>,

    /// Write a report: terminal, short, junit, junit-strict, json, ndjson, sarif,
    /// github; to a file after `=`;
    /// repeatable
    #[arg(long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    pub report: Vec<String>,

    /// Which outcome makes the exit code 1 (default: fail)
    #[arg(long, value_name = "OUTCOME", env = "MXDOCTOR_FAIL_ON", help_heading = "Output")]
    pub fail_on: Option<FailOn>,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: Color,

    /// Repeat what is not good until it is, or until the time is over (`5m`)
    #[arg(long, value_name = "DURATION", value_parser = parse::duration, env = "MXDOCTOR_WAIT",
          help_heading = "How to run")]
    pub wait: Option<Duration>,

    /// Deadline of one pass over all checks (default: 60s)
    #[arg(long, value_name = "DURATION", value_parser = parse::duration, env = "MXDOCTOR_TIMEOUT",
          help_heading = "How to run")]
    pub timeout: Option<Duration>,

    /// Checks at a time (default: all)
    #[arg(long, value_name = "N", env = "MXDOCTOR_JOBS", help_heading = "How to run")]
    pub jobs: Option<usize>,

    /// A kubeconfig file, for the checks of the cluster; else KUBECONFIG
    #[arg(long, value_name = "FILE", help_heading = "Kubernetes")]
    pub kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig
    #[arg(long, value_name = "NAME", help_heading = "Kubernetes")]
    pub kube_context: Option<String>,

    /// The stack's namespace
    #[arg(long, value_name = "NAME", env = "MXDOCTOR_KUBE_NAMESPACE", help_heading = "Kubernetes")]
    pub kube_namespace: Option<String>,

    /// Read Secrets, for the lengths and the equality of their values alone
    #[arg(long, help_heading = "Kubernetes")]
    pub read_secrets: bool,

    /// Connect to ADDR for HOST:PORT, whatever DNS says; repeatable
    #[arg(long, value_name = "HOST:PORT:ADDR[:PORT]", help_heading = "Network")]
    pub resolve: Vec<String>,

    /// Name server to ask instead of the system's (`ADDR[:PORT]`); repeatable
    #[arg(
        long,
        value_name = "ADDR",
        env = "MXDOCTOR_DNS_SERVER",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub dns_server: Vec<String>,

    /// STUN server that tells whether UDP works from here
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "MXDOCTOR_STUN_SERVER",
        help_heading = "Network"
    )]
    pub stun_server: Option<String>,

    /// Certificate authorities to trust besides the system's (PEM); repeatable
    #[arg(
        long,
        value_name = "PEM",
        env = "MXDOCTOR_CA_FILE",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub ca_file: Vec<PathBuf>,

    /// Address range to take for reachable from outside although it is reserved; repeatable
    #[arg(
        long,
        value_name = "CIDR",
        env = "MXDOCTOR_ROUTABLE",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub routable: Vec<String>,
}

/// What a run may change on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Allow {
    /// The synthetic user's account, room and media.
    Canary,
}
