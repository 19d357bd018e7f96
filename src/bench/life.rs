//! The life of grants: minted, spent and settled over HTTP, step by step or one life after another.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farebox_verifier::{GrantId, NoRandom};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::connection::{Connection, Heard};
use super::tally::Tally;
use super::target::Target;
use super::turn::{Hand, Refused, turn};
use crate::client::{self, ClientError};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Asking for a token.
    Mint,
    /// Taking its one use.
    Spend,
    /// Reporting what came of it.
    Settle,
    /// All three, one after another.
    Life,
}

impl Step {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Step::Mint => "mint",
            Step::Spend => "spend",
            Step::Settle => "settle",
            Step::Life => "life",
        }
    }
}

/// Whether grants are asked for under idempotency keys, each under a fresh one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Under none.
    None,
    /// As an orchestrator asks that may have to ask again.
    Fresh,
}

/// What is asked of an issuer, and by whom.
pub struct Plan {
    target: Target,
    agent: Zeroizing<String>,
    api: Option<Zeroizing<String>>,
    keys: Keys,
    /// The body of a request for a grant.
    wanted: String,
    /// The body of a presentation, up to the token.
    presented: String,
    /// What tells the names that this run gives from those of every other.
    run: GrantId,
}

impl Plan {
    /// Asks for `wanted`, a request as `POST /v1/grants` takes it, with this key. The second is the key of an API
    /// that may spend for its audience; without it grants are minted and left alone.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(
        target: Target,
        key: &Zeroizing<String>,
        spend_key: Option<&Zeroizing<String>>,
        (wanted, keys): (&Value, Keys),
    ) -> Result<Plan, PlanError> {
        let presented = ["action", "resource", "audience", "params"].into_iter();
        let presented =
            presented.filter_map(|name| Some((name.to_owned(), wanted.get(name)?.clone())));
        let presented = Value::Object(presented.collect()).to_string();
        let presented = presented.strip_suffix('}').unwrap_or_default();
        Ok(Plan {
            target,
            agent: lines(key)?,
            api: spend_key.map(lines).transpose()?,
            keys,
            wanted: wanted.to_string(),
            presented: format!("{presented},\"token\":\""),
            run: GrantId::fresh()?,
        })
    }
}

