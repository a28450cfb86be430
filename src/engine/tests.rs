//! The engine on checks of its own making.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mxdoctor_checks::{Check, Cx, Fact, Unavailable, Verdict, at};
use mxdoctor_model::{CheckReport, Event, Finding, Outcome, Report};

use super::*;
use crate::config::{Options, Settings};

macro_rules! checks {
    ($($name:ident = $id:literal, $run:ident $(, attempts $attempts:literal)?;)+) => {
        $(static $name: Check = Check {
            id: $id,
            title: "a check of the tests",
            page: "",
            timeout: Duration::from_millis(300),
            vantages: at::P,
            attempts: 1 $(* 0 + $attempts)?,
            causes: &[],
            run: |cx| Box::pin($run(cx)),
        };)+
    };
}

checks! {
    COUNTED = "test.counted", counted;
    FINE = "test.fine", fine;
    OWNER = "test.owner", needs_broken;
    DEPENDENT = "test.dependent", needs_broken;
    APART = "test.apart", apart;
    PANICS = "test.panics", panics;
    HANGS = "test.hangs", hangs;
    STUCK = "test.stuck", stuck;
    PATIENT = "test.patient", patient;
    FLAKY = "test.flaky", flaky, attempts 2;
    LATE = "test.late", late;
}

static OBSERVED: AtomicUsize = AtomicUsize::new(0);
static FLAKED: AtomicUsize = AtomicUsize::new(0);
static LATENESS: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug, Clone)]
struct Counter;

impl Fact for Counter {
    type Value = usize;
    const OWNER: &'static str = "test.counted";

    async fn observe(&self, _: &Cx) -> Result<usize, Unavailable> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(OBSERVED.fetch_add(1, Ordering::SeqCst))
    }
}

#[derive(Debug, Clone)]
struct Broken;

impl Fact for Broken {
    type Value = ();
    const OWNER: &'static str = "test.owner";

    async fn observe(&self, _: &Cx) -> Result<(), Unavailable> {
        Err(Unavailable::by("test.owner", Finding::fail("broken", "it is broken").on("host")))
    }
}

/// Takes longer than a check's own time.
#[derive(Debug, Clone)]
struct Slow;

impl Fact for Slow {
    type Value = ();
    const OWNER: &'static str = "test.patient";

    async fn observe(&self, _: &Cx) -> Result<(), Unavailable> {
        tokio::time::sleep(Duration::from_millis(600)).await;
        Ok(())
    }
}

async fn counted(cx: &Cx) -> Verdict {
    let count = cx.fact(Counter).await?;
    Ok(Finding::pass(format!("observed as number {count}")).into())
}

async fn fine(_: &Cx) -> Verdict {
    Ok(Finding::pass("fine").into())
}

async fn needs_broken(cx: &Cx) -> Verdict {
    cx.fact(Broken).await?;
    Ok(Finding::pass("it works").into())
}

async fn apart(_: &Cx) -> Verdict {
    Ok(Finding::fail("apart", "something else is wrong").into())
}

async fn panics(_: &Cx) -> Verdict {
    panic!("a defect");
}

async fn hangs(_: &Cx) -> Verdict {
    std::future::pending().await
}

async fn stuck(cx: &Cx) -> Verdict {
    #[derive(Debug, Clone)]
    struct Never;
    impl Fact for Never {
        type Value = ();
        const OWNER: &'static str = "test.stuck";
        async fn observe(&self, _: &Cx) -> Result<(), Unavailable> {
            std::future::pending().await
        }
    }
    cx.fact(Never).await?;
    Ok(Finding::pass("never comes").into())
}

async fn patient(cx: &Cx) -> Verdict {
    cx.fact(Slow).await?;
    Ok(Finding::pass("waited").into())
}

async fn flaky(_: &Cx) -> Verdict {
    Ok(match FLAKED.fetch_add(1, Ordering::SeqCst) {
        0 => Finding::fail("flaky", "not yet").transient(),
        _ => Finding::pass("now"),
    }
    .into())
}

async fn late(_: &Cx) -> Verdict {
    Ok(match LATENESS.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Finding::fail("late", "not yet"),
        _ => Finding::pass("now"),
    }
    .into())
}

fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::load(Some("example.org"), None, &Options::default())
        .expect("a server name is enough");
    change(&mut settings);
    settings
}

async fn run(settings: &Settings, checks: &[&'static Check]) -> (Report, Vec<Event>) {
    let mut plan = Plan::new(settings);
    plan.checks = checks.iter().map(|&check| Planned { check, context: 0 }).collect();
    let mut events = Vec::new();
    let mut emit = |event: Event| events.push(event);
    let engine = Engine::new(settings, plan);
    let (report, _) = engine.run(&mut emit, std::future::pending::<Interrupt>()).await;
    (report, events)
}

fn entry<'a>(report: &'a Report, id: &str) -> &'a CheckReport {
    report.checks.iter().find(|check| check.id == id).expect("every planned check is reported")
}

