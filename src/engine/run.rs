//! A run: passes over the plan until all is good, the time is over, or a signal comes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mxdoctor_checks::{REGISTRY, Unavailable, diagnosis};
use mxdoctor_model::{
    CheckReport, Event, FactSpan, Outcome, Report, Run, SCHEMA_VERSION, Summary, Tool, Vantage,
};
use mxdoctor_probes::Net;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::entry::{self, Timing};
use super::plan::{Plan, Planned, contexts};
use super::redact::Redactor;
use super::single::{Ran, run_check};
use crate::config::Settings;

/// Why a run was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// `--timeout` is over.
    Deadline,
    /// SIGINT.
    Sigint,
    /// SIGTERM.
    Sigterm,
}

impl Interrupt {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Sigint => "SIGINT",
            Self::Sigterm => "SIGTERM",
        }
    }
}

/// A run in the making.
pub struct Engine<'a> {
    settings: &'a Settings,
    plan: Plan,
    redactor: Redactor,
    began: Instant,
    run: Run,
    /// Per planned check: its entries, and how often it was tried in all passes.
    entries: Vec<Vec<CheckReport>>,
    attempts: Vec<u32>,
    blockers: Vec<Vec<Unavailable>>,
    facts: Vec<FactSpan>,
}

enum Message {
    Started(usize),
    Done(usize, Instant, Box<Ran>),
}

/// The first pause of `--wait`; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The longest that a run that is over waits for its traces on the target to go.
const CLEAN_UP: Duration = Duration::from_secs(3);

impl<'a> Engine<'a> {
    /// A run of the plan.
    pub fn new(settings: &'a Settings, plan: Plan) -> Self {
        let planned = plan.checks.len();
        let run = Run {
            id: run_id(),
            started_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            duration_ms: 0,
            target: settings.server_name.clone(),
            vantages: settings.setups.iter().map(|setup| setup.vantage).collect(),
            interrupted: None,
        };
        Self {
            settings,
            plan,
            redactor: Redactor::new(&settings.secrets),
            began: Instant::now(),
            run,
            entries: vec![Vec::new(); planned],
            attempts: vec![0; planned],
            blockers: vec![Vec::new(); planned],
            facts: Vec::new(),
        }
    }

    /// Runs to the end and returns the report, which went to `emit` as the last event too.
    ///
    /// `signal` ends the run early when it completes; the report is whole all the same.
    pub async fn run(
        mut self,
        emit: &mut (dyn FnMut(Event) + Send),
        signal: impl Future<Output = Interrupt> + Send,
    ) -> (Report, Option<Interrupt>) {
        tokio::pin!(signal);
        emit(Event::RunStarted {
            schema_version: SCHEMA_VERSION,
            tool: tool(),
            run: self.run.clone(),
            planned: self.plan.checks.len(),
        });
        let until = self.settings.wait.map(|wait| self.began + wait);
        let mut todo: Vec<usize> = (0..self.plan.checks.len()).collect();
        let mut pause = FIRST_PAUSE;
        let interrupt = loop {
            let interrupt = self.pass(&todo, emit, signal.as_mut()).await;
            self.note_facts();
            if matches!(interrupt, Some(Interrupt::Sigint | Interrupt::Sigterm)) {
                break interrupt;
            }
            todo = self.not_good();
            let Some(until) = until.filter(|until| *until > Instant::now() && !todo.is_empty())
            else {
                break interrupt;
            };
            tokio::select! {
                signal = signal.as_mut() => break Some(signal),
                () = tokio::time::sleep_until((Instant::now() + pause).min(until)) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.clean_up().await;
            self.plan.contexts = contexts(self.settings);
        };
        self.clean_up().await;
        let report = self.finish(interrupt, emit);
        emit(Event::RunFinished { report: Box::new(report.clone()) });
        (report, interrupt)
    }

    /// Runs the checks of these indices at once; those not through at the deadline or a signal
    /// are entered as interrupted.
    async fn pass(
        &mut self,
        todo: &[usize],
        emit: &mut (dyn FnMut(Event) + Send),
        mut signal: std::pin::Pin<&mut (impl Future<Output = Interrupt> + Send)>,
    ) -> Option<Interrupt> {
        let began = Instant::now();
        let deadline = began + self.settings.timeout;
        let (sender, mut messages) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(self.settings.jobs));
        let mut tasks = JoinSet::new();
        for &index in todo {
            let Planned { check, context } = self.plan.checks[index];
            let cx = self.plan.contexts[context].for_asker();
            let (sender, gate) = (sender.clone(), Arc::clone(&gate));
            tasks.spawn(async move {
                let _permit = gate.acquire().await;
                let started = Instant::now();
                // The receiver is gone only when the pass is over.
                let _ = sender.send(Message::Started(index));
                let ran = Box::new(run_check(check, cx).await);
                let _ = sender.send(Message::Done(index, started, ran));
            });
        }
        drop(sender);
        let mut open: HashSet<usize> = todo.iter().copied().collect();
        let mut interrupt = None;
        while !open.is_empty() {
            let message = tokio::select! {
                biased;
                signal = signal.as_mut() => { interrupt = Some(signal); break }
                message = messages.recv() => message,
                () = tokio::time::sleep_until(deadline) => {
                    interrupt = Some(Interrupt::Deadline);
                    break;
                }
            };
            match message {
                Some(Message::Started(index)) => {
                    let Planned { check, .. } = self.plan.checks[index];
                    let (id, title) = (check.id.to_owned(), check.title.to_owned());
                    emit(Event::CheckStarted { id, title, vantage: self.vantage(index) });
                }
                Some(Message::Done(index, started, ran)) => {
                    open.remove(&index);
                    self.enter(index, started, *ran, emit);
                }
                None => break,
            }
        }
        tasks.abort_all();
        let mut late: Vec<usize> = open.into_iter().collect();
        late.sort_unstable();
        for index in late {
            self.enter_interrupted(index, began, interrupt, emit);
        }
        for cx in &self.plan.contexts {
            cx.facts().abort();
        }
        interrupt
    }

