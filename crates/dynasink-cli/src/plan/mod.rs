//! `dynasink plan`.

mod report;

use std::process::ExitCode;
use std::sync::Arc;

use dynasink::{
    BadRows, DecodeExt, Decoder, Estimate, Measured, Outcomes, Prices, StayingSurvey, Survey,
    SurveySample, SurveySubject, UnreadObserver,
};

use crate::args::{DedupArg, PlanArgs};
use crate::failure::{ALL_WRITTEN, Failure, SOME_DEAD};
use crate::kept;
use crate::output::print;
use crate::progress::ReadingProgress;
use crate::read_through::read_through;
use crate::reading::InterleaveArg;
use crate::signals::Signals;
use crate::subject::Subject;
use report::{PlanReport, Sampled};

pub(crate) async fn run(args: &PlanArgs, logs: bool) -> Result<ExitCode, Failure> {
    let refused = |error: dynasink::Error| Failure::refused(&error);
    let prices = match &args.prices {
        Some(file) => Prices::load(file),
        None => Prices::built_in(),
    };
    let prices = prices.map_err(refused)?;
    let source = args.source.open().await?;
    // Whoever connects to an embedded store makes its file, and a plan makes none.
    let no_store = args
        .target
        .embedded
        .as_ref()
        .is_some_and(|file| !file.exists());
    let target = (!args.offline && !no_store).then_some(&args.target);
    let mapping = args.mapping.as_deref();
    let (keys, shape) = (&args.keys, &args.shape);
    let subject = Subject::to_be_planned(source, mapping, target, &args.table, keys, shape).await?;
    let state = subject.state().await?;
    let policy = kept::policy(args.dedup, &subject.mapping)?;

    let surveyed = survey(args, &subject, policy, logs).await?;
    let estimate = Estimate::of(&surveyed.measured, &subject.table, args.rate, &prices);
    let findings = SurveySubject {
        table: &subject.table,
        state: state.as_ref(),
        exists: subject.exists,
        refuses_repeats: policy == DedupArg::Error,
        rate: args.rate,
        measured: &surveyed.measured,
        bad: &surveyed.bad,
        estimate: &estimate,
    }
    .findings();
    let stops = policy == DedupArg::Error
        && surveyed
            .measured
            .keys
            .is_some_and(|keys| keys.superseded > 0);
    let all_well = surveyed.bad.dead == 0 && surveyed.bad.unread == 0 && !stops;
    let report = PlanReport::new(&subject, &surveyed, estimate, findings, &prices);
    print(|out| {
        if args.json {
            report.write_json(out)
        } else {
            report.write_text(out)
        }
    })?;
    Ok(if all_well { ALL_WRITTEN } else { SOME_DEAD }.into())
}

/// What reading the source has shown.
#[derive(Debug)]
struct Surveyed {
    rows: u64,
    measured: Measured,
    bad: dynasink::BadRowCounts,
    sampled: Option<Sampled>,
}

async fn survey(
    args: &PlanArgs,
    subject: &Subject,
    policy: DedupArg,
    logs: bool,
) -> Result<Surveyed, Failure> {
    let bad = BadRows::new(args.examples);
    let observers: [Arc<dyn UnreadObserver>; 1] = [Arc::new(bad.clone())];
    let mut order = args
        .source
        .reading
        .stream_options(&subject.mapping, observers);
    let mut survey = Survey::new(&subject.table, kept::kept_row(policy));
    let sample = args
        .sample
        .and_then(|rows| SurveySample::of(&subject.source, rows));
    if let Some(sample) = &sample {
        order = order.with_rows(sample.selection());
        survey = survey.without_keys();
    }
    let total_rows = sample
        .as_ref()
        .map_or_else(|| subject.source.total_rows(), SurveySample::selected);
    let signals = Signals::listen();
    let progress = ReadingProgress::begin("reading", total_rows, logs);
    let rows = progress.rows();
    let batches = subject.source.stream_with(&order);
    let decoder = Decoder::new(subject.mapping.clone()).with_outcomes(Outcomes::of(bad.clone()));
    let sink = (&mut survey).decoded(decoder);
    read_through(batches, sink, progress, &signals).await?;
    let rows = rows.count();
    let (mut measured, bad) = (survey.measured(), bad.counts());
    // A second reading tells nothing new, or has rows of a key in another order.
    let reads_once = sample.is_some()
        || policy == DedupArg::Off
        || args.source.reading.interleave == InterleaveArg::Always;
    if measured.staying.is_none()
        && !reads_once
        && let Some(choice) = survey.into_choice()
    {
        let reading = "reading once more, as keys repeat";
        let progress = ReadingProgress::begin(reading, total_rows, logs);
        let mut staying = StayingSurvey::new(&subject.table, choice);
        // What cannot be written was counted before.
        let unseen = BadRows::new(0);
        let observers: [Arc<dyn UnreadObserver>; 1] = [Arc::new(unseen.clone())];
        let order = args
            .source
            .reading
            .stream_options(&subject.mapping, observers);
        let decoder = Decoder::new(subject.mapping.clone()).with_outcomes(Outcomes::of(unseen));
        let batches = subject.source.stream_with(&order);
        let sink = (&mut staying).decoded(decoder);
        read_through(batches, sink, progress, &signals).await?;
        measured = measured.with_staying(staying);
    }
    let Some(sample) = sample else {
        return Ok(Surveyed {
            rows,
            measured,
            bad,
            sampled: None,
        });
    };
    // Of the rows that a filter leaves out, only the sample knows the part.
    let read = match &args.source.condition {
        Some(_) => sample.selected(),
        None => rows,
    };
    let times = subject.source.total_rows() as f64 / read.max(1) as f64;
    Ok(Surveyed {
        rows: subject.source.total_rows(),
        measured: measured.scaled(times),
        bad: bad.scaled(times),
        sampled: Some(Sampled { rows, times }),
    })
}
