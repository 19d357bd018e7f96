//! A store that tells what it heard, and fails when it is told to.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use farebox_verifier::{
    Answer, Attempt, GrantId, Memory, Outcome, Receipt, SettleError, SpendError, SpendStore, Ticket,
};
use tokio::sync::watch;

use super::fixture::soon;
use super::running::Mark;

pub(crate) struct Watched {
    memory: Memory,
    /// Answers to the next spends, in place of the memory's.
    spends: Mutex<VecDeque<SpendError>>,
    /// Answers to the next reports, in place of the memory's.
    reports: Mutex<VecDeque<SettleError>>,
    /// Whether spends are carried out and never answered.
    mute: AtomicBool,
    /// Set when a report comes in, and what its answer waits for.
    held: Mutex<Option<(Mark, Mark)>>,
    /// Whether it takes no reports.
    deaf: AtomicBool,
    heard: watch::Sender<Heard>,
}

/// What the memory behind it heard.
#[derive(Clone, Default)]
pub(crate) struct Heard {
    /// Attempts that took a use.
    pub(crate) attempts: Vec<[u8; 16]>,
    /// Reports that were taken.
    pub(crate) settled: Vec<(GrantId, Outcome)>,
    /// Reports that were not.
    pub(crate) unheard: usize,
}

impl Watched {
    pub(crate) fn over(memory: Memory) -> Watched {
        Watched {
            memory,
            spends: Mutex::default(),
            reports: Mutex::default(),
            held: Mutex::default(),
            mute: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            heard: watch::Sender::new(Heard::default()),
        }
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Refuses the next spends so.
    pub(crate) fn refuse(&self, errors: impl IntoIterator<Item = SpendError>) {
        self.spends.lock().unwrap().extend(errors);
    }

    /// Refuses the next reports so.
    pub(crate) fn refuse_reports(&self, errors: impl IntoIterator<Item = SettleError>) {
        self.reports.lock().unwrap().extend(errors);
    }

    /// Marks that a report came in, and answers it when it is told to.
    pub(crate) fn hold_reports(&self, asked: Mark, answer: Mark) {
        *self.held.lock().unwrap() = Some((asked, answer));
    }

    /// Takes uses, and tells nobody.
    pub(crate) fn fall_mute(&self) {
        self.mute.store(true, Ordering::SeqCst);
    }

    /// Takes no reports until [`Watched::hear`].
    pub(crate) fn fall_deaf(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }

    pub(crate) fn hear(&self) {
        self.deaf.store(false, Ordering::SeqCst);
    }

    pub(crate) fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// How many uses were taken.
    pub(crate) fn spent(&self) -> usize {
        self.heard().attempts.len()
    }

    /// Awaits the first report of a grant.
    pub(crate) async fn outcome(&self, grant: GrantId) -> Outcome {
        let of = |heard: &Heard| {
            heard.settled.iter().find(|(g, _)| *g == grant).map(|(_, outcome)| *outcome)
        };
        let mut news = self.heard.subscribe();
        let heard = soon(news.wait_for(|heard| of(heard).is_some())).await;
        of(&heard.unwrap()).unwrap()
    }

    /// Awaits a report that is not taken.
    pub(crate) async fn unheard(&self) {
        let mut news = self.heard.subscribe();
        soon(news.wait_for(|heard| heard.unheard > 0)).await.unwrap();
    }
}

impl SpendStore for Watched {
    fn spend<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        Box::pin(async move {
            if let Some(error) = self.spends.lock().unwrap().pop_front() {
                return Err(error);
            }
            let receipt = self.memory.spend(ticket, attempt).await?;
            self.heard.send_modify(|heard| heard.attempts.push(*attempt.expose()));
            if self.mute.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            Ok(receipt)
        })
    }

    fn settle<'a>(
        &'a self,
        ticket: &'a Ticket,
        attempt: &'a Attempt,
        outcome: Outcome,
    ) -> Answer<'a, Result<(), SettleError>> {
        Box::pin(async move {
            let held = self.held.lock().unwrap().clone();
            if let Some((asked, answer)) = held {
                asked.set();
                answer.reached().await;
            }
            let down = self.deaf.load(Ordering::SeqCst).then_some(SettleError::Down);
            if let Some(error) = down.or_else(|| self.reports.lock().unwrap().pop_front()) {
                self.heard.send_modify(|heard| heard.unheard += 1);
                return Err(error);
            }
            self.memory.settle(ticket, attempt, outcome).await?;
            self.heard.send_modify(|heard| heard.settled.push((ticket.grant, outcome)));
            Ok(())
        })
    }
}
