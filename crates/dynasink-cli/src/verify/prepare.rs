//! A verification that is ready to start.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use dynasink::{
    DeadLetterFile, Dedup, DifferenceFile, DynamoDb, ErrorBudget, KeptRow, Pipeline, ReadLimiter,
    Reader, RetryPolicy, Sample, StreamOptions, TableCapacity, UnreadObserver, VerifyTally,
    describe_state,
};

use crate::args::{KeyArgs, ReadRateArg, VerifyArgs};
use crate::failure::Failure;
use crate::kept;
use crate::subject::Subject;

/// A verification of which everything that can be known to be wrong beforehand has been looked at.
#[derive(Debug)]
pub(super) struct PreparedVerify {
    pub(super) subject: Subject,
    pub(super) reader: Reader<DynamoDb>,
    pub(super) kept: KeptRow,
    /// More keys than that cannot come.
    pub(super) max_keys: NonZeroUsize,
    pub(super) sample: Sample,
    /// In how many parts the table is scanned, if it is.
    pub(super) segments: Option<NonZeroU32>,
    pub(super) concurrency: NonZeroUsize,
    pub(super) order: StreamOptions,
    /// Who is told of what cannot be read.
    pub(super) unread: Vec<Arc<dyn UnreadObserver>>,
    pub(super) repair: Option<Repair>,
    pub(super) differences: DifferenceFile,
    pub(super) budget: ErrorBudget,
    pub(super) tally: VerifyTally,
}

/// What writes the items that are missing or different.
#[derive(Debug)]
pub(super) struct Repair {
    pub(super) pipeline: Pipeline,
    pub(super) dead_letters: DeadLetterFile,
}

impl PreparedVerify {
    pub(super) async fn of(args: &VerifyArgs) -> Result<Self, Failure> {
        let refused = |error: dynasink::Error| Failure::refused(&error);
        args.source.reading.check_for_two_readings("verify")?;
        let source = args.source.open().await?;
        let no_keys = KeyArgs {
            partition_key: None,
            sort_key: None,
        };
        let subject = Subject::of(
            source,
            args.mapping.as_deref(),
            Some(&args.target),
            &args.table,
            &no_keys,
        )
        .await?;
        let Some(client) = subject.client.clone() else {
            return Err(Failure::refused_because(
                "there is no endpoint to read from",
            ));
        };
        let kept = kept::kept_row(kept::policy(args.dedup, &subject.mapping)?);
        let rows = subject.source.total_rows();
        let limiter = limiter(args.read_rate, &client, &args.table).await?;
        let retry = RetryPolicy::default();
        let reader = Reader::new(
            DynamoDb::new(client.clone()),
            args.consistent_reads,
            limiter,
            retry,
        );
        let max_dead = args.dead_letters.max_dead(rows).unwrap_or(u64::MAX);
        let (budget, tally) = (ErrorBudget::new(max_dead), VerifyTally::new());
        let repair = if args.repair {
            Some(Repair::of(args, client, &subject, &budget)?)
        } else {
            None
        };
        let mut unread: Vec<Arc<dyn UnreadObserver>> =
            vec![Arc::new(tally.clone()), Arc::new(budget.clone())];
        if let Some(repair) = &repair {
            unread.push(Arc::new(repair.dead_letters.clone()));
        }
        let reading = &args.source.reading;
        let concurrency = usize::try_from(args.read_concurrency.get()).unwrap_or(usize::MAX);
        Ok(Self {
            reader,
            kept,
            max_keys: usize::try_from(rows)
                .ok()
                .and_then(NonZeroUsize::new)
                .unwrap_or(NonZeroUsize::MIN),
            sample: args
                .sample
                .map_or_else(Sample::all, |sample| Sample::share(sample.share(rows))),
            segments: args.scan.then_some(args.read_concurrency),
            concurrency: NonZeroUsize::new(concurrency).unwrap_or(NonZeroUsize::MIN),
            order: reading.stream_options(&subject.mapping, []),
            unread,
            differences: DifferenceFile::create(output(args)).map_err(refused)?,
            repair,
            budget,
            tally,
            subject,
        })
    }
}

impl Repair {
    fn of(
        args: &VerifyArgs,
        client: Client,
        subject: &Subject,
        budget: &ErrorBudget,
    ) -> Result<Self, Failure> {
        let refused = |error: dynasink::Error| Failure::refused(&error);
        args.pace.rate().limiter(&subject.table).map_err(refused)?;
        let dead_letters = args.dead_letters.path_of("repair", &args.table);
        let dead_letters = DeadLetterFile::create(dead_letters).map_err(refused)?;
        let pipeline = Pipeline::builder(DynamoDb::new(client), &subject.table)
            .rate(args.pace.rate())
            .concurrency(args.pace.concurrency())
            // Each key comes once.
            .dedup(None::<Dedup>)
            .observer(dead_letters.clone())
            .observer(budget.clone())
            .build()
            .map_err(refused)?;
        Ok(Self {
            pipeline,
            dead_letters,
        })
    }
}

/// The file of differences, which is named after the table unless it was given.
fn output(args: &VerifyArgs) -> PathBuf {
    // Of an ARN it is the last part.
    let table = &args.table;
    let name = table.rsplit(['/', ':']).next().unwrap_or(table);
    let default = || PathBuf::from(format!("{name}.differences.jsonl"));
    args.output.clone().unwrap_or_else(default)
}

async fn limiter(
    rate: Option<ReadRateArg>,
    client: &Client,
    table: &str,
) -> Result<ReadLimiter, Failure> {
    match rate {
        None => Ok(ReadLimiter::unlimited()),
        Some(ReadRateArg::Units(units)) => Ok(ReadLimiter::new(units)),
        Some(ReadRateArg::Percent(percent)) => {
            let state = describe_state(client, table).await;
            let state = state.map_err(|error| Failure::refused(&error))?;
            let capacity = match state.capacity.table {
                TableCapacity::Provisioned(units) => Some(units.read),
                TableCapacity::OnDemand { max_read, .. } => max_read,
            };
            match capacity {
                Some(capacity) => Ok(ReadLimiter::new(capacity as f64 * percent / 100.0)),
                None => Err(Failure::refused_because(format!(
                    "{percent}% of the read capacity of table {table} is not known, because it is on demand without a maximum: give --read-rate in units per second"
                ))),
            }
        }
    }
}
