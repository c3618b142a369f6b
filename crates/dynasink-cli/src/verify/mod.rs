//! `dynasink verify`.

mod compare;
mod prepare;
mod progress;
mod report;

use std::process::ExitCode;

use dynasink::DriveEnd;
use tokio::time::Instant;

use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::report::End;
use crate::signals::Signals;
use prepare::PreparedVerify;
use progress::Progress;
use report::Verified;

pub(crate) async fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let verify = PreparedVerify::of(args).await?;
    let (tally, differences) = (verify.tally.clone(), verify.differences.clone());
    let (budget, reader) = (verify.budget.clone(), verify.reader.clone());
    let repair = verify.repair.as_ref();
    let repaired = repair.map(|repair| repair.pipeline.tally());
    let dead_letters = repair.map(|repair| repair.dead_letters.clone());
    let signals = Signals::listen();
    let progress = Progress::new(tally.clone(), reader.clone());

    let start = Instant::now();
    let ended = tokio::select! {
        biased;
        ended = progress.beside(compare::run(verify, &signals)) => ended,
        () = signals.second() => Err("aborted by a second signal".to_owned()),
    };
    let elapsed = start.elapsed();
    let (end, error) = match ended {
        Ok(_) if budget.is_exceeded() => (End::TooManyErrors, None),
        Ok(DriveEnd::Exhausted) => (End::Complete, None),
        Ok(DriveEnd::Shutdown) => (End::Interrupted, None),
        Err(error) => (End::Failed, Some(error)),
    };
    let stopped = |error: dynasink::Error| Failure::stopped(&error);
    let has_differences = differences.finish().map_err(stopped)?;
    let has_dead_letters = match &dead_letters {
        Some(letters) => letters.finish().map_err(stopped)?,
        None => false,
    };
    let verified = Verified {
        table: args.table.clone(),
        end,
        error,
        counts: tally.counts(),
        scans: args.scan,
        first_dead: tally.first_dead(),
        repaired: repaired.map(|tally| tally.counts()),
        usage: reader.usage(),
        elapsed,
        differences: has_differences.then(|| differences.path().to_owned()),
        dead_letters: dead_letters
            .filter(|_| has_dead_letters)
            .map(|letters| letters.path().to_owned()),
    };
    verified.print(args.json)?;
    verified.exit_code()
}
