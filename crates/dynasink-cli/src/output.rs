//! What a command prints to stdout.

use std::io::{self, ErrorKind, StdoutLock, Write, stdout};

use crate::failure::Failure;

/// Prints what `write` writes. Who closes stdout, as `head` does, has read enough, so that it is no failure.
pub(crate) fn print(
    write: impl FnOnce(&mut StdoutLock<'static>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::stopped_because(
            format!("the report cannot be written to stdout: {error}"),
        )),
        _ => Ok(()),
    }
}
