//! The page: tables and what they say.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use farebox::load::Load;

use super::crowd::{Crowd, Revoked};
use super::embedded::Filed;
use super::steps::{Figure, Pairs};

pub struct Page {
    pub steps: Vec<Figure>,
    pub pairs: Pairs,
    pub embedded: Filed,
    pub crowd: Crowd,
    pub revoked: Revoked,
}

impl Page {
    pub fn write(&self) -> io::Result<()> {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        fs::write(docs.join("store-benchmarks.md"), self.text())
    }

    pub fn text(&self) -> String {
        let steps = table(&self.steps);
        let filed = table(&self.embedded.figures);
        let (crowd, revoked) = (&self.crowd, &self.revoked);
        let [issuer, server] =
            [crowd.issuer_bytes, crowd.server_bytes].map(|bytes| bytes as f64 / 1e6);
        let (most, sum) = (250.0 * crowd.grants as f64 / 1e6, issuer + server);
        format!(
            "# What the grant store costs\n\n{HOW}\n\
             ## Goals\n\n| what | beside | ratio | goal |\n|---|---|---:|---:|\n{}\n\
             Spending at 64 callers stands at {:.2} × the rate of a bare `SET NX`, which fences nothing and records \
             nothing.\n\n\
             | {} grants outstanding | |\n|---|---:|\n| issuer | {issuer:.0} MB |\n| server | {server:.0} MB |\n\
             | together | {sum:.0} MB of {most:.0} MB {} |\n\n\
             Revoking an agent with {} outstanding grants: {} write, {} µs from asked to acknowledged.\n\n\
             {WHERE_IT_GOES}\n## On Redis\n\n{steps}\n## In a file\n\n{filed}",
            self.goals(),
            median(&self.pairs.over_set),
            crowd.grants,
            met(sum <= most),
            revoked.grants,
            revoked.events,
            revoked.took.as_micros(),
        )
    }

    fn goals(&self) -> String {
        let [rate, tail] = [&self.pairs.rates, &self.pairs.tails].map(|of| median(of));
        let [register, spend] =
            [&self.embedded.register, &self.embedded.spend].map(|of| median(of));
        let rows = [
            ("spend: how many", "unfenced spend", rate, 0.95, true),
            ("spend: 99 of 100 within", "unfenced spend", tail, 1.15, false),
            ("register in a file: how many", "bare file", register, 0.5, true),
            ("spend in a file: how many", "bare file", spend, 0.5, true),
        ];
        rows.iter().fold(String::new(), |mut text, (what, beside, ratio, goal, least)| {
            let (sign, good) = if *least { ("≥", ratio >= goal) } else { ("≤", ratio <= goal) };
            let _ =
                writeln!(text, "| {what} | {beside} | {ratio:.2} | {sign} {goal} {} |", met(good));
            text
        })
    }
}

const HOW: &str = "\
Made by `cargo run --release --manifest-path benches/Cargo.toml --bin farebox-store-bench`, in one run, with server and
callers on the same cores. What is compared stood side by side, turn by turn, and each ratio is the median of the turns'
ratios; the other figures are medians too, and say more of the machine than of the code.

The *unfenced spend* is the least that a store does which records what it grants: a script of `GET`, `SET XX KEEPTTL` and
`XADD`, called by `EVALSHA` through the bare client library. The server has an append-only file that is synced each
second. The *bare file* takes the same bytes in as many writes, each synced before the next.
";

/// What the server's own statistics and the process's times say of the difference.
const WHERE_IT_GOES: &str = "\
## Where the time goes

On two cores server and callers share what there is. One spend takes the server's interpreter 5 to 6 µs where the script
takes 3.3: the clock is asked for, a life and a grant are looked up and compared, and the collector walks over the
memory of all grants, which no script has. It takes the caller 6 µs of its own where the bare library takes 3: six names
are hashed, the attempt is drawn, and the call has a slot, a deadline and an answer that is compared.
";

fn met(good: bool) -> &'static str {
    if good { "✓" } else { "✗" }
}

fn table(figures: &[Figure]) -> String {
    let mut table = String::from(
        "| callers | step | in one second | p50, µs | p99, µs |\n|---:|---|---:|---:|---:|\n",
    );
    for Figure { step, callers, loads } in figures {
        let of = |figure: fn(&Load) -> f64| median(&loads.iter().map(figure).collect::<Vec<_>>());
        let rate = of(|load| load.per_second() as f64);
        let p50 = of(|load| load.percentile(50).as_secs_f64() * 1e6);
        let p99 = of(|load| load.percentile(99).as_secs_f64() * 1e6);
        let _ = writeln!(table, "| {callers} | {step} | {rate:.0} | {p50:.0} | {p99:.0} |");
    }
    table
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
