//! What is held of budgets, as plainly as it can be said.

use super::*;

impl Reference {
    pub(super) fn take(&mut self, take: &Take) -> (Said, Kind) {
        let refuse = |error| (Said::Taken(Err(error)), None);
        if !self.open {
            return refuse(TakeError::Closed);
        }
        let id = HoldId::of(take.grant, take.budget);
        if let Some(counted) = self.counted.iter().find(|counted| counted.hold.id == id) {
            let Hold { budget, from, to, .. } = counted.hold;
            if counted.back {
                return refuse(TakeError::GivenBack);
            }
            if self.taken(budget, from) > take.limit {
                return refuse(TakeError::Over { left: 0, until: to });
            }
            return (Said::Taken(Ok(counted.hold)), None);
        }
        if take.amount > limits::AMOUNT_MAX || take.limit > limits::AMOUNT_MAX {
            return refuse(TakeError::Amount);
        }
        let window = self.now.0 / take.window_seconds;
        let from = UnixSeconds(window * take.window_seconds);
        let to = UnixSeconds((window + 1) * take.window_seconds);
        let taken = self.taken(take.budget, from);
        if take.limit < taken + take.amount {
            let left = take.limit.saturating_sub(taken);
            return refuse(TakeError::Over { left, until: to });
        }
        let Take { budget, caller, amount, .. } = *take;
        let hold = Hold { id, budget, caller, amount, from, to };
        if amount == 0 {
            return (Said::Taken(Ok(hold)), None);
        }
        self.counted.push(Counted { hold, back: false });
        (Said::Taken(Ok(hold)), kind(&What::Held { hold }))
    }

    /// The sum of what is held of a budget in the window that begins so.
    pub(crate) fn taken(&self, budget: BudgetKey, from: UnixSeconds) -> u64 {
        let held = self.counted.iter().filter(|counted| !counted.back).map(|counted| counted.hold);
        held.filter(|hold| hold.budget == budget && hold.from == from).map(|hold| hold.amount).sum()
    }

    pub(super) fn give_back(&mut self, id: HoldId) -> (Said, Kind) {
        let mut held = self.counted.iter_mut();
        let Some(counted) = held.find(|counted| counted.hold.id == id && !counted.back) else {
            return (Said::Done(Ok(())), None);
        };
        counted.back = true;
        done(true, &What::GivenBack { hold: counted.hold })
    }
}
