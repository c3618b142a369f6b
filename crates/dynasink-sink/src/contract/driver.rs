//! One run: legal calls on a stage, and an environment that blocks and unblocks it.

mod checks;

use std::{
    fmt::Debug,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::Sink;

use super::{
    Expect, Method, Probe, Rule, WakeCounter,
    clock::Clock,
    trace::{Answer, Event},
};

/// Polls that a flush or close may take once nothing blocks, besides some for every input.
const MAX_SETTLING_POLLS: usize = 64;

/// A broken rule and how; the case and the trace are added by the caller.
pub(super) type Breach = (Rule, String);

/// A stage in the middle of a run.
pub(super) struct Driver<'a, In, Out, S> {
    sink: Pin<Box<S>>,
    probe: &'a Probe<Out>,
    expect: &'a Expect<In, Out>,
    clock: &'a Clock,
    inputs: std::vec::IntoIter<In>,
    /// For a `start_send` after an error, when nothing may be left to send.
    spare: Option<In>,
    sent: Vec<In>,
    granted: bool,
    /// The last outer call, if it was `Pending` and nothing has been called since.
    waiting: Option<(Method, Arc<WakeCounter>)>,
    /// What the stage owes after (sent, delivered).
    owed: (usize, (usize, usize)),
    end: Option<End>,
    pub(super) pendings: usize,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    Failed,
}

