//! Typed observations, made once per run and vantage and shared.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use mxdoctor_model::Finding;

use crate::Cx;

/// An observation that checks share. The value of the type is the key: two equal keys are one
/// observation. Asking for one with [`Cx::fact`] is what declares the dependency.
pub trait Fact: Debug + Clone + Send + Sync + 'static {
    /// What is observed.
    type Value: Send + Sync + 'static;

    /// The longest it may take, as a backstop behind the probes' own limits.
    const TIMEOUT: Duration = Duration::from_secs(20);

    /// Id of the check that reports a backstop timeout; observations that fail name their owner
    /// themselves.
    const OWNER: &'static str;

    /// Makes the observation.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be had; its finding is what the owner reports.
    fn observe(&self, cx: &Cx) -> impl Future<Output = Result<Self::Value, Unavailable>> + Send;
}

/// Why a fact is not to be had. The check named as owner reports the finding; every other check
/// that asked is skipped, blocked by it.
#[derive(Debug, Clone)]
pub struct Unavailable {
    /// Id of the check that reports it.
    pub owner: &'static str,
    /// What that check reports, with its instance.
    pub finding: Box<Finding>,
}

impl Unavailable {
    /// The finding that `owner` will report.
    pub fn by(owner: &'static str, finding: Finding) -> Self {
        Self { owner, finding: Box::new(finding) }
    }
}

/// When a fact was observed and what it asked for.
#[derive(Debug, Clone)]
pub struct Span {
    /// Name of the fact with its key.
    pub name: String,
    /// When it began.
    pub started: Instant,
    /// How long it took, with waiting for other facts; none while it is under way.
    pub took: Option<Duration>,
    /// What it asked for.
    pub waited_for: Vec<String>,
}

type Boxed = Result<Arc<dyn Any + Send + Sync>, Unavailable>;
type Flight = Shared<BoxFuture<'static, Boxed>>;

/// The facts of one run and vantage.
#[derive(Default)]
pub struct Facts {
    flights: Mutex<HashMap<(TypeId, String), Flight>>,
    tasks: Mutex<Vec<tokio::task::AbortHandle>>,
    spans: Mutex<Vec<Span>>,
}

impl Facts {
    /// The observation of `key`, made now unless it was made or is under way.
    ///
    /// It runs in a task of its own: a check that gives up does not take it from the others.
    pub(crate) async fn get<F: Fact>(&self, key: F, cx: &Cx) -> Result<Arc<F::Value>, Unavailable> {
        let name = fact_name(&key);
        let id = (TypeId::of::<F>(), name.clone());
        let flight = {
            let mut flights = lock(&self.flights);
            flights.entry(id).or_insert_with(|| self.launch(key, name, cx)).clone()
        };
        let value = flight.await?;
        Ok(value.downcast::<F::Value>().unwrap_or_else(|_| unreachable!("the key holds the type")))
    }

    fn launch<F: Fact>(&self, key: F, name: String, cx: &Cx) -> Flight {
        let cx = cx.for_asker();
        let index = {
            let mut spans = lock(&self.spans);
            spans.push(Span {
                name: name.clone(),
                started: Instant::now(),
                took: None,
                waited_for: Vec::new(),
            });
            spans.len() - 1
        };
        let task = tokio::spawn(async move {
            let observed = tokio::time::timeout(F::TIMEOUT, key.observe(&cx)).await;
            cx.facts().close_span(index, cx.asked());
            match observed {
                Ok(result) => result.map(|value| Arc::new(value) as Arc<dyn Any + Send + Sync>),
                Err(_) => Err(Unavailable::by(
                    F::OWNER,
                    Finding::error(format!(
                        "{} took longer than {} s and was given up",
                        fact_name(&key),
                        F::TIMEOUT.as_secs()
                    )),
                )),
            }
        });
        lock(&self.tasks).push(task.abort_handle());
        async move {
            match task.await {
                Ok(result) => result,
                Err(error) => Err(Unavailable::by(
                    F::OWNER,
                    Finding::error(format!("internal: {name} ended early: {error}")),
                )),
            }
        }
        .boxed()
        .shared()
    }

    fn close_span(&self, index: usize, waited_for: Vec<String>) {
        if let Some(span) = lock(&self.spans).get_mut(index) {
            span.took = Some(span.started.elapsed());
            span.waited_for = waited_for;
        }
    }

    /// Forgets everything that could not be had, so that a retry looks again.
    pub fn forget_failures(&self) {
        lock(&self.flights).retain(|_, flight| !matches!(flight.peek(), Some(Err(_))));
    }

    /// What was observed when, in the order of asking.
    pub fn spans(&self) -> Vec<Span> {
        lock(&self.spans).clone()
    }

    /// Ends every observation that is still under way.
    pub fn abort(&self) {
        for task in lock(&self.tasks).drain(..) {
            task.abort();
        }
    }
}

impl Drop for Facts {
    fn drop(&mut self) {
        self.abort();
    }
}

/// The name of a fact with its key, as the waterfall shows it: `Addresses { host: "example.org" }`.
pub(crate) fn fact_name<F: Fact>(key: &F) -> String {
    format!("{key:?}")
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
