//! Measures many things at once, turn by turn, so that a noisy second falls on all of them.

use std::time::Instant;

/// Something to measure.
pub struct Case {
    pub name: &'static str,
    pub run: Box<dyn FnMut()>,
}

impl Case {
    pub fn new(name: &'static str, run: impl FnMut() + 'static) -> Case {
        Case { name, run: Box::new(run) }
    }
}

/// The microseconds that each round's turn took for one run.
pub struct Figure {
    pub name: &'static str,
    pub micros: Vec<f64>,
}

impl Figure {
    pub fn median(&self) -> f64 {
        median(self.micros.clone())
    }

    /// The median of the rounds' ratios: each turn against the other's turn of the same round.
    pub fn over(&self, base: &Figure) -> f64 {
        median(self.micros.iter().zip(&base.micros).map(|(a, b)| a / b).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How long one turn lasts, about: long enough that the caches it finds cold do not weigh.
const TURN_MICROS: f64 = 4000.0;

pub fn measure(cases: &mut [Case], rounds: usize) -> Vec<Figure> {
    let repeats: Vec<u32> = cases.iter_mut().map(|case| repeats(&mut case.run)).collect();
    let mut figures: Vec<Figure> = cases
        .iter()
        .map(|case| Figure { name: case.name, micros: Vec::with_capacity(rounds) })
        .collect();
    for _ in 0..rounds {
        for ((case, repeats), figure) in cases.iter_mut().zip(&repeats).zip(&mut figures) {
            figure.micros.push(turn(&mut case.run, *repeats));
        }
    }
    figures
}

fn repeats(run: &mut dyn FnMut()) -> u32 {
    turn(run, 50);
    (TURN_MICROS / turn(run, 50)).clamp(1.0, 2_000.0) as u32
}

fn turn(run: &mut dyn FnMut(), repeats: u32) -> f64 {
    let begun = Instant::now();
    for _ in 0..repeats {
        run();
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(repeats)
}
