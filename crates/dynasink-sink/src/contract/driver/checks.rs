//! What must hold after each call.

use std::{fmt::Debug, task::Poll};

use futures::Sink;

use super::{Breach, Driver, End};
use crate::contract::{Method, Rule, StrictError, strict_sink::Snapshot, trace::Answer};

impl<In, Out, S> Driver<'_, In, Out, S>
where
    In: Clone,
    S: Sink<In>,
    S::Error: Debug,
{
    pub(super) fn breach(
        &self,
        rule: Rule,
        message: impl FnOnce() -> String,
    ) -> Result<(), Breach> {
        if self.expect.is_waived(rule) {
            Ok(())
        } else {
            Err((rule, message()))
        }
    }

    pub(super) fn check_breaches(&self) -> Result<(), Breach> {
        let breach = self
            .probe
            .breaches()
            .into_iter()
            .find(|(rule, _)| !self.expect.is_waived(*rule));
        breach.map_or(Ok(()), Err)
    }

    /// Whether the call ended the run by an error.
    pub(super) fn check_error(
        &mut self,
        method: Method,
        poll: &Poll<Result<(), S::Error>>,
        after: Snapshot,
    ) -> Result<bool, Breach> {
        let Some((failed, call)) = after.failure else {
            let Poll::Ready(Err(error)) = poll else {
                return Ok(false);
            };
            return Err((
                Rule::Error,
                format!("{method} failed though nothing below had: {error:?}"),
            ));
        };
        self.end = Some(End::Failed);
        let injected = format!(
            "{:?}",
            StrictError::Injected {
                method: failed,
                call
            }
        );
        match poll {
            Poll::Ready(Err(error)) if format!("{error:?}").contains(&injected) => {}
            Poll::Ready(Err(error)) => {
                self.breach(Rule::Error, || {
                    format!("inner {failed} failed, but the error of {method} does not show that error: {error:?}")
                })?;
            }
            _ => self.breach(Rule::Error, || {
                format!(
                    "inner {failed} failed in this call, but {method} answered {:?}",
                    Answer::of(poll)
                )
            })?,
        }
        Ok(true)
    }

    pub(super) fn check_delivery(&mut self) -> Result<(), Breach> {
        let now = (self.sent.len(), self.probe.snapshot().delivered);
        if self.owed.1 == now {
            return Ok(());
        }
        let owed = self
            .probe
            .with_delivered(|delivered| self.expect.judge(&self.sent, delivered));
        let owed = match owed {
            Ok(owed) => owed,
            Err(problem) => return self.breach(Rule::Delivery, || problem),
        };
        self.owed = (owed, now);
        let max_held = self.expect.max_held;
        if owed > max_held {
            self.breach(Rule::Bound, || {
                format!("{owed} are held, the bound is {max_held}")
            })?;
        }
        Ok(())
    }

    pub(super) fn check_ready(&mut self, answer: Answer) -> Result<(), Breach> {
        if self.granted && answer == Answer::Pending {
            self.breach(Rule::GrantHeld, || {
                "poll_ready was Ready, is Pending now, and nothing was sent in between".to_owned()
            })?;
        }
        self.granted = answer == Answer::Ready;
        Ok(())
    }

    pub(super) fn check_flush(&self, answer: Answer, after: Snapshot) -> Result<(), Breach> {
        if answer != Answer::Ready {
            return Ok(());
        }
        self.check_all_delivered(Rule::Flush, "poll_flush")?;
        if !after.flushed {
            self.breach(Rule::Flush, || {
                "poll_flush is Ready, but the inner poll_flush was not Ready after the last item"
                    .to_owned()
            })?;
        }
        Ok(())
    }

    pub(super) fn check_close(&mut self, answer: Answer, after: Snapshot) -> Result<(), Breach> {
        self.granted = false;
        if answer != Answer::Ready {
            return Ok(());
        }
        self.end = Some(End::Closed);
        self.check_all_delivered(Rule::Close, "poll_close")?;
        if !after.closed {
            self.breach(Rule::Close, || {
                "poll_close is Ready, but the inner sink is not closed".to_owned()
            })?;
        }
        Ok(())
    }

    fn check_all_delivered(&self, rule: Rule, method: &str) -> Result<(), Breach> {
        let owed = self.owed.0;
        if owed == 0 {
            return Ok(());
        }
        self.breach(rule, || {
            let (sent, delivered) = self.owed.1;
            format!(
                "{method} is Ready with {owed} still held: {sent} were sent, {delivered} arrived"
            )
        })
    }

    pub(super) fn check_idle(
        &self,
        method: Method,
        answer: Answer,
        idle: bool,
        before: Snapshot,
        after: Snapshot,
    ) -> Result<(), Breach> {
        if idle && after.calls(Method::PollReady) != before.calls(Method::PollReady) {
            self.breach(Rule::IdleFlush, || {
                format!("{method} with nothing held called inner poll_ready")
            })?;
        }
        let took = after.reservations > before.reservations;
        if answer == Answer::Ready && took && after.reserved && !self.granted {
            self.breach(Rule::IdleFlush, || {
                format!("{method} took an inner slot that it had no item for")
            })?;
        }
        Ok(())
    }
}
