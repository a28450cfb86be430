//! What a check sees of the run.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mxdoctor_model::Vantage;
use mxdoctor_probes::Net;

use crate::fact::{fact_name, lock};
use crate::{Entry, Fact, Facts, Findings, Target, Unavailable, Verdict};

/// The context of one check or fact: the target, the instruments and the shared facts.
///
/// Cheap to clone. Each check and each fact has one of its own, so that what it asked for is known.
#[derive(Clone)]
pub struct Cx {
    run: Arc<Shared>,
    asked: Arc<Mutex<Vec<String>>>,
    waits: Arc<Mutex<Waits>>,
}

/// How long the bearer has been waiting for facts, overlapping waits counted once.
#[derive(Default)]
struct Waits {
    open: usize,
    since: Option<Instant>,
    total: Duration,
}

/// An open wait; closes when dropped, also on cancellation.
struct Wait(Arc<Mutex<Waits>>);

impl Wait {
    fn open(waits: &Arc<Mutex<Waits>>) -> Self {
        let mut state = lock(waits);
        state.open += 1;
        state.since.get_or_insert_with(Instant::now);
        Self(Arc::clone(waits))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.open -= 1;
        if state.open == 0
            && let Some(since) = state.since.take()
        {
            state.total += since.elapsed();
        }
    }
}

struct Shared {
    vantage: Vantage,
    target: Target,
    net: Net,
    facts: Facts,
}

impl Cx {
    /// The context of a run from one vantage.
    pub fn new(vantage: Vantage, target: Target, net: Net) -> Self {
        let run = Shared { vantage, target, net, facts: Facts::default() };
        Self { run: Arc::new(run), asked: Arc::default(), waits: Arc::default() }
    }

    /// A context of the same run that records what its own bearer asks for.
    pub fn for_asker(&self) -> Self {
        Self { run: Arc::clone(&self.run), asked: Arc::default(), waits: Arc::default() }
    }

    /// Where this run looks from.
    pub fn vantage(&self) -> Vantage {
        self.run.vantage
    }

    /// What is checked, as far as it was configured.
    pub fn target(&self) -> &Target {
        &self.run.target
    }

    /// The instruments.
    pub fn net(&self) -> &Net {
        &self.run.net
    }

    /// All facts of the run.
    pub fn facts(&self) -> &Facts {
        &self.run.facts
    }

    /// Names of the facts that the bearer asked for so far.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    /// How long the bearer has been waiting for facts so far.
    pub fn waited(&self) -> Duration {
        let state = lock(&self.waits);
        state.total + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The observation of `key`, made once and shared.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be had. Pass it on with `?`: the engine reports it as this
    /// check's own finding if this check owns the fact, and as a skip blocked by the owner if not.
    pub async fn fact<F: Fact>(&self, key: F) -> Result<Arc<F::Value>, Unavailable> {
        {
            let name = fact_name(&key);
            let mut asked = lock(&self.asked);
            if !asked.contains(&name) {
                asked.push(name);
            }
        }
        let _wait = Wait::open(&self.waits);
        self.run.facts.get(key, self).await
    }

    /// Forms an opinion on each instance, all at once; one that lacks a fact does not keep the
    /// others from theirs.
    pub async fn each<T, F, Fut>(&self, instances: impl IntoIterator<Item = T>, look: F) -> Findings
    where
        T: ToString,
        F: Fn(T) -> Fut,
        Fut: Future<Output = Verdict>,
    {
        let looks = instances.into_iter().map(|item| {
            let instance = item.to_string();
            let look = look(item);
            async move {
                match look.await {
                    Ok(Findings(mut entries)) => {
                        for entry in &mut entries {
                            entry.default_instance(&instance);
                        }
                        entries
                    }
                    Err(by) => vec![Entry::Blocked { instance: Some(instance), by }],
                }
            }
        });
        Findings(futures_util::future::join_all(looks).await.into_iter().flatten().collect())
    }
}

impl Entry {
    fn default_instance(&mut self, name: &str) {
        let (Self::Finding(mxdoctor_model::Finding { instance, .. })
        | Self::Blocked { instance, .. }) = self;
        instance.get_or_insert_with(|| name.to_owned());
    }
}
