//! Both readings of the source, and the scan of the table.

use std::error::Error;
use std::sync::Arc;

use dynasink::{
    CensusTaker, DecodeExt, Decoder, DriveEnd, DriveError, DriveReport, ErrorBudget,
    OutcomeObserver, Outcomes, Verifier, VerifyTally, drive, find_extra,
};

use super::prepare::{PreparedVerify, Repair};
use crate::failure::describe;
use crate::signals::Signals;

/// Compares until all is compared, or `signals` or the budget of errors stop it. The error is as it is told to people.
pub(super) async fn run(verify: PreparedVerify, signals: &Signals) -> Result<DriveEnd, String> {
    let PreparedVerify {
        subject,
        reader,
        kept,
        max_keys,
        sample,
        segments,
        concurrency,
        order,
        unread,
        repair,
        differences,
        budget,
        tally,
    } = verify;
    let mapping = || subject.mapping.clone();

    // What cannot be read or be an item shows in the second reading, and is counted there.
    let unseen = VerifyTally::new();
    let decoder = Decoder::new(mapping()).with_outcomes(Outcomes::of(unseen.clone()));
    let mut census = CensusTaker::new(kept, max_keys, sample).decoded(decoder);
    let batches = subject
        .source
        .stream_with(&order.clone().with_unread_observers([Arc::new(unseen) as _]));
    let stop = asked_to_stop(&budget, signals);
    if is_stopped(drive(batches, &mut census).until(stop).await)? {
        return Ok(DriveEnd::Shutdown);
    }

    let verifier = Verifier::new(
        reader.clone(),
        census.into_inner(),
        differences.clone(),
        tally.clone(),
    );
    let mut verifier = verifier.with_concurrency(concurrency);
    let mut observers: Vec<Arc<dyn OutcomeObserver>> =
        vec![Arc::new(tally.clone()), Arc::new(budget.clone())];
    let repairs = repair.is_some();
    if let Some(Repair {
        pipeline,
        dead_letters,
    }) = repair
    {
        verifier = verifier.with_repair(pipeline);
        observers.push(Arc::new(dead_letters));
    }
    let decoder = Decoder::new(mapping()).with_outcomes(Outcomes::to(observers));
    let mut verifier = verifier.decoded(decoder);
    let batches = subject
        .source
        .stream_with(&order.with_unread_observers(unread));
    let stop = asked_to_stop(&budget, signals);
    let is_stopped = if repairs {
        // What is to be written is written, and what is read for it.
        is_stopped(drive(batches, &mut verifier).until(stop).await)?
    } else {
        tokio::select! {
            biased;
            driven = drive(batches, &mut verifier) => is_stopped(driven)?,
            () = stop => true,
        }
    };
    if is_stopped {
        return Ok(DriveEnd::Shutdown);
    }

    let choice = verifier.into_inner().finish();
    let choice = choice.map_err(|error| describe(&error))?;
    let Some(segments) = segments else {
        return Ok(DriveEnd::Exhausted);
    };
    let scan = find_extra(
        &reader,
        &subject.table,
        segments,
        &choice,
        &differences,
        &tally,
    );
    tokio::select! {
        biased;
        scanned = scan => scanned.map_err(|error| describe(&error))?,
        () = asked_to_stop(&budget, signals) => return Ok(DriveEnd::Shutdown),
    }
    Ok(DriveEnd::Exhausted)
}

/// Ready when no more is to be read.
async fn asked_to_stop(budget: &ErrorBudget, signals: &Signals) {
    tokio::select! {
        biased;
        () = budget.exceeded() => {}
        () = signals.first() => {}
    }
}

fn is_stopped<U, S>(driven: Result<DriveReport, DriveError<U, S>>) -> Result<bool, String>
where
    U: Error + 'static,
    S: Error + 'static,
{
    match driven {
        Ok(report) => Ok(report.end == DriveEnd::Shutdown),
        Err(DriveError::Stream { source, .. }) => Err(describe(&source)),
        Err(DriveError::Sink { source, .. }) => Err(describe(&source)),
    }
}