/// Why nothing can be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A key cannot be sent.
    #[error(transparent)]
    Key(#[from] ClientError),
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// The lines of a head that say who asks.
fn lines(key: &Zeroizing<String>) -> Result<Zeroizing<String>, ClientError> {
    let value = client::authorization(key)?;
    let value = value.to_str().or(Err(ClientError::Key))?;
    Ok(Zeroizing::new(format!("authorization: {value}\r\ncontent-type: application/json\r\n")))
}

/// A token that nobody has used yet.
struct Minted {
    grant: GrantId,
    token: Zeroizing<String>,
}

/// A use that nobody has settled yet.
struct Spent {
    grant: GrantId,
    attempt: String,
}

/// What one step leaves for the next.
#[derive(Default)]
struct Left {
    minted: Mutex<VecDeque<Minted>>,
    spent: Mutex<VecDeque<Spent>>,
}

fn put<T>(queue: &Mutex<VecDeque<T>>, thing: T) {
    queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(thing);
}

/// The oldest: it ends first.
fn take<T>(queue: &Mutex<VecDeque<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// One who asks, over a connection of its own.
struct Worker {
    plan: Arc<Plan>,
    left: Arc<Left>,
    step: Step,
    number: usize,
    /// How many names it has given.
    named: u64,
    connection: Option<Connection>,
    /// What is sent next; it holds a key.
    request: Zeroizing<String>,
}

/// A running issuer, and those who ask it.
pub struct Bench {
    left: Arc<Left>,
    workers: Vec<Worker>,
}

impl Bench {
    /// So many workers, each connected.
    ///
    /// # Errors
    /// [`ClientError`] where nobody answers.
    pub async fn open(plan: &Arc<Plan>, workers: usize) -> Result<Bench, ClientError> {
        let left = Arc::new(Left::default());
        let mut open = Vec::with_capacity(workers);
        for number in 0..workers {
            let connection = plan.target.connect().await.map_err(|_away| plan.target.away())?;
            open.push(Worker {
                plan: Arc::clone(plan),
                left: Arc::clone(&left),
                step: Step::Mint,
                number,
                named: 0,
                connection: Some(connection),
                request: Zeroizing::default(),
            });
        }
        Ok(Bench { left, workers: open })
    }

    /// Goes through each step once, so that whoever may not is told why before anything is measured.
    ///
    /// # Errors
    /// [`Refused`]: the first that was.
    pub async fn rehearse(&mut self) -> Result<(), Refused> {
        let Some(worker) = self.workers.first_mut() else { return Ok(()) };
        let minted = worker.mint().await?;
        if worker.plan.api.is_some() {
            let spent = worker.spend(&minted).await?;
            worker.settle(&spent).await?;
        }
        Ok(())
    }

    /// One turn: a step again and again, for so long. What is spent or settled is what an earlier turn has left, and
    /// such a turn ends when nothing is left.
    pub async fn turn(&mut self, step: Step, at_most: Duration) -> Tally {
        let mut workers = std::mem::take(&mut self.workers);
        workers.iter_mut().for_each(|worker| worker.step = step);
        let (workers, tally) = turn(workers, at_most).await;
        self.workers = workers;
        tally
    }

    /// Lets go of all that was minted or spent and went no further: it ends by itself.
    pub fn forget(&mut self) {
        self.left.minted.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.left.spent.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Hand for Worker {
    async fn act(&mut self) -> Option<Result<(), Refused>> {
        let left = Arc::clone(&self.left);
        Some(match self.step {
            Step::Mint => self.mint().await.map(|minted| put(&left.minted, minted)),
            Step::Spend => {
                let minted = take(&left.minted)?;
                self.spend(&minted).await.map(|spent| put(&left.spent, spent))
            }
            Step::Settle => {
                let spent = take(&left.spent)?;
                self.settle(&spent).await
            }
            Step::Life => self.live().await,
        })
    }
}

impl Worker {
    async fn live(&mut self) -> Result<(), Refused> {
        let minted = self.mint().await?;
        let spent = self.spend(&minted).await?;
        self.settle(&spent).await
    }

    async fn mint(&mut self) -> Result<Minted, Refused> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            grant: &'a str,
            token: &'a str,
        }
        let plan = Arc::clone(&self.plan);
        let name = match plan.keys {
            Keys::None => None,
            Keys::Fresh => Some(self.name()),
        };
        let lines =
            name.map(|name| Zeroizing::new(format!("{}idempotency-key: {name}\r\n", *plan.agent)));
        let lines = lines.as_ref().unwrap_or(&plan.agent);
        let heard = self.ask("/v1/grants", (lines, &plan.wanted)).await?;
        let answer: Answer<'_> = granted(&heard, 201)?;
        let grant = GrantId::from_hex(answer.grant).ok_or_else(Refused::garbled)?;
        Ok(Minted { grant, token: Zeroizing::new(answer.token.to_owned()) })
    }

    async fn spend(&mut self, minted: &Minted) -> Result<Spent, Refused> {
        #[derive(Deserialize)]
        struct Answer {
            repeat: bool,
        }
        let (plan, attempt) = (Arc::clone(&self.plan), self.name());
        let (presented, token) = (&plan.presented, &*minted.token);
        let body = Zeroizing::new(format!("{presented}{token}\",\"attempt\":\"{attempt}\"}}"));
        let heard = self.ask("/v1/spend", (plan.api()?, &body)).await?;
        let answer: Answer = granted(&heard, 200)?;
        // A fresh attempt was answered as another's: this use is not ours.
        if answer.repeat {
            Err(Refused::garbled())
        } else {
            Ok(Spent { grant: minted.grant, attempt })
        }
    }

    async fn settle(&mut self, spent: &Spent) -> Result<(), Refused> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            state: &'a str,
        }
        let plan = Arc::clone(&self.plan);
        let body = format!("{{\"attempt\":\"{}\",\"outcome\":\"succeeded\"}}", spent.attempt);
        let path = format!("/v1/grants/{}/settle", spent.grant);
        let heard = self.ask(&path, (plan.api()?, &body)).await?;
        let answer: Answer<'_> = granted(&heard, 200)?;
        if answer.state == "succeeded" { Ok(()) } else { Err(Refused::garbled()) }
    }

    /// A name that nobody has given before.
    fn name(&mut self) -> String {
        self.named += 1;
        format!("{}-{}-{}", self.plan.run, self.number, self.named)
    }

    async fn ask(&mut self, path: &str, (lines, body): (&str, &str)) -> Result<Heard<'_>, Refused> {
        let target = &self.plan.target;
        target.post(&mut self.request, path, (lines, body));
        let away = |error: std::io::Error| Refused::unreachable(&error);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => target.connect().await.map_err(away)?,
        };
        // One that failed is not used again: nobody knows where its next answer would begin.
        connection.ask(self.request.as_bytes()).await.map_err(away)?;
        Ok(self.connection.insert(connection).heard())
    }
}

impl Plan {
    fn api(&self) -> Result<&str, Refused> {
        let unable = || Refused {
            code: "forbidden".into(),
            detail: "no key of an API was given that may spend".into(),
        };
        self.api.as_ref().map(|lines| lines.as_str()).ok_or_else(unable)
    }
}

/// What was answered, where it is what was asked for; else the problem that was.
fn granted<'a, A: Deserialize<'a>>(heard: &Heard<'a>, status: u16) -> Result<A, Refused> {
    #[derive(Deserialize)]
    struct Problem {
        code: Box<str>,
        detail: Option<Box<str>>,
        title: Option<Box<str>>,
    }
    if heard.status == status {
        return serde_json::from_slice(heard.body).or(Err(Refused::garbled()));
    }
    let problem: Problem = serde_json::from_slice(heard.body).or(Err(Refused::garbled()))?;
    let detail = problem.detail.or(problem.title).unwrap_or_default();
    Err(Refused { code: problem.code, detail })
}
