//! When may a life leave the list? Each rule for it, with and without the tie, under each kind of fault.

use crate::bounds::{ALL, Bounds, Kind};
use crate::case::{Case, Expected};
use crate::fleet::Fleet;
use crate::promise::REVOKING;
use crate::property::Watch;
use crate::rules::{Over, Rules};
use crate::run;

/// A kind of weather: a name, the faults in it, and how many.
struct Weather {
    name: &'static str,
    kinds: &'static [Kind],
    faults: u8,
    /// Whether dropping a renamed life is safe in it: with the tie, and without.
    renamed: [Expected; 2],
}

const HOLDS: Expected = Expected::Holds;
const BREAKS: Expected = Expected::Breaks;

const WEATHERS: [Weather; 6] = [
    weather("graceful failovers", &[Kind::Failover], 4, [HOLDS, BREAKS]),
    weather("and resyncs", &[Kind::Failover, Kind::Following], 3, [HOLDS, BREAKS]),
    weather("and lost memory", &[Kind::Failover, Kind::Loss], 3, [BREAKS, BREAKS]),
    weather("and promotions", &[Kind::Failover, Kind::Promotion], 2, [BREAKS, BREAKS]),
    weather("and tampering", &[Kind::Failover, Kind::Tampering], 3, [BREAKS, BREAKS]),
    weather("everything", ALL, 2, [BREAKS, BREAKS]),
];

const fn weather(
    name: &'static str,
    kinds: &'static [Kind],
    faults: u8,
    renamed: [Expected; 2],
) -> Weather {
    Weather { name, kinds, faults, renamed }
}

/// A rule with the tie and without, in all weathers.
pub(crate) struct Line {
    /// The rule for leaving the list.
    pub(crate) over: Over,
    /// Whether the tie is there.
    pub(crate) tie: bool,
    /// A case for each weather.
    pub(crate) cases: Vec<Case>,
}

/// All of them.
pub(crate) fn lines() -> Vec<Line> {
    let both = [Over::Renamed, Over::Expiry].into_iter();
    let each = both.flat_map(|over| [true, false].map(|tie| (over, tie)));
    let line = |(over, tie)| {
        let cases = WEATHERS.iter().map(|weather| case(over, tie, weather)).collect();
        Line { over, tie, cases }
    };
    each.map(line).collect()
}

fn case(over: Over, tie: bool, weather: &Weather) -> Case {
    let (faults, kinds) = (weather.faults, weather.kinds);
    let scope = REVOKING.told().sure();
    let bounds = Bounds { grants: 1, faults, openings: 1, revocations: 1, kinds, scope };
    let [with, without] = weather.renamed;
    let expected = match over {
        Over::Renamed if tie => with,
        Over::Renamed => without,
        Over::Expiry if tie => HOLDS,
        Over::Expiry | Over::Drained => BREAKS,
    };
    let rules = Rules { over, tie, ..Rules::ALL };
    let fleet = Fleet { rules, bounds, watches: vec![Watch::Revoked] };
    Case::new(weather.name, bounds, expected, move || match expected {
        Expected::Holds => run::everything(fleet.clone()),
        Expected::Breaks | Expected::Reaches(_) => run::shortest(fleet.clone()),
    })
}
