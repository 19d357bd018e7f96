//! The table of ratios, and its plot.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::meter::Figure;

/// What is compared with what, and how much it may be.
struct Row {
    case: &'static str,
    base: &'static str,
    goal: Option<f64>,
}

const fn goal(case: &'static str, base: &'static str, goal: f64) -> Row {
    Row { case, base, goal: Some(goal) }
}

const fn shown(case: &'static str, base: &'static str) -> Row {
    Row { case, base, goal: None }
}

const ONE: &str = "floor: 1 verify + 1 key";
const TWO: &str = "floor: 2 verifies + 1 key";
const THREE: &str = "floor: 3 verifies + 1 key";

const ROWS: [Row; 18] = [
    goal("verify", ONE, 1.25),
    goal("verify", "jwt: verify", 1.25),
    goal("verify with proof", "tenuo: decode + authorize with proof", 0.6),
    shown("verify with proof", TWO),
    shown("verify 2 blocks", TWO),
    shown("verify bounds", ONE),
    shown("verify third party", THREE),
    shown("read", ONE),
    goal("mint", "floor: 1 sign + 1 key", 1.4),
    goal("mint", "tenuo: mint", 1.0),
    shown("mint", "jwt: mint"),
    shown("attenuate", "floor: 1 sign + 2 keys"),
    shown("refuse: other resource", "verify"),
    shown("refuse: no proof", "verify"),
    shown("refuse: bit flipped", "verify"),
    shown("refuse: deep join", "verify 2 blocks"),
    shown("refuse: cut", "verify"),
    shown("refuse: too long", "verify"),
];

struct Line<'a> {
    row: &'a Row,
    micros: f64,
    base_micros: f64,
    ratio: f64,
}

fn lines(figures: &[Figure]) -> Vec<Line<'static>> {
    let find = |name| figures.iter().find(|figure| figure.name == name);
    let line = |row: &'static Row| {
        let (case, base) = (find(row.case)?, find(row.base)?);
        let (micros, base_micros) = (case.median(), base.median());
        Some(Line { row, micros, base_micros, ratio: case.over(base) })
    };
    ROWS.iter()
        .map(|row| line(row).unwrap_or_else(|| panic!("no figure for {}", row.case)))
        .collect()
}

pub fn table(figures: &[Figure]) -> String {
    let mut table = String::from(
        "| what | beside | ratio | goal | µs | beside, µs |\n|---|---|---:|---:|---:|---:|\n",
    );
    for Line { row, micros, base_micros, ratio } in lines(figures) {
        let goal = row.goal.map_or(String::from("–"), |goal| {
            format!("≤ {goal} {}", if ratio <= goal { "✓" } else { "✗" })
        });
        let (case, base) = (row.case, row.base);
        let line =
            format!("| {case} | {base} | {ratio:.2} | {goal} | {micros:.1} | {base_micros:.1} |");
        writeln!(table, "{line}").unwrap();
    }
    table
}

/// Writes the page and its plot.
pub fn write(figures: &[Figure]) -> io::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    fs::write(docs.join("benchmarks.svg"), plot(&lines(figures)))?;
    fs::write(docs.join("benchmarks.md"), page(&table(figures)))
}

fn page(table: &str) -> String {
    format!(
        "# What it costs\n\n\
         Made by `cargo run --release --manifest-path benches/Cargo.toml`, in one run on one core: every row\n\
         is the median of the ratios of turns that stood side by side, so that a busy machine weighs on both\n\
         sides alike. The µs are medians too, and say more of the machine than of the code.\n\n\
         The *floor* is the raw signature work that the token's format demands, by the fastest library in\n\
         the tree (aws-lc-rs). A JWT has one signature and no key to derive, so it stands below the floor of\n\
         a token that its holder can narrow; it carries the same claims. Tenuo's warrant carries a tool, three\n\
         constraints and a holder. All are measured from text to decision, or from grant to text.\n\n\
         ![ratios](benchmarks.svg)\n\n{table}\n{WHERE_IT_GOES}"
    )
}

/// What a profile says of the rest: `valgrind --tool=callgrind farebox-bench --only mint`.
const WHERE_IT_GOES: &str = "\
## Where the time goes

By instructions, minting one token: 87 % is the raw work of the floor (the signature 51 %, the next key 36 %), 2 % is
HKDF, 3 % base64, and 8 % writes the block. The signature hashes a block of fifteen facts twice. Minting stands within
a few hundredths of Tenuo's, in some runs above it and in some below: the next key, which Tenuo's warrant has no need
of, costs what its slower signature does.

Verifying, the reader takes 7 % of the floor: base64, protobuf, and the comparison with what the writer would say.
The floor itself is dearer than a JWT by the next key that must be derived, which is what lets a holder narrow.
";

const WIDTH: f64 = 860.0;
const ROW_HEIGHT: f64 = 24.0;
const LEFT: f64 = 430.0;
const RATIO_MAX: f64 = 1.5;

/// Bars of ratios, with a line at 1 and a mark at each goal.
fn plot(lines: &[Line<'_>]) -> String {
    let height = ROW_HEIGHT * lines.len() as f64 + 40.0;
    let at = |ratio: f64| LEFT + (WIDTH - LEFT - 60.0) * ratio.min(RATIO_MAX) / RATIO_MAX;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (i, line) in lines.iter().enumerate() {
        let y = 12.0 + ROW_HEIGHT * i as f64;
        let met = line.row.goal.is_none_or(|goal| line.ratio <= goal);
        let fill = if met { "#4a7fb5" } else { "#c0504d" };
        let (case, base, ratio) = (line.row.case, line.row.base, line.ratio);
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{case} ÷ {base}</text>\
             <rect x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"14\" fill=\"{fill}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{ratio:.2}</text>",
            LEFT - 8.0,
            y + 12.0,
            y + 1.0,
            at(ratio) - LEFT,
            at(ratio) + 6.0,
            y + 12.0,
        )
        .unwrap();
        if let Some(goal) = line.row.goal {
            let x = at(goal);
            writeln!(
                svg,
                "<path d=\"M{x:.1} {} v18\" stroke=\"black\" stroke-width=\"2\"/>",
                y - 1.0
            )
            .unwrap();
        }
    }
    let (one, bottom) = (at(1.0), height - 24.0);
    writeln!(
        svg,
        "<path d=\"M{one:.1} 6 V{bottom}\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>\
         <text x=\"{one:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">1</text>\n</svg>",
        height - 8.0
    )
    .unwrap();
    svg
}
