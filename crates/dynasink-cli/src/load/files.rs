//! What a load keeps of itself: made when it begins, gone on from with `--resume`.

use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

use dynasink::{Checkpoint, DeadLetterFile, Dedup, LoadIdentity};

use crate::args::CheckpointArgs;
use crate::failure::{Failure, describe};
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

/// The files of a load: its dead letters, and how far it has come.
#[derive(Clone, Debug)]
pub(super) struct LoadFiles {
    pub(super) dead_letters: DeadLetterFile,
    pub(super) checkpoint: Option<Checkpoint>,
    holds: Holds,
}

/// What there is that these files must tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Nothing yet.
    Nothing,
    /// A table that was made for the load.
    NewTable,
    /// What an earlier run has done.
    EarlierRun,
}

impl LoadFiles {
    /// Begins a load. Its table need not be there.
    pub(super) fn begin(
        checkpoint: Option<&Path>,
        identity: LoadIdentity,
        dead_letters: PathBuf,
    ) -> Result<Self, Failure> {
        let letters = DeadLetterFile::create(dead_letters);
        let mut files = Self {
            dead_letters: letters.map_err(|error| Failure::refused(&error))?,
            checkpoint: None,
            holds: Holds::Nothing,
        };
        if let Some(path) = checkpoint {
            match Checkpoint::create(path, identity, Some(files.dead_letters.clone())) {
                Ok(begun) => files.checkpoint = Some(begun),
                Err(error) => return Err(files.after(Failure::refused(&error))),
            }
        }
        Ok(files)
    }

    /// Goes on with a load: these, and the policy that knows of the rows that were dealt with.
    pub(super) async fn go_on(
        checkpoint: Checkpoint,
        identity: &LoadIdentity,
        subject: &Subject,
        dedup: Option<Dedup>,
        dead_letters: &Path,
    ) -> Result<(Self, Option<Dedup>), Failure> {
        let path = checkpoint.path().display();
        if !subject.exists && !checkpoint.awaits_table() {
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
        checkpoint
            .go_on(identity)
            .map_err(|error| Failure::refused(&error))?;
        let dedup = match dedup {
            Some(dedup) => {
                if dedup.remembers_the_input() {
                    // Where stderr is closed, there is nobody to wait.
                    let _shown =
                        writeln!(stderr(), "reading the rows that were dealt with once more");
                }
                let recalled = checkpoint.recall(&subject.source, &subject.mapping, dedup);
                Some(recalled.await.map_err(|error| Failure::refused(&error))?)
            }
            None => None,
        };
        let Some(dead_letters) = checkpoint.dead_letters() else {
            return Err(Failure::refused_because(format!(
                "the checkpoint {path} is of a load that kept no dead letters: go on as it was begun"
            )));
        };
        let files = Self {
            dead_letters,
            checkpoint: Some(checkpoint),
            holds: Holds::EarlierRun,
        };
        Ok((files, dedup))
    }

    /// The table was made for the load: what is still to be made of it must not be forgotten.
    pub(super) fn hold_new_table(&mut self) {
        if self.holds == Holds::Nothing {
            self.holds = Holds::NewTable;
        }
    }

    /// What is told of a load that failed before it wrote. One that is refused leaves none of these, so that it can begin
    /// anew once what was wrong is mended.
    pub(super) fn after(self, failure: Failure) -> Failure {
        let is_refusal = failure.is_refusal();
        let mut removed = self.dead_letters.finish().map(drop);
        let failure = match (self.holds, &self.checkpoint) {
            (Holds::Nothing, Some(checkpoint)) if is_refusal => {
                let of_checkpoint = checkpoint.remove();
                removed = removed.and(of_checkpoint);
                failure
            }
            (Holds::NewTable, Some(checkpoint)) if is_refusal => failure.after(&format!(
                "the table was made, and the load goes on with --resume from the checkpoint {}",
                checkpoint.path().display()
            )),
            (Holds::NewTable, None) if is_refusal => failure.after("the table was made"),
            _ => failure,
        };
        match removed {
            Ok(()) => failure,
            Err(error) => failure.after(&describe(&error)),
        }
    }
}