impl<'a, In, Out, S> Driver<'a, In, Out, S>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    pub(super) fn new(
        sink: S,
        probe: &'a Probe<Out>,
        expect: &'a Expect<In, Out>,
        clock: &'a Clock,
        inputs: Vec<In>,
    ) -> Self {
        Self {
            sink: Box::pin(sink),
            probe,
            expect,
            clock,
            spare: inputs.first().cloned(),
            inputs: inputs.into_iter(),
            sent: Vec::new(),
            granted: false,
            waiting: None,
            owed: (0, (0, 0)),
            end: None,
            pendings: 0,
        }
    }

    pub(super) const fn is_granted(&self) -> bool {
        self.granted
    }

    pub(super) const fn end(&self) -> Option<End> {
        self.end
    }

    pub(super) fn sent(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn unsent(&self) -> usize {
        self.inputs.len()
    }

    /// The method to call again, if the last call was `Pending`.
    pub(super) fn waiting_for(&self) -> Option<Method> {
        self.waiting.as_ref().map(|(method, _)| *method)
    }

    /// One poll with a waker of its own, and every check that can be made of its answer.
    pub(super) fn poll(&mut self, method: Method) -> Result<Answer, Breach> {
        if method == Method::StartSend {
            return self.send().map(|()| Answer::Ready);
        }
        let counter = WakeCounter::new();
        let waker = counter.waker();
        let mut cx = Context::from_waker(&waker);
        let before = self.probe.snapshot();
        self.probe.record(Event::Called(method));
        let sink = self.sink.as_mut();
        let poll = match method {
            Method::PollReady => sink.poll_ready(&mut cx),
            Method::PollFlush => sink.poll_flush(&mut cx),
            Method::PollClose | Method::StartSend => sink.poll_close(&mut cx),
        };
        let answer = Answer::of(&poll);
        self.probe.record(Event::Returned(method, answer));
        let after = self.probe.snapshot();
        self.check_breaches()?;
        let missed = self
            .waiting
            .take()
            .is_some_and(|(waiting, waker)| waiting == method && !waker.is_woken());
        if self.check_error(method, &poll, after)? {
            return Ok(answer);
        }
        let idle = self.owed.0 == 0;
        self.check_delivery()?;
        if missed && (answer == Answer::Ready || after.delivered > before.delivered) {
            self.breach(Rule::Wake, || {
                format!("{method} was Pending, goes on when polled again, but the waker was not woken in between")
            })?;
        }
        match method {
            Method::PollReady => self.check_ready(answer)?,
            Method::PollFlush => self.check_flush(answer, after)?,
            Method::PollClose | Method::StartSend => self.check_close(answer, after)?,
        }
        if method != Method::PollReady {
            self.check_idle(method, answer, idle, before, after)?;
        }
        if answer == Answer::Pending {
            self.pendings += 1;
            if counter.is_woken() && before.progress == after.progress {
                self.breach(Rule::Spin, || {
                    format!("{method} was Pending and woke its own waker, with no progress below")
                })?;
            }
            self.waiting = Some((method, counter));
        }
        Ok(answer)
    }

    /// `start_send` of the next input. Does nothing without a grant or an input.
    pub(super) fn send(&mut self) -> Result<(), Breach> {
        if !self.granted {
            return Ok(());
        }
        let Some(item) = self.inputs.next() else {
            return Ok(());
        };
        let before = self.probe.snapshot();
        self.probe.record(Event::Sending(self.sent.len()));
        self.granted = false;
        self.waiting = None;
        self.sent.push(item.clone());
        let poll = Poll::Ready(self.sink.as_mut().start_send(item));
        self.probe
            .record(Event::Returned(Method::StartSend, Answer::of(&poll)));
        let after = self.probe.snapshot();
        self.check_breaches()?;
        if self.check_error(Method::StartSend, &poll, after)? {
            return Ok(());
        }
        if after.polls() != before.polls() {
            self.breach(Rule::StartSend, || {
                "start_send polled the inner sink".to_owned()
            })?;
        }
        self.check_delivery()
    }

    /// Takes away all that blocks, except time, which passes. The waker of the last call must wake.
    pub(super) fn expect_wake(&self) -> Result<(), Breach> {
        let Some((method, counter)) = &self.waiting else {
            return Ok(());
        };
        if !counter.is_woken() {
            let gates = self.probe.gates();
            self.probe.unblock();
            if let Some(passed) = self.clock.pass_until(|| counter.is_woken()) {
                self.probe.record(Event::Advanced(passed));
            }
            self.probe.restore(gates);
        }
        if counter.is_woken() {
            return Ok(());
        }
        self.breach(Rule::Wake, || {
            format!("{method} was Pending, nothing blocks any more, and the waker of that call was not woken")
        })
    }

    /// Polls as an executor does, on a wake only, until the method is done, with nothing in the way.
    pub(super) fn settle(&mut self, method: Method) -> Result<(), Breach> {
        let gates = self.probe.gates();
        self.probe.unblock();
        let limit = MAX_SETTLING_POLLS + 4 * self.sent.len();
        for _ in 0..limit {
            if self.end.is_some() || self.poll(method)? != Answer::Pending {
                self.probe.restore(gates);
                return Ok(());
            }
            self.expect_wake()?;
        }
        self.breach(Rule::Termination, || {
            format!("{method} was Pending {limit} times though nothing blocked")
        })
    }

    /// Every call after an error must be an error and leave the inner sink alone.
    pub(super) fn check_fused(&mut self) -> Result<(), Breach> {
        if self.end != Some(End::Failed) || self.expect.is_waived(Rule::Error) {
            return Ok(());
        }
        for method in Method::ALL
            .into_iter()
            .chain([Method::PollClose, Method::PollReady])
        {
            let mut cx = Context::from_waker(Waker::noop());
            let before = self.probe.snapshot();
            self.probe.record(Event::Called(method));
            let sink = self.sink.as_mut();
            let poll = match (method, self.spare.clone()) {
                (Method::PollReady, _) => sink.poll_ready(&mut cx),
                (Method::PollFlush, _) => sink.poll_flush(&mut cx),
                (Method::PollClose, _) => sink.poll_close(&mut cx),
                (Method::StartSend, Some(item)) => Poll::Ready(sink.start_send(item)),
                (Method::StartSend, None) => continue,
            };
            let answer = Answer::of(&poll);
            self.probe.record(Event::Returned(method, answer));
            self.check_breaches()?;
            if answer != Answer::Failed || self.probe.snapshot().calls != before.calls {
                self.breach(Rule::Error, || format!("{method} after an error answered {answer:?}, not the error of a failed sink"))?;
            }
        }
        Ok(())
    }

    /// `poll_close` once more after `Ready`. It may answer what it likes, without the inner sink.
    pub(super) fn close_again(&mut self) -> Result<(), Breach> {
        let before = self.probe.snapshot();
        self.probe.record(Event::Called(Method::PollClose));
        let poll = self
            .sink
            .as_mut()
            .poll_close(&mut Context::from_waker(Waker::noop()));
        self.probe
            .record(Event::Returned(Method::PollClose, Answer::of(&poll)));
        if self.probe.snapshot().calls != before.calls {
            self.breach(Rule::SecondClose, || {
                "poll_close after it had been Ready called the inner sink, which was closed"
                    .to_owned()
            })?;
        }
        Ok(())
    }

    /// One change of what the environment allows.
    pub(super) fn change(&self, slots: usize, gates: Option<(bool, bool)>) {
        if slots > 0 {
            self.probe.grant(slots);
        }
        if let Some((flush, close)) = gates {
            self.probe.set_gates(flush, close);
        }
    }

    /// Lets some time pass, if the stage has timers.
    pub(super) fn pass_time(&self, rng: &mut fastrand::Rng) {
        if let Some(passed) = self.clock.pass_some(rng) {
            self.probe.record(Event::Advanced(passed));
        }
    }

    /// Lets everything through from now on.
    pub(super) fn unblock(&self) {
        self.probe.unblock();
    }
}

impl<In, Out, S> Drop for Driver<'_, In, Out, S> {
    fn drop(&mut self) {
        self.probe.record(Event::Dropped);
    }
}
