//! Steps at so many callers at once, each beside the others in one round.

use std::sync::Arc;

use farebox::load::Load;

use super::Size;
use super::bare::Bare;
use super::deeds;
use super::scene::{Scene, drain, scene};

pub const CALLERS: [usize; 4] = [1, 16, 64, 256];
pub const STEPS: [&str; 6] =
    ["register", "spend", "settle", "unfenced spend", "empty function", "`SET NX`"];

/// A step at so many callers, round by round.
pub struct Figure {
    pub step: &'static str,
    pub callers: usize,
    pub loads: Vec<Load>,
}

/// farebox's spend beside the unfenced one, pair by pair.
pub struct Pairs {
    /// How many a second, over theirs.
    pub rates: Vec<f64>,
    /// The 99th of a hundred, over theirs.
    pub tails: Vec<f64>,
    /// How many a second, over those of the bare `SET NX`.
    pub over_set: Vec<f64>,
}

pub async fn measure(size: &Size) -> Vec<Figure> {
    let (scene, mut figures) = (scene().await, Vec::new());
    let bare = Bare::on(&scene.redis).await;
    for callers in CALLERS {
        let count = if callers == 1 { size.grants / 8 } else { size.grants };
        let mut of: Vec<Figure> =
            STEPS.iter().map(|step| Figure { step, callers, loads: Vec::new() }).collect();
        for round in 0..size.rounds {
            let loads = one_round(&scene, &bare, callers, count, round).await;
            of.iter_mut().zip(loads).for_each(|(figure, load)| figure.loads.push(load));
        }
        figures.extend(of);
    }
    figures
}

async fn one_round(
    scene: &Scene,
    bare: &Bare,
    callers: usize,
    count: usize,
    round: usize,
) -> [Load; 6] {
    let (register, tickets) =
        deeds::register(&scene.fleet, callers, deeds::registrations(count)).await;
    let (spend, spent) = deeds::spend(&scene.spender, callers, tickets).await;
    let settle = deeds::settle(&scene.spender, callers, spent).await;
    let keys = bare.issue(&format!("t{callers}-{round}"), count).await;
    let evalsha = deeds::evalsha(bare, callers, keys).await;
    let nothing = deeds::empty_call(bare, callers, count).await;
    let keys = (0..count).map(|number| format!("n{callers}-{round}-{number}")).collect();
    let set = deeds::set_nx(bare, callers, keys).await;
    bare.clear().await;
    drain(Arc::clone(&scene.fleet) as _).await;
    [register, spend, settle, evalsha, nothing, set]
}

pub async fn pairs(size: &Size) -> Pairs {
    let scene = scene().await;
    let bare = Bare::on(&scene.redis).await;
    let mut pairs = Pairs { rates: Vec::new(), tails: Vec::new(), over_set: Vec::new() };
    for pair in 0..=size.pairs {
        let grants = deeds::registrations(size.grants);
        let (_, tickets) = deeds::register(&scene.fleet, 64, grants).await;
        let keys = bare.issue(&format!("p{pair}"), size.grants).await;
        let names = (0..size.grants).map(|number| format!("q{pair}-{number}")).collect();
        // Who comes first has a colder cache: by turns.
        let (ours, theirs) = if pair % 2 == 0 {
            let ours = deeds::spend(&scene.spender, 64, tickets).await.0;
            (ours, deeds::evalsha(&bare, 64, keys).await)
        } else {
            let theirs = deeds::evalsha(&bare, 64, keys).await;
            (deeds::spend(&scene.spender, 64, tickets).await.0, theirs)
        };
        let set = deeds::set_nx(&bare, 64, names).await;
        bare.clear().await;
        drain(Arc::clone(&scene.fleet) as _).await;
        // The first pair warms everything up.
        if pair > 0 {
            pairs.rates.push(ours.per_second() as f64 / theirs.per_second() as f64);
            let tail = |load: &Load| load.percentile(99).as_secs_f64();
            pairs.tails.push(tail(&ours) / tail(&theirs));
            pairs.over_set.push(ours.per_second() as f64 / set.per_second() as f64);
        }
    }
    pairs
}