    /// Lets go of all facts, and waits until what they had made on the target is gone.
    async fn clean_up(&mut self) {
        let nets: Vec<Net> = self.plan.contexts.iter().map(|cx| cx.net().clone()).collect();
        self.plan.contexts.clear();
        for net in nets {
            net.cleaned_up(CLEAN_UP).await;
        }
    }

    fn vantage(&self, index: usize) -> Vantage {
        self.settings.setups[self.plan.checks[index].context].vantage
    }

    fn enter(
        &mut self,
        index: usize,
        started: Instant,
        ran: Ran,
        emit: &mut (dyn FnMut(Event) + Send),
    ) {
        self.attempts[index] += ran.attempts;
        let timing = Timing {
            started_ms: millis(started.duration_since(self.began)),
            duration_ms: millis(started.elapsed()),
            attempts: self.attempts[index],
            asked: ran.asked,
        };
        let (check, vantage) = (self.plan.checks[index].check, self.vantage(index));
        let (entries, blockers) =
            entry::reports(check, vantage, ran.entries, &timing, &self.redactor);
        self.close(index, entries, emit);
        self.blockers[index] = blockers;
    }

    fn enter_interrupted(
        &mut self,
        index: usize,
        began: Instant,
        interrupt: Option<Interrupt>,
        emit: &mut (dyn FnMut(Event) + Send),
    ) {
        let reason = match interrupt {
            Some(Interrupt::Deadline) => {
                format!("the deadline of {} s was over", self.settings.timeout.as_secs_f32())
            }
            Some(signal) => format!("ended by {}", signal.as_str()),
            None => "internal: the check's task ended early".to_owned(),
        };
        self.attempts[index] += 1;
        let timing = Timing {
            started_ms: millis(began.duration_since(self.began)),
            duration_ms: millis(began.elapsed()),
            attempts: self.attempts[index],
            asked: Vec::new(),
        };
        let (check, vantage) = (self.plan.checks[index].check, self.vantage(index));
        let entry = entry::interrupted(check, vantage, &reason, &timing, &self.redactor);
        self.close(index, vec![entry], emit);
        self.blockers[index].clear();
    }

    fn close(
        &mut self,
        index: usize,
        entries: Vec<CheckReport>,
        emit: &mut (dyn FnMut(Event) + Send),
    ) {
        for check in &entries {
            emit(Event::CheckFinished { check: Box::new(check.clone()) });
        }
        let id = self.plan.checks[index].check.id.to_owned();
        emit(Event::CheckEnded { id, vantage: self.vantage(index) });
        self.entries[index] = entries;
    }

    /// What `--wait` repeats: whatever failed, could not be measured, or was blocked by such.
    fn not_good(&self) -> Vec<usize> {
        let good = |check: &CheckReport| match check.outcome {
            Outcome::Pass | Outcome::Warn => true,
            Outcome::Skip => check.blocked_by.is_none(),
            Outcome::Fail | Outcome::Error => false,
        };
        (0..self.entries.len()).filter(|&index| !self.entries[index].iter().all(good)).collect()
    }

    fn note_facts(&mut self) {
        for cx in &self.plan.contexts {
            let vantage = cx.vantage();
            self.facts.extend(cx.facts().spans().into_iter().filter_map(|span| {
                let started = Instant::from_std(span.started).duration_since(self.began);
                Some(FactSpan {
                    name: self.redactor.clean(&span.name),
                    vantage,
                    started_ms: millis(started),
                    duration_ms: millis(span.took?),
                    waited_for: span.waited_for,
                })
            }));
        }
    }

    fn finish(
        mut self,
        interrupt: Option<Interrupt>,
        emit: &mut (dyn FnMut(Event) + Send),
    ) -> Report {
        let mut checks: Vec<CheckReport> = self.entries.concat();
        for (index, blockers) in self.blockers.iter().enumerate() {
            let vantage = self.vantage(index);
            for by in blockers.iter().filter(|by| by.finding.outcome != Outcome::Skip) {
                let owner = entry::owner_report(by, vantage, &self.redactor);
                if !checks.iter().any(|check| check.key() == owner.key()) {
                    emit(Event::CheckFinished { check: Box::new(owner.clone()) });
                    checks.push(owner);
                }
            }
        }
        let keys: HashSet<String> = checks.iter().map(CheckReport::key).collect();
        for check in &mut checks {
            check.blocked_by = check.blocked_by.take().filter(|key| keys.contains(key));
        }
        let rank = |id: &str| REGISTRY.iter().position(|check| check.id == id);
        checks.sort_by_cached_key(|check| (rank(&check.id), check.vantage));
        self.run.duration_ms = millis(self.began.elapsed());
        self.run.interrupted = interrupt.map(|interrupt| interrupt.as_str().to_owned());
        Report {
            schema_version: SCHEMA_VERSION,
            tool: tool(),
            run: self.run,
            summary: Summary::of(checks.iter().map(|check| check.outcome)),
            root_causes: diagnosis::diagnose(&checks),
            checks,
            facts: self.facts,
        }
    }
}

/// Who writes reports.
pub(crate) fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Sortable by time; the process id keeps two runs of one millisecond apart.
pub(crate) fn run_id() -> String {
    format!("{}-{}", Timestamp::now().strftime("%Y%m%dT%H%M%S%3f"), std::process::id())
}
