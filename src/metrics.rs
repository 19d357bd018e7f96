//! The numbers an operator needs, as Prometheus reads them.
//!
//! A name is made once, here, with its help; what varies stands in labels that farebox itself fills: nothing a
//! caller sends can make a new series.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::issuer::{Issuer, Minted, Refused, Taken};
use crate::record::Kind;
use crate::store::drain::Round;

/// A kind of number: its name, what it says, and what it is to Prometheus.
struct Series {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Series {
    Series { name, help, kind: "counter" }
}

const fn gauge(name: &'static str, help: &'static str) -> Series {
    Series { name, help, kind: "gauge" }
}

const CALLS: Series = counter("farebox_calls_total", "Calls answered, by route and status.");
const CALL_SECONDS: Series = Series {
    name: "farebox_call_duration_seconds",
    help: "How long calls took, by route.",
    kind: "histogram",
};
const MINTS: Series = counter("farebox_mints_total", "Requests for grants, by what was decided.");
const SPENDS: Series = counter("farebox_spends_total", "Uses asked for over HTTP, by result.");
const REVOKED: Series =
    counter("farebox_revoked_grants_total", "Outstanding grants that staff revoked.");
const UNKNOWN: Series = counter("farebox_unauthenticated_total", "Credentials that were refused.");
const DRAINED: Series =
    counter("farebox_journal_drained_total", "Events taken from the stores' journals.");
const LAPSED: Series =
    counter("farebox_lapsed_grants_total", "Grants ended because their time was over.");
const GAPS: Series =
    counter("farebox_journal_gaps_total", "Gaps found in journals: a life ended, or lost events.");
const RELOADS: Series = counter("farebox_policy_reloads_total", "Policies read again, by result.");
const DECISIONS: Series =
    counter("farebox_decisions_total", "Questions to the policies, by what they said.");
const EVIDENCE: Series = counter(
    "farebox_evidence_refused_total",
    "Requests refused for a third party's statement that does not hold.",
);
const REPLAYS: Series = counter(
    "farebox_replayed_grants_total",
    "Grants of which another attempt asked for the use that was taken, at whatever API.",
);
const FORGED: Series = counter(
    "farebox_forged_grants_total",
    "Grants presented with another content than was registered, at whatever API.",
);
const UNSETTLED: Series = counter(
    "farebox_unsettled_grants_total",
    "Grants that were spent, and nobody said in time what came of it.",
);
const LIVES: Series = counter(
    "farebox_lives_opened_total",
    "Lives of stores that began: what was outstanding in the one before is fenced.",
);
const LEDGER_LAG: Series =
    gauge("farebox_ledger_lag_events", "Events that are in the ledger and not yet in the record.");
const UNSIGNED: Series = gauge(
    "farebox_record_unsigned_entries",
    "Entries of the record that no checkpoint stands behind yet.",
);
const LAG: Series = gauge(
    "farebox_journal_lag_events",
    "Events that are in the journals and not yet in the record.",
);
const OUTSTANDING: Series = gauge("farebox_outstanding_grants", "Grants that may be spent.");
const RECORD: Series = gauge("farebox_record_entries", "The number of the record's last entry.");
const READY: Series = gauge("farebox_ready", "Whether store and record take what they are told.");
const BLOCKS: Series = gauge("farebox_blocks", "What staff have blocked.");

/// The upper ends of a histogram's buckets, in microseconds and as they are printed.
const BUCKETS: [(u64, &str); 12] = [
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// The numbers of one process.
#[derive(Default)]
pub struct Metrics {
    counts: Mutex<BTreeMap<(&'static str, String), u64>>,
    times: Mutex<BTreeMap<&'static str, Times>>,
}

/// One histogram.
#[derive(Default)]
struct Times {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    micros: u64,
}

/// A call that is being answered.
pub struct Timer<'a> {
    metrics: &'a Metrics,
    method: String,
    route: &'static str,
    began: Instant,
}

impl Timer<'_> {
    /// It was answered with this status.
    pub fn end(self, status: u16) {
        let labels =
            format!("method=\"{}\",route=\"{}\",status=\"{status}\"", self.method, self.route);
        self.metrics.add(&CALLS, labels, 1);
        self.metrics.took(self.route, self.began.elapsed());
    }
}

impl Metrics {
    /// A call begins.
    pub fn call(&self, method: &str, route: &'static str) -> Timer<'_> {
        Timer { metrics: self, method: method.to_owned(), route, began: Instant::now() }
    }

    /// A credential was refused.
    pub fn unauthenticated(&self) {
        self.add(&UNKNOWN, String::new(), 1);
    }

    /// A grant was asked for.
    pub fn minted(&self, came: &Result<Minted, Refused>) {
        let decision = match came {
            Ok(Minted::Fresh(_)) => "issued",
            Ok(Minted::Again(_) | Minted::Over { .. }) => "again",
            Ok(Minted::Waiting(_)) => "pending",
            Err(refused) => refused.code(),
        };
        self.add(&MINTS, format!("decision=\"{decision}\""), 1);
    }

    /// A use was asked for.
    pub fn spent(&self, came: &Result<Taken, Refused>) {
        let result = match came {
            Ok(taken) if taken.repeat => "repeat",
            Ok(_) => "spent",
            Err(refused) => refused.code(),
        };
        self.add(&SPENDS, format!("result=\"{result}\""), 1);
    }

    /// So many outstanding grants were revoked.
    pub fn revoked(&self, count: u64) {
        self.add(&REVOKED, String::new(), count);
    }

    /// The policies were read again.
    pub fn reloaded(&self, result: &'static str) {
        self.add(&RELOADS, format!("result=\"{result}\""), 1);
    }

    /// A round of the drain.
    pub fn drained(&self, round: &Round) {
        self.add(&DRAINED, String::new(), round.events);
        self.add(&LAPSED, String::new(), round.lapsed);
        self.add(&GAPS, String::new(), round.gaps);
        self.set(&LAG, round.lag);
    }

    /// So many grants may be spent. Counting them asks a store, so whoever reads the numbers does not.
    pub fn outstanding(&self, count: u64) {
        self.set(&OUTSTANDING, count);
    }

    /// All of them, as text.
    pub fn text(&self, issuer: &Issuer) -> String {
        self.set(&RECORD, issuer.record_entries());
        self.set(&READY, u64::from(issuer.trouble().is_none()));
        self.set(&BLOCKS, issuer.blocks().len() as u64);
        self.told(issuer);
        let mut text = String::new();
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for series in [
            CALLS,
            MINTS,
            SPENDS,
            REVOKED,
            UNKNOWN,
            DRAINED,
            LAPSED,
            GAPS,
            RELOADS,
            DECISIONS,
            EVIDENCE,
            REPLAYS,
            FORGED,
            UNSETTLED,
            LIVES,
            LAG,
            LEDGER_LAG,
            UNSIGNED,
            OUTSTANDING,
            RECORD,
            READY,
            BLOCKS,
        ] {
            head(&mut text, &series);
            let first = (series.name, String::new());
            for ((name, labels), value) in counts.range(first..) {
                if *name != series.name {
                    break;
                }
                line(&mut text, name, labels, *value);
            }
        }
        drop(counts);
        self.histograms(&mut text);
        text
    }

    /// What the issuer and its record have counted themselves.
    fn told(&self, issuer: &Issuer) {
        let record = issuer.record();
        for (series, kind) in [
            (&REPLAYS, Kind::Replayed),
            (&FORGED, Kind::Forged),
            (&UNSETTLED, Kind::Unknown),
            (&LIVES, Kind::LifeOpened),
        ] {
            self.set(series, record.taken(kind));
        }
        self.set(&EVIDENCE, issuer.evidence_refused());
        self.set(&LEDGER_LAG, issuer.ledger_lag());
        self.set(&UNSIGNED, record.unsigned());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (outcome, count) in issuer.decisions() {
            counts.insert((DECISIONS.name, format!("outcome=\"{outcome}\"")), count);
        }
    }

    fn histograms(&self, text: &mut String) {
        head(text, &CALL_SECONDS);
        let name = CALL_SECONDS.name;
        for (route, times) in &*self.times.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("route=\"{route}\"");
            for ((_, end), count) in BUCKETS.iter().zip(times.buckets) {
                line(text, &format!("{name}_bucket"), &format!("{labels},le=\"{end}\""), count);
            }
            line(text, &format!("{name}_bucket"), &format!("{labels},le=\"+Inf\""), times.count);
            let (seconds, micros) = (times.micros / 1_000_000, times.micros % 1_000_000);
            line(text, &format!("{name}_sum"), &labels, format_args!("{seconds}.{micros:06}"));
            line(text, &format!("{name}_count"), &labels, times.count);
        }
    }

    fn add(&self, series: &Series, labels: String, count: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((series.name, labels)).or_default() += count;
    }

    fn set(&self, series: &Series, value: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.insert((series.name, String::new()), value);
    }

    fn took(&self, route: &'static str, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry(route).or_default();
        times.count += 1;
        times.micros = times.micros.saturating_add(micros);
        // Buckets are cumulative, as Prometheus has them.
        for ((end, _), count) in BUCKETS.iter().zip(&mut times.buckets) {
            *count += u64::from(micros <= *end);
        }
    }
}

fn head(text: &mut String, series: &Series) {
    let Series { name, help, kind } = series;
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    text.push_str(&match labels {
        "" => format!("{name} {value}\n"),
        labels => format!("{name}{{{labels}}} {value}\n"),
    });
}
