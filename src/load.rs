//! Load: callers who do one thing after another, and how long each took.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

/// What came of a load.
#[derive(Clone, Debug)]
pub struct Load {
    took: Duration,
    /// How long each took that went well, the shortest first.
    latencies: Vec<Duration>,
    refused: usize,
}

impl Load {
    /// How many went well.
    #[must_use]
    pub fn done(&self) -> usize {
        self.latencies.len()
    }

    /// How many did not.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// How many went well in a second.
    #[must_use]
    pub fn per_second(&self) -> u64 {
        let done = u64::try_from(self.done()).unwrap_or(u64::MAX);
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        done.saturating_mul(1_000_000) / micros.max(1)
    }

    /// So many of a hundred took no longer than this.
    #[must_use]
    pub fn percentile(&self, of_hundred: usize) -> Duration {
        let place = self.latencies.len().saturating_mul(of_hundred).div_ceil(100).saturating_sub(1);
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

/// Deals things out to so many callers, each of whom does one after the other; nothing that is done comes to
/// nothing, but for what was refused.
pub async fn drive<T, R, F>(
    callers: usize,
    things: Vec<T>,
    deed: impl Fn(T) -> F + Clone + Send + 'static,
) -> (Load, Vec<R>)
where
    T: Send + 'static,
    R: Send + 'static,
    F: Future<Output = Option<R>> + Send + 'static,
{
    let mut hands: Vec<Vec<T>> = (0..callers.max(1)).map(|_caller| Vec::new()).collect();
    let mut things = things.into_iter();
    while things.len() > 0 {
        hands.iter_mut().zip(&mut things).for_each(|(hand, thing)| hand.push(thing));
    }
    let begun = Instant::now();
    let mut acting = JoinSet::new();
    for hand in hands {
        acting.spawn(act(hand, deed.clone()));
    }
    let acted = acting.join_all().await;
    let mut load = Load { took: begun.elapsed(), latencies: Vec::new(), refused: 0 };
    let mut results = Vec::new();
    for (latencies, refused, came) in acted {
        load.latencies.extend(latencies);
        load.refused += refused;
        results.extend(came);
    }
    load.latencies.sort_unstable();
    (load, results)
}

async fn act<T, R, F: Future<Output = Option<R>>>(
    hand: Vec<T>,
    deed: impl Fn(T) -> F,
) -> (Vec<Duration>, usize, Vec<R>) {
    let (mut latencies, mut refused, mut came) = (Vec::new(), 0, Vec::new());
    for thing in hand {
        let begun = Instant::now();
        match deed(thing).await {
            Some(result) => {
                latencies.push(begun.elapsed());
                came.push(result);
            }
            None => refused += 1,
        }
    }
    (latencies, refused, came)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_is_done_once_and_counted() {
        for callers in [0, 1, 3, 64] {
            let things: Vec<u32> = (0..100).collect();
            let deed = async |thing: u32| (!thing.is_multiple_of(10)).then_some(thing);
            let (load, mut came) = drive(callers, things, deed).await;
            came.sort_unstable();
            assert!(came.into_iter().eq((0..100).filter(|thing| thing % 10 > 0)), "{callers}");
            assert_eq!((load.done(), load.refused()), (90, 10));
            assert!(load.percentile(50) <= load.percentile(99));
            assert!(load.per_second() > 0);
        }
    }

    #[test]
    fn a_percentile_is_one_of_the_latencies() {
        let latencies: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        let load = Load { took: Duration::from_secs(2), latencies, refused: 0 };
        assert_eq!(load.per_second(), 100);
        let expected = [(1, 2), (50, 100), (99, 198), (100, 200)];
        assert!(expected.iter().all(|(of, ms)| load.percentile(*of).as_millis() == *ms));
        let none = Load { latencies: Vec::new(), ..load };
        assert_eq!((none.percentile(50), none.per_second()), (Duration::ZERO, 0));
    }
}
