//! The parts of a Matrix stack.

use mxdoctor_probes::manifest::{Node, Object, Place};

use super::{Container, Workload};

/// A file of an application, with the object that carries it.
#[derive(Debug, Clone)]
pub struct Payload<'a> {
    /// The ConfigMap (or Secret with readable text) that it stands in.
    pub object: &'a Object,
    /// Its key there.
    pub key: &'a str,
    /// The file as a text.
    pub text: &'a Node,
    /// What it says; null where it could not be read.
    pub node: Node,
    /// Why it could not be read, and where.
    pub error: Option<(Place, String)>,
}

/// Synapse: its workload and what it reads.
#[derive(Debug, Clone)]
pub struct Synapse<'a> {
    /// What runs it; none where the inventory has only its configuration.
    pub workload: Option<(Workload<'a>, Container<'a>)>,
    /// Its configuration files, in the order in which they are read; the last one wins.
    pub configuration: Vec<Payload<'a>>,
    /// Whether it reads files that the inventory does not show, such as one in a Secret.
    pub reads_more: bool,
}

/// Element Web: its workload and what it reads.
#[derive(Debug, Clone)]
pub struct Element<'a> {
    /// What runs it; none where the inventory has only its configuration.
    pub workload: Option<(Workload<'a>, Container<'a>)>,
    /// `config.json`; none where it is not in the inventory.
    pub configuration: Option<Payload<'a>>,
}

/// One of Jitsi's four parts.
#[derive(Debug, Clone, Copy)]
pub struct JitsiPart<'a> {
    /// What runs it.
    pub workload: Workload<'a>,
    /// Its container there.
    pub container: Container<'a>,
}

/// Jitsi Meet's parts, as far as the inventory has them.
#[derive(Debug, Clone, Default)]
pub struct Jitsi<'a> {
    /// The XMPP server.
    pub prosody: Option<JitsiPart<'a>>,
    /// The focus.
    pub jicofo: Option<JitsiPart<'a>>,
    /// The bridges.
    pub jvb: Vec<JitsiPart<'a>>,
    /// The web server.
    pub web: Option<JitsiPart<'a>>,
}

impl<'a> Jitsi<'a> {
    /// The parts that are there, each with its name.
    pub fn parts(&self) -> Vec<(&'static str, JitsiPart<'a>)> {
        let mut all = Vec::new();
        all.extend(self.prosody.map(|part| ("prosody", part)));
        all.extend(self.jicofo.map(|part| ("jicofo", part)));
        all.extend(self.jvb.iter().map(|part| ("jvb", *part)));
        all.extend(self.web.map(|part| ("web", part)));
        all
    }
}

impl<'a> Synapse<'a> {
    /// The value at a path of the configuration, from the last file that has it, with the file.
    pub fn option(&self, path: &str) -> Option<(&Payload<'a>, &Node)> {
        let files = self.configuration.iter().rev();
        files.filter_map(|file| Some((file, file.node.at(path)?))).next()
    }

    /// Whether all of its configuration could be read: only then what is not there is absent.
    pub fn is_whole(&self) -> bool {
        !self.configuration.is_empty()
            && self.configuration.iter().all(|file| file.error.is_none())
            && !self.reads_more
    }
}
