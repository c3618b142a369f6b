//! The end of a pipe that costs next to nothing, and how items get there.

use std::convert::Infallible;
use std::fmt::Debug;

use dynasink::{StageError, drive};
use futures::{FutureExt, Sink, SinkExt, StreamExt, sink, stream};

/// Drops what it takes.
pub(crate) fn drain<T>() -> impl Sink<T, Error = StageError> {
    sink::drain().sink_map_err(|never: Infallible| match never {})
}

/// Drives `items` into a sink that never waits.
pub(crate) fn run<T>(items: Vec<T>, sink: impl Sink<T, Error: Debug>) {
    let items = stream::iter(items).map(Ok::<_, Infallible>);
    drive(items, sink)
        .now_or_never()
        .expect("no stage waits")
        .expect("no stage fails");
}
