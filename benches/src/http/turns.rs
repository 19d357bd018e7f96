//! Turns: whatever is compared stands side by side, turn by turn, so that a busy second weighs on all of it.

use std::time::Duration;

use farebox::bench::{Bench, Keys, Step, Tally, turn};

use super::issuer::Issuer;
use super::process::processor_time;
use super::provider::{Form, Provider};

/// A minute, as the built-in rule has it: longer than a round.
const TTL_SECONDS: u64 = 60;

/// Everybody who is driven.
pub struct Cast {
    pub on_redis: Issuer,
    pub on_file: Issuer,
    pub provider: Provider,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Store {
    Redis,
    File,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Farebox(Store, Step),
    /// A mint under an idempotency key.
    Keyed(Store),
    Provider(Form),
}

impl Case {
    pub fn name(self) -> String {
        let on = |store| match store {
            Store::Redis => "on Redis",
            Store::File => "in a file",
        };
        match self {
            Case::Farebox(store, step) => format!("{} {}", step.word(), on(store)),
            Case::Keyed(store) => format!("mint with a key {}", on(store)),
            Case::Provider(form) => format!("oidc-provider, {}", form.word()),
        }
    }
}

/// What came of it, over all rounds.
pub struct Figure {
    pub case: Case,
    /// How many in a second, in each round.
    pub rates: Vec<f64>,
    pub tally: Tally,
    /// The processor's time that the servers took.
    processor: Duration,
}

/// What came of one turn.
struct Came {
    case: Case,
    tally: Tally,
    processor: Duration,
}

impl Figure {
    /// The processor's time for one, in microseconds.
    pub fn processor_micros(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.tally.done() as f64
    }

    pub fn rate(&self) -> f64 {
        median(self.rates.clone())
    }

    /// The median of the rounds' ratios.
    pub fn over(&self, base: &Figure) -> f64 {
        median(self.rates.iter().zip(&base.rates).map(|(a, b)| a / b).collect())
    }

    pub fn micros(&self, of_hundred: u64) -> f64 {
        self.tally.latencies().percentile(of_hundred).as_secs_f64() * 1e6
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Size {
    pub workers: usize,
    pub rounds: usize,
    pub turn: Duration,
}

/// All of it, in so many rounds, after one that counts for nothing.
pub async fn measure(cast: &Cast, size: Size) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for number in 0..=size.rounds {
        let mut round = Vec::new();
        for form in Form::ALL {
            round.push(ask(&cast.provider, form, size).await);
            // Beside the form that the goal names stands what is held against it.
            if form == Form::Rs256 {
                live(cast, Store::Redis, (number, size), &mut round).await;
            }
        }
        live(cast, Store::File, (number, size), &mut round).await;
        for came in round {
            let (name, refused) = (came.case.name(), came.tally.refused());
            assert!(refused.is_empty() && came.tally.done() > 0, "{name}: {refused:?}");
            if number > 0 {
                keep(&mut figures, &came);
            }
        }
    }
    figures
}

fn keep(figures: &mut Vec<Figure>, came: &Came) {
    let at = figures.iter().position(|figure| figure.case == came.case).unwrap_or_else(|| {
        let (tally, processor) = (Tally::default(), Duration::ZERO);
        figures.push(Figure { case: came.case, rates: Vec::new(), tally, processor });
        figures.len() - 1
    });
    let figure = &mut figures[at];
    figure.rates.push(came.tally.per_second() as f64);
    figure.tally.add(&came.tally);
    figure.processor += came.processor;
}

/// A turn, and what these servers took for it.
async fn weighed(case: Case, servers: &[u32], turn: impl Future<Output = Tally>) -> Came {
    let before = processor_time(servers);
    let tally = turn.await;
    Came { case, tally, processor: processor_time(servers).saturating_sub(before) }
}

async fn ask(provider: &Provider, form: Form, size: Size) -> Came {
    let askers = provider.askers(form, size.workers).await;
    let turn = async { turn(askers, size.turn).await.1 };
    weighed(Case::Provider(form), &provider.process_ids(), turn).await
}

/// Every step of one store.
async fn live(cast: &Cast, store: Store, (number, size): (usize, Size), round: &mut Vec<Came>) {
    let issuer = match store {
        Store::Redis => &cast.on_redis,
        Store::File => &cast.on_file,
    };
    let servers = issuer.process_ids();
    let plan = issuer.plan(number, TTL_SECONDS, Keys::None);
    let mut bench = Bench::open(&plan, size.workers).await.unwrap();
    for step in [Step::Mint, Step::Spend, Step::Settle, Step::Life] {
        // What was minted is spent and settled to the last, however long that takes.
        let at_most = match step {
            Step::Mint | Step::Life => size.turn,
            Step::Spend | Step::Settle => Duration::from_secs(TTL_SECONDS / 2),
        };
        let turn = bench.turn(step, at_most);
        round.push(weighed(Case::Farebox(store, step), &servers, turn).await);
    }
    let plan = issuer.plan(number, TTL_SECONDS, Keys::Fresh);
    let mut keyed = Bench::open(&plan, size.workers).await.unwrap();
    let turn = keyed.turn(Step::Mint, size.turn);
    round.push(weighed(Case::Keyed(store), &servers, turn).await);
}