#[tokio::test]
async fn a_fact_is_observed_once() {
    let (report, _) = run(&settings(|_| {}), &[&COUNTED; 20]).await;
    assert_eq!(report.summary.pass, 20);
    assert_eq!(OBSERVED.load(Ordering::SeqCst), 1);
    assert_eq!(report.facts.len(), 1);
    assert!(report.checks.iter().all(|check| check.waited_for == ["Counter"]));
}

#[tokio::test]
async fn one_root_folds_its_consequences_and_two_stay_two() {
    let (report, _) = run(&settings(|_| {}), &[&OWNER, &DEPENDENT, &APART]).await;
    assert_eq!(entry(&report, "test.owner").outcome, Outcome::Fail);
    let dependent = entry(&report, "test.dependent");
    assert_eq!(dependent.outcome, Outcome::Skip);
    assert_eq!(dependent.blocked_by.as_deref(), Some("test.owner[host]"));
    let causes: Vec<&str> = report.root_causes.iter().map(|root| root.cause.as_str()).collect();
    assert_eq!(causes, ["broken", "apart"]);
    assert_eq!(report.root_causes[0].consequences, ["test.dependent"]);
    assert!(report.root_causes[1].consequences.is_empty());
}

#[tokio::test]
async fn a_panic_is_our_error() {
    let (report, _) = run(&settings(|_| {}), &[&PANICS, &FINE]).await;
    assert_eq!(entry(&report, "test.panics").outcome, Outcome::Error);
    assert!(entry(&report, "test.panics").summary.contains("a defect"));
    assert_eq!(entry(&report, "test.fine").outcome, Outcome::Pass);
}

#[tokio::test]
async fn a_check_that_hangs_costs_only_its_own_verdict() {
    let (report, _) = run(&settings(|_| {}), &[&HANGS, &FINE]).await;
    assert_eq!(entry(&report, "test.hangs").outcome, Outcome::Error);
    assert!(report.run.interrupted.is_none());
    assert_eq!(report.summary.pass, 1);
}

#[tokio::test]
async fn waiting_for_a_fact_is_not_a_checks_own_time() {
    let (report, _) = run(&settings(|_| {}), &[&PATIENT]).await;
    assert_eq!(entry(&report, "test.patient").outcome, Outcome::Pass);
}

#[tokio::test]
async fn the_deadline_leaves_a_whole_report() {
    let short = settings(|settings| settings.timeout = Duration::from_millis(100));
    let (report, events) = run(&short, &[&STUCK, &FINE]).await;
    assert_eq!(report.run.interrupted.as_deref(), Some("deadline"));
    assert_eq!(entry(&report, "test.stuck").outcome, Outcome::Error);
    assert_eq!(entry(&report, "test.fine").outcome, Outcome::Pass);
    assert!(matches!(events.last(), Some(Event::RunFinished { .. })));
}

#[tokio::test]
async fn a_signal_leaves_a_whole_report() {
    let settings = settings(|_| {});
    let mut plan = Plan::new(&settings);
    plan.checks = vec![Planned { check: &STUCK, context: 0 }];
    let signal = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Interrupt::Sigterm
    };
    let (report, interrupt) = Engine::new(&settings, plan).run(&mut |_| {}, signal).await;
    assert_eq!(interrupt, Some(Interrupt::Sigterm));
    assert_eq!(report.run.interrupted.as_deref(), Some("SIGTERM"));
    assert_eq!(entry(&report, "test.stuck").outcome, Outcome::Error);
}

#[tokio::test]
async fn what_is_transient_is_tried_again_where_the_check_says_so() {
    let (report, _) = run(&settings(|_| {}), &[&FLAKY]).await;
    let flaky = entry(&report, "test.flaky");
    assert_eq!((flaky.outcome, flaky.attempts), (Outcome::Pass, 2));
}

#[tokio::test]
async fn waiting_repeats_what_is_not_good() {
    let patient = settings(|settings| settings.wait = Some(Duration::from_secs(30)));
    let (report, events) = run(&patient, &[&LATE, &FINE]).await;
    let late = entry(&report, "test.late");
    assert_eq!((late.outcome, late.attempts), (Outcome::Pass, 3));
    assert_eq!(entry(&report, "test.fine").attempts, 1);
    let finished = |event: &&Event| matches!(event, Event::CheckFinished { .. });
    assert_eq!(events.iter().filter(finished).count(), 4);
}

#[tokio::test]
async fn one_job_at_a_time_comes_to_an_end() {
    let single = settings(|settings| settings.jobs = 1);
    let (report, _) = run(&single, &[&DEPENDENT, &OWNER, &PATIENT, &FINE]).await;
    assert_eq!(report.summary.total(), 4);
    assert_eq!(report.summary.error, 0);
}
