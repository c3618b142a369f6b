//! The checkpoint of a load: made when it begins, gone on from with `--resume`.

use std::io::{Write, stderr};
use std::path::Path;

use aws_sdk_dynamodb::Client;
use dynasink::{Checkpoint, DeadLetterFile, Dedup, LoadIdentity, describe_state};

use crate::args::CheckpointArgs;
use crate::failure::Failure;
use crate::subject::Subject;

/// The checkpoint to go on from, if the arguments ask for that. One that is in the way of a new load is refused.
pub(super) fn found(args: &CheckpointArgs) -> Result<Option<Checkpoint>, Failure> {
    let Some(path) = &args.checkpoint else {
        return Ok(None);
    };
    if args.resume {
        return match Checkpoint::open(path) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(dynasink::Error::CheckpointMissing { .. }) => {
                Err(Failure::refused_because(format!(
                    "there is no checkpoint {}: leave out --resume to start",
                    path.display()
                )))
            }
            Err(error) => Err(Failure::refused(&error)),
        };
    }
    if path.exists() {
        return Err(Failure::refused_because(format!(
            "the checkpoint {} exists: go on from it with --resume, or name another file",
            path.display()
        )));
    }
    Ok(None)
}

/// Begins a load, whose table is there.
pub(super) async fn begin(
    path: &Path,
    client: &Client,
    subject: &Subject,
    dedup: Option<&Dedup>,
    dead_letters: DeadLetterFile,
) -> Result<Checkpoint, Failure> {
    let identity = identity(client, subject, dedup).await?;
    Checkpoint::create(path, identity, Some(dead_letters)).map_err(|error| Failure::refused(&error))
}

/// Goes on with a load: its dead letters, and the policy that knows of the rows that were dealt with.
pub(super) async fn go_on(
    checkpoint: &Checkpoint,
    client: &Client,
    subject: &Subject,
    dedup: Option<Dedup>,
    dead_letters: &Path,
) -> Result<(DeadLetterFile, Option<Dedup>), Failure> {
    let path = checkpoint.path().display();
    if !subject.exists {
        let table = subject.table.name();
        return Err(Failure::refused_because(format!(
            "table {table} is gone, and the checkpoint {path} is of a load into it: remove the checkpoint to start anew"
        )));
    }
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Some(kept) = checkpoint.dead_letters_path()
        && absolute(&kept) != absolute(dead_letters)
    {
        return Err(Failure::refused_because(format!(
            "the dead letters of the checkpoint {path} are in {}: give --dead-letters with that file",
            kept.display()
        )));
    }
    let identity = identity(client, subject, dedup.as_ref()).await?;
    checkpoint
        .go_on(&identity)
        .map_err(|error| Failure::refused(&error))?;
    let dedup = match dedup {
        Some(dedup) => {
            if dedup.remembers_the_input() {
                // Where stderr is closed, there is nobody to wait.
                let _shown = writeln!(stderr(), "reading the rows that were dealt with once more");
            }
            let recalled = checkpoint.recall(&subject.source, &subject.mapping, dedup);
            Some(recalled.await.map_err(|error| Failure::refused(&error))?)
        }
        None => None,
    };
    match checkpoint.dead_letters() {
        Some(letters) => Ok((letters, dedup)),
        None => Err(Failure::refused_because(format!(
            "the checkpoint {path} is of a load that kept no dead letters: go on as it was begun"
        ))),
    }
}

async fn identity(
    client: &Client,
    subject: &Subject,
    dedup: Option<&Dedup>,
) -> Result<LoadIdentity, Failure> {
    let state = describe_state(client, subject.table.name().as_str()).await;
    let state = state.map_err(|error| Failure::refused(&error))?;
    Ok(LoadIdentity::new(
        &subject.source,
        &subject.mapping,
        (&state).into(),
        dedup,
    ))
}
