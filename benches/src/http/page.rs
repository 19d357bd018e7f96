//! The page: tables, what they say, and a plot.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use farebox::bench::Step;

use super::provider::{Form, Provider};
use super::turns::{Case, Figure, Store};

/// How much more than the provider's RS256 a mint on Redis is to reach.
const GOAL: f64 = 5.0;
const HELD_AGAINST: Case = Case::Provider(Form::Rs256);

/// What is compared with what, and how much it is to be at least.
const ROWS: [(Case, Case, Option<f64>); 7] = {
    const MINT: Case = Case::Farebox(Store::Redis, Step::Mint);
    [
        (MINT, HELD_AGAINST, Some(GOAL)),
        (MINT, Case::Provider(Form::EdDsa), None),
        (MINT, Case::Provider(Form::Opaque), None),
        (Case::Keyed(Store::Redis), HELD_AGAINST, None),
        (Case::Farebox(Store::Redis, Step::Life), HELD_AGAINST, None),
        (Case::Farebox(Store::File, Step::Mint), HELD_AGAINST, None),
        (Case::Keyed(Store::File), HELD_AGAINST, None),
    ]
};

/// The figures at one number of workers.
pub struct Part {
    pub workers: usize,
    pub figures: Vec<Figure>,
}

/// All parts, that with the most workers last.
pub struct Page(pub Vec<Part>);

impl Page {
    pub fn write(&self) -> io::Result<()> {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        fs::write(docs.join("benchmarks-http.svg"), self.plot())?;
        fs::write(docs.join("benchmarks-http.md"), self.text())
    }

    pub fn text(&self) -> String {
        let last = self.last();
        let (workers, rounds) = (last.workers, last.figures.first().map_or(0, |f| f.rates.len()));
        format!(
            "# What it costs over HTTP\n\n{}\n![tokens in one second](benchmarks-http.svg)\n\n\
             ## Beside node oidc-provider\n\nMedians of {rounds} rounds at {workers} workers.\n\n{}\n\
             {WHERE_IT_GOES}\n## Each step\n\n{}",
            how(),
            self.ratios(),
            self.steps(),
        )
    }

    fn last(&self) -> &Part {
        self.0.last().expect("something was measured")
    }

    fn ratios(&self) -> String {
        let mut table = String::from(
            "| what | beside | ratio | goal | in one second | beside |\n|---|---|---:|---:|---:|---:|\n",
        );
        let last = self.last();
        for (case, base, goal) in ROWS {
            let (figure, base) = (last.of(case), last.of(base));
            let ratio = figure.over(base);
            let goal = goal.map_or(String::from("–"), |goal| {
                format!("≥ {goal} {}", if ratio >= goal { "✓" } else { "✗" })
            });
            let (name, base_name) = (case.name(), base.case.name());
            let (rate, base_rate) = (figure.rate(), base.rate());
            let line = format!(
                "| {name} | {base_name} | {ratio:.2} | {goal} | {rate:.0} | {base_rate:.0} |"
            );
            let _ = writeln!(table, "{line}");
        }
        table
    }

    fn steps(&self) -> String {
        let mut table = String::from(
            "| workers | what | in one second | p50, µs | p99, µs | processor, µs |\n|---:|---|---:|---:|---:|---:|\n",
        );
        for part in &self.0 {
            for figure in &part.figures {
                let (workers, name, rate) = (part.workers, figure.case.name(), figure.rate());
                let [p50, p99] = [50, 99].map(|of| figure.micros(of));
                let each = figure.processor_micros();
                let line =
                    format!("| {workers} | {name} | {rate:.0} | {p50:.0} | {p99:.0} | {each:.0} |");
                let _ = writeln!(table, "{line}");
            }
        }
        table
    }

