//! Interrupt, terminate and hang-up: the first asks for a clean end, the second for an immediate one.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A signal that comes so soon after another is the same one: whoever stops a command may send it to the process and to
/// its group.
const ECHO: Duration = Duration::from_millis(250);

/// Counts the signals that come from now on.
///
/// One task takes each as it comes, whoever waits for which: two signals that nobody takes in between are one to the
/// operating system.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    seen: watch::Receiver<usize>,
    /// How many are of no account, since they came before.
    before: usize,
}

impl Signals {
    /// Starts to count. It must run inside a tokio runtime.
    pub(crate) fn listen() -> Self {
        let (count, seen) = watch::channel(0);
        let mut incoming = Incoming::new();
        tokio::spawn(async move {
            let mut last: Option<Instant> = None;
            loop {
                incoming.next().await;
                let came = Instant::now();
                if last.is_none_or(|last| came - last >= ECHO) {
                    count.send_modify(|count| *count += 1);
                    last = Some(came);
                }
            }
        });
        Self { seen, before: 0 }
    }

    /// Those that come from now on: for a step that those before have nothing to say about.
    pub(crate) fn later(&self) -> Self {
        Self {
            seen: self.seen.clone(),
            before: *self.seen.borrow(),
        }
    }

    /// Ready at the first signal.
    pub(crate) async fn first(&self) {
        self.nth(1).await;
    }

    /// Ready at the second signal.
    pub(crate) async fn second(&self) {
        self.nth(2).await;
    }

    async fn nth(&self, n: usize) {
        let mut seen = self.seen.clone();
        let awaited = self.before + n;
        if seen.wait_for(|count| *count >= awaited).await.is_err() {
            pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Incoming(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Incoming {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        // A hang-up that is ignored, as by nohup, stays so.
        if ignores_hang_up() == Some(false) {
            kinds.push(SignalKind::hangup());
        }
        Self(kinds.into_iter().flat_map(signal).collect())
    }

    async fn next(&mut self) {
        std::future::poll_fn(|cx| {
            let mut signals = self.0.iter_mut();
            if signals.any(|signal| signal.poll_recv(cx).is_ready()) {
                return std::task::Poll::Ready(());
            }
            std::task::Poll::Pending
        })
        .await;
    }
}

/// Whether whoever started the command wants hang-ups to be ignored; none where that is not told.
#[cfg(unix)]
fn ignores_hang_up() -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    // The first bit is the first signal, which is the hang-up.
    Some(ignored & 1 == 1)
}

#[cfg(not(unix))]
struct Incoming;

#[cfg(not(unix))]
impl Incoming {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending().await
        }
    }
}

/// What a signal asks of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "these signals are of Unix alone")
)]
pub(crate) enum RateSignal {
    /// `SIGUSR1`.
    Halve,
    /// `SIGUSR2`.
    Double,
}

/// `SIGUSR1` and `SIGUSR2`, which end a process that does not listen. On Windows there are none.
#[derive(Debug)]
pub(crate) struct RateSignals {
    #[cfg(unix)]
    incoming: Option<[tokio::signal::unix::Signal; 2]>,
}

impl RateSignals {
    /// Starts to listen. It must run inside a tokio runtime.
    #[cfg(unix)]
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let listen = || {
            let halve = signal(SignalKind::user_defined1()).ok()?;
            Some([halve, signal(SignalKind::user_defined2()).ok()?])
        };
        Self { incoming: listen() }
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> Self {
        Self {}
    }

    /// The next of them.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> RateSignal {
        match &mut self.incoming {
            Some([halve, double]) => tokio::select! {
                biased;
                _ = halve.recv() => RateSignal::Halve,
                _ = double.recv() => RateSignal::Double,
            },
            None => pending().await,
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> RateSignal {
        pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_ready(signal: impl Future<Output = ()>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(signal).poll(&mut context).is_ready()
    }

    #[test]
    fn who_waits_late_knows_of_the_signals_that_came() {
        let (count, seen) = watch::channel(0);
        let signals = Signals { seen, before: 0 };
        assert!(!is_ready(signals.first()));
        count.send_replace(1);
        assert!(is_ready(signals.first()));
        assert!(!is_ready(signals.second()));
        let later = signals.later();
        // Nobody has waited for the second yet.
        count.send_replace(2);
        assert!(is_ready(signals.second()));
        assert!(is_ready(later.first()) && !is_ready(later.second()));
        assert!(!is_ready(signals.later().first()));
    }
}
