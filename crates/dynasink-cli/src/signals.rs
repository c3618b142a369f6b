//! Interrupt and terminate: the first asks for a clean end, the second for an immediate one.

use std::future::pending;

/// Ready at the first signal from now on.
pub(crate) async fn first() {
    nth(1).await;
}

/// Ready at the second signal from now on.
pub(crate) async fn second() {
    nth(2).await;
}

#[cfg(unix)]
async fn nth(count: usize) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return pending().await;
    };
    for _ in 0..count {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
async fn nth(count: usize) {
    for _ in 0..count {
        if tokio::signal::ctrl_c().await.is_err() {
            return pending().await;
        }
    }
}
