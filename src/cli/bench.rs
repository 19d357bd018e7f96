//! What a running issuer does in a second, and how long each step takes: over HTTP, as agents and APIs ask it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Exit;
use super::answer::Answer;
use super::argument::{Source, Stdin};
use super::failure::Failure;
use super::server::{self, Server};
use crate::bench::{self, Keys, Plan, PlanError, Step, Tally};

/// How long one turn is: a token lives longer than the turns of minting and spending together.
const TURN: Duration = Duration::from_secs(2);
/// How much longer than minting what was minted may take to be spent, or settled.
const LEFT_TURN: Duration = Duration::from_secs(4);

#[derive(Args)]
pub(super) struct Bench {
    #[command(flatten)]
    server: Server,
    /// The file with the key of an API that may spend for the audience; without it, minting alone is measured
    #[arg(long, value_name = "FILE", env = "FAREBOX_SPEND_KEY_FILE")]
    spend_key_file: Option<PathBuf>,
    /// How long each step is measured, at each number of workers
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// How many ask at once, each over a connection of its own; several with commas
    #[arg(
        long,
        value_name = "N,N",
        value_delimiter = ',',
        default_value = "1,16,64",
        value_parser = clap::value_parser!(u16).range(1..=4_096)
    )]
    concurrency: Vec<u16>,
    /// Ask for each grant under an idempotency key of its own
    #[arg(long)]
    idempotency_keys: bool,
    /// What is to be done, and allowed by a rule; the built-in policies allow this to the role support
    #[arg(long, default_value = "support.draft-reply")]
    action: String,
    /// To what
    #[arg(long, default_value = "ticket/1")]
    resource: String,
    /// By which API
    #[arg(long, default_value = "helpdesk")]
    audience: String,
    /// The parameters, as JSON: text, @FILE, or - for standard input
    #[arg(long, value_name = "JSON", default_value = r#"{"text":"We look into it."}"#)]
    params: Source,
    /// How many seconds a grant may live
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
}

/// One line of the table.
struct Line {
    workers: u16,
    step: Step,
    tally: Tally,
}

impl Bench {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let plan = Arc::new(self.plan(stdin)?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let lines = runtime.map_err(Failure::Runtime)?.block_on(self.measure(&plan))?;
        let described: Vec<Value> = lines.iter().map(Line::described).collect();
        let head = format!(
            "{:>7}  {:<6} {:>9} {:>9} {:>9} {:>9} {:>8}",
            "workers", "step", "in 1 s", "p50 µs", "p99 µs", "done", "refused"
        );
        let shown = std::iter::once(head).chain(lines.iter().map(Line::shown)).collect();
        let mut answer = Answer::done(shown, json!({ "lines": described }));
        let mut all = Tally::default();
        lines.iter().for_each(|line| all.add(&line.tally));
        for (code, count) in all.refused() {
            answer = answer.with_note(format!("refused by {code}: {count}{}", advice(code)));
            answer.exit = match (&**code, answer.exit) {
                ("unreachable" | "store-down", _) | (_, Exit::Unreachable) => Exit::Unreachable,
                _ => Exit::Refused,
            };
        }
        if self.spend_key_file.is_none() {
            answer =
                answer.with_note("nothing was spent: that takes an API's key (--spend-key-file)");
        }
        Ok(answer)
    }

    fn plan(&self, stdin: &mut Stdin) -> Result<Plan, Failure> {
        let (target, key) = (self.server.target()?, self.server.key()?);
        let spend_key = self.spend_key_file.as_deref().map(server::key).transpose()?;
        let params: Value = serde_json::from_slice(&self.params.read(stdin)?)
            .map_err(|source| Failure::Json { name: "params", source })?;
        let mut wanted = Map::new();
        for (name, value) in
            [("action", &self.action), ("resource", &self.resource), ("audience", &self.audience)]
        {
            wanted.insert(name.to_owned(), json!(value));
        }
        wanted.insert("params".to_owned(), params);
        wanted.extend(self.ttl.map(|ttl| ("ttl_seconds".to_owned(), json!(ttl))));
        let keys = if self.idempotency_keys { Keys::Fresh } else { Keys::None };
        let asked = (&Value::Object(wanted), keys);
        Plan::new(target, &key, spend_key.as_ref(), asked).map_err(|error| match error {
            PlanError::Key(error) => Failure::Client(error),
            PlanError::Random(error) => Failure::Random(error),
        })
    }

    /// Steps take turns, so that a noisy second falls on all of them.
    async fn measure(&self, plan: &Arc<Plan>) -> Result<Vec<Line>, Failure> {
        let steps: &[Step] = match self.spend_key_file {
            Some(_) => &[Step::Mint, Step::Spend, Step::Settle, Step::Life],
            None => &[Step::Mint],
        };
        let mut lines = Vec::new();
        for &workers in &self.concurrency {
            let mut bench = bench::Bench::open(plan, usize::from(workers)).await?;
            bench.rehearse().await.map_err(|refused| Failure::Problem {
                code: refused.code.into(),
                detail: refused.detail.into(),
            })?;
            let mut tallies = vec![Tally::default(); steps.len()];
            let mut left = Duration::from_secs(self.seconds);
            while !left.is_zero() {
                let turn = left.min(TURN);
                left -= turn;
                for (step, tally) in steps.iter().zip(&mut tallies) {
                    let at_most = match step {
                        Step::Mint | Step::Life => turn,
                        Step::Spend | Step::Settle => turn + LEFT_TURN,
                    };
                    tally.add(&bench.turn(*step, at_most).await);
                }
                bench.forget();
            }
            let steps = steps.iter().zip(tallies);
            lines.extend(steps.map(|(&step, tally)| Line { workers, step, tally }));
        }
        Ok(lines)
    }
}

/// What to do about a refusal that says more of the set-up than of the issuer.
fn advice(code: &str) -> &'static str {
    match code {
        "rate-limited" => {
            " (this issuer lets one caller ask only so often: raise [rates] of one that you measure)"
        }
        _ => "",
    }
}

impl Line {
    fn shown(&self) -> String {
        let Line { workers, step, tally } = self;
        let [p50, p99] = [50, 99].map(|of| tally.latencies().percentile(of).as_micros());
        let (step, rate, done) = (step.word(), tally.per_second(), tally.done());
        let refused: u64 = tally.refused().values().sum();
        format!("{workers:>7}  {step:<6} {rate:>9} {p50:>9} {p99:>9} {done:>9} {refused:>8}")
    }

    fn described(&self) -> Value {
        let Line { workers, step, tally } = self;
        let micros = |of| {
            let micros = tally.latencies().percentile(of).as_micros();
            u64::try_from(micros).unwrap_or(u64::MAX)
        };
        json!({
            "concurrency": workers,
            "step": step.word(),
            "done": tally.done(),
            "refused": tally.refused(),
            "per_second": tally.per_second(),
            "p50_us": micros(50),
            "p99_us": micros(99),
        })
    }
}