    /// Bars of what is done in a second, with a line where the goal is.
    fn plot(&self) -> String {
        let last = self.last();
        let goal = GOAL * last.of(HELD_AGAINST).rate();
        let rates = last.figures.iter().map(Figure::rate);
        let most = rates.fold(goal, f64::max) * 1.05;
        let at = |rate: f64| LEFT + (WIDTH - LEFT - 70.0) * rate / most;
        let height = ROW_HEIGHT * last.figures.len() as f64 + 48.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        for (i, figure) in last.figures.iter().enumerate() {
            let (y, rate) = (8.0 + ROW_HEIGHT * i as f64, figure.rate());
            let fill = match figure.case {
                Case::Provider(_) => "#999999",
                Case::Farebox(Store::Redis, _) | Case::Keyed(Store::Redis) => "#4a7fb5",
                Case::Farebox(Store::File, _) | Case::Keyed(Store::File) => "#7fb54a",
            };
            let (name, text) = (figure.case.name(), y + 13.0);
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{name}</text>\
                 <rect x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"17\" fill=\"{fill}\"/>\
                 <text x=\"{:.1}\" y=\"{text}\">{rate:.0}</text>",
                LEFT - 8.0,
                at(rate) - LEFT,
                at(rate) + 6.0,
            );
        }
        let (x, bottom) = (at(goal), height - 28.0);
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} 4 V{bottom}\" stroke=\"black\" stroke-dasharray=\"3 3\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"end\" fill=\"#333\">goal of mint on Redis: {GOAL} × RS256</text>\
             \n</svg>",
            height - 10.0
        );
        svg
    }
}

const WIDTH: f64 = 860.0;
const ROW_HEIGHT: f64 = 23.0;
const LEFT: f64 = 200.0;

impl Part {
    fn of(&self, case: Case) -> &Figure {
        let found = self.figures.iter().find(|figure| figure.case == case);
        found.unwrap_or_else(|| panic!("no figure for {}", case.name()))
    }
}

fn how() -> String {
    format!(
        "\
Made by `cargo run --release --manifest-path benches/Cargo.toml --bin farebox-http-bench`, in one run. Every server stands
on one core, together with what it needs (the issuer and its Redis share that core), and whoever drives them on the other.
What is compared stood side by side, turn by turn, and each ratio is the median of the rounds' ratios; the other figures
say more of the machine than of the code. *processor* is what the servers took of their core for each, in the kernel and
out of it, which whoever else is on the machine disturbs less than the clock.

*farebox* is `farebox serve` as it is built for release, with the policies that come with it, the whole record on disk and
synced before a token leaves, and its rates raised. On Redis it has one server with an append-only file that is synced each
second, and the users that `farebox store acl` prints. Each worker has a connection of its own that is kept. *mint* asks for
a grant, *spend* takes its use at `/v1/spend`, *settle* reports what came of it, a *life* is the three in a row; *with a
key* is a mint under an `Idempotency-Key`. `farebox bench` measures the same at an issuer of your own.

*oidc-provider* is node's, {}: one process, `NODE_ENV=production`, its memory adapter, nothing logged,
`client_credentials` with `client_secret_post`, one scope, RSA of 2,048 bits. It decides nothing, records nothing and keeps
no JWT that it issues; an opaque token it keeps in memory. The same driver asks it, over as many kept connections. It
warns on node before 22.
",
        Provider::version()
    )
}

/// What a profile says: `perf record --call-graph dwarf` on the issuer, 64 workers who mint on Redis.
const WHERE_IT_GOES: &str = "\
## Where the time goes

Of what one mint takes of the issuer's processor, by a profile: 23 % is HTTP, half of it the kernel's way of an answer
through the socket; 21 % is the record, of which the chain and its lines are a third and the synced writes the rest; 13 %
is the signature and the next key; 7 % brings the store's journal into the record; 7 % is the policies' decision; 6 % is
the call to Redis, which takes 20 µs itself beside the issuer's 122. The rest is spread thin over tasks that wake each other.

Signing, HTTP, the call to Redis and Redis itself are about half of what a mint takes of the core. The goal would leave the
other half next to nothing: two durable lines for each grant, the journal's way into the record, the decision. The program
has an allocator of its own: with the system's, which took a fifth, the issuer needed 148 µs where it now needs 122.
";
