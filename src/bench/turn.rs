//! A turn: so many hands at once, each doing one thing after another, for so long.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::tally::Tally;

/// The code of what got no answer.
pub(super) const UNREACHABLE: &str = "unreachable";
/// How long a hand rests whose server is away: it is not to be kept from coming back.
const REST: Duration = Duration::from_millis(100);

/// Why something was not done: the code that a program goes by, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The code of the problem that was answered; `unreachable` where nothing was.
    pub code: Box<str>,
    /// What the problem says.
    pub detail: Box<str>,
}

impl Refused {
    /// There was no answer.
    #[must_use]
    pub fn unreachable(why: &dyn std::fmt::Display) -> Refused {
        Refused { code: UNREACHABLE.into(), detail: why.to_string().into() }
    }

    /// The answer is none that was asked for.
    #[must_use]
    pub fn garbled() -> Refused {
        Refused { code: "garbled".into(), detail: "this is nothing that an issuer says".into() }
    }
}

/// Somebody who does the same thing again and again.
pub trait Hand: Send + 'static {
    /// Does it once; nothing where there is nothing left to do.
    fn act(&mut self) -> impl Future<Output = Option<Result<(), Refused>>> + Send;
}

/// Lets them act until the time is over or nothing is left, and gives them back with what came of it.
pub async fn turn<H: Hand>(hands: Vec<H>, at_most: Duration) -> (Vec<H>, Tally) {
    let begun = Instant::now();
    let mut acting = JoinSet::new();
    for hand in hands {
        acting.spawn(act(hand, begun + at_most));
    }
    let acted = acting.join_all().await;
    let mut tally = Tally::over(begun.elapsed());
    let hands = acted.into_iter().map(|(hand, part)| {
        tally.add(&part);
        hand
    });
    (hands.collect(), tally)
}

async fn act<H: Hand>(mut hand: H, end: Instant) -> (H, Tally) {
    let mut tally = Tally::default();
    let mut begun = Instant::now();
    while begun < end {
        let Some(came) = hand.act().await else { break };
        let now = Instant::now();
        match came {
            Ok(()) => tally.done_in(now - begun),
            Err(refused) => {
                if &*refused.code == UNREACHABLE {
                    tokio::time::sleep(REST).await;
                }
                tally.refused_by(refused.code);
            }
        }
        begun = Instant::now();
    }
    (hand, tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses each third, and has nothing to do after so many.
    struct Few(u32);

    impl Hand for Few {
        async fn act(&mut self) -> Option<Result<(), Refused>> {
            self.0 = self.0.checked_sub(1)?;
            Some(if self.0.is_multiple_of(3) { Err(Refused::garbled()) } else { Ok(()) })
        }
    }

    #[tokio::test]
    async fn everything_is_counted_once_and_hands_come_back() {
        let (hands, tally) = turn((0..7).map(|_| Few(30)).collect(), Duration::from_mins(1)).await;
        assert_eq!(hands.len(), 7);
        assert_eq!(tally.done(), 140);
        assert_eq!(tally.refused().get("garbled"), Some(&70));
        assert!(tally.per_second() > 0);
    }

    /// Never has anything but a wait.
    struct Endless;

    impl Hand for Endless {
        async fn act(&mut self) -> Option<Result<(), Refused>> {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Some(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_with_its_time() {
        let (_, tally) = turn(vec![Endless, Endless], Duration::from_secs(2)).await;
        assert_eq!((tally.done(), tally.per_second()), (400, 200));
    }
}
