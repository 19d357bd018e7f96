//! Budgets: what a rule counts is held before its grant is registered.
//!
//! A hold is written into the ledger before the store is asked for it, so a store that begins anew is told of
//! everything that may have been taken. It is given back only by those who know that nothing was done.

use farebox_verifier::{GrantId, Selector};

use super::{Issuer, Refused};
use crate::callers::Caller;
use crate::policy::BudgetTerm;
use crate::store::budget::{BudgetKey, Hold, HoldId, Take, TakeError};
use crate::store::desk::{HoldEnd, HoldError};

const NO_AMOUNT: &str = "the rule counts an amount, a limit or a window that no budget has";

impl Issuer {
    /// Holds all that a rule counts, for this grant.
    pub(super) async fn hold_all(
        &self,
        caller: &Caller,
        grant: GrantId,
        terms: &[BudgetTerm],
    ) -> Result<Vec<Hold>, Refused> {
        let mut holds = Vec::new();
        for term in terms {
            match self.hold(caller, grant, term).await {
                Ok(hold) => holds.push(hold),
                Err(refused) => {
                    self.give_up(grant, &holds).await;
                    return Err(refused);
                }
            }
        }
        Ok(holds)
    }

    async fn hold(
        &self,
        caller: &Caller,
        grant: GrantId,
        term: &BudgetTerm,
    ) -> Result<Hold, Refused> {
        let budget = BudgetKey::of(&term.name, &term.key, term.window_seconds);
        let scope = Selector::Agent(caller.name.clone()).scope();
        let BudgetTerm { amount, limit, window_seconds, .. } = *term;
        let take = Take { grant, budget, caller: scope, amount, limit, window_seconds };
        let begun = self.window(&take);
        self.ledger.begin_hold(grant, begun).await.map_err(unheld)?;
        let over = |left, until| Refused::OverBudget { budget: term.name.clone(), left, until };
        match self.store.take(&take).await {
            Ok(hold) if hold == begun => Ok(hold),
            // By the store's clock another window has begun.
            Ok(hold) => self.ledger.begin_hold(grant, hold).await.map(|()| hold).map_err(unheld),
            // It may have been taken: it counts, and asking again with the same grant is safe.
            Err(TakeError::InDoubt) => Err(Refused::StoreDown),
            Err(refused) => {
                // What a store that began anew was told of it meanwhile is taken back there too.
                let (Ok(()) | Err(_)) = self.store.give_back(&begun).await;
                self.end_hold(grant, begun.id).await;
                Err(match refused {
                    TakeError::Over { left, until } => over(Some(left), Some(until)),
                    TakeError::Amount => Refused::Denied { rule: None, why: NO_AMOUNT.to_owned() },
                    TakeError::Closed | TakeError::Down => Refused::StoreDown,
                    _ => Refused::Full,
                })
            }
        }
    }

    /// The hold as it is by this issuer's clock.
    fn window(&self, take: &Take) -> Hold {
        let Take { grant, budget, caller, amount, window_seconds, .. } = *take;
        let now = self.clock.now();
        let from = now.minus(now.0.checked_rem(window_seconds).unwrap_or(0));
        let (id, to) = (HoldId::of(grant, budget), from.plus(window_seconds));
        Hold { id, budget, caller, amount, from, to }
    }

    /// Gives holds back, of a grant that is registered nowhere and never will be. What is not given back now
    /// counts to the end of its window.
    pub(super) async fn give_up(&self, grant: GrantId, holds: &[Hold]) {
        for hold in holds {
            if self.store.give_back(hold).await.is_ok() {
                self.end_hold(grant, hold.id).await;
            }
        }
    }

    async fn end_hold(&self, grant: GrantId, hold: HoldId) {
        // Where it is not heard, the hold counts to the end of its window.
        let (Ok(()) | Err(_)) = self.ledger.end_hold(grant, hold, HoldEnd::GivenBack).await;
    }
}

fn unheld(error: HoldError) -> Refused {
    match error {
        HoldError::Full => Refused::Full,
        _ => Refused::StoreDown,
    }
}
