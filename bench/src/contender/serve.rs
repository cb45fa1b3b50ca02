//! The contender's side: an engine in a process of its own, asked over standard input, one JSON line per request.
//!
//! Times are taken here, so that the pipe is no part of them.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What a contender is asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// To make so many more contexts, each with the library, and to keep them.
    Create { count: usize },
    /// To run code so many times in the first context.
    Eval { code: String, times: usize },
    /// To run code that does not end by itself in a new context, and to stop it after this time.
    Stop { code: String, after_ms: u64 },
}

/// What a contender answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The microseconds of each time, and the last value.
    Took { micros: Vec<f64>, value: Option<f64> },
    /// The engine has no way to do this.
    Cannot(String),
    /// It should have worked.
    Failed(String),
}

/// The JavaScript worlds of one engine.
pub trait Worlds {
    /// Makes one more, with the library, and keeps it.
    fn create(&mut self) -> Result<()>;

    /// Runs code in the first one; its value, which is a number.
    fn eval(&mut self, code: &str) -> Result<f64>;

    /// Runs code that does not end by itself in a new one and stops it after this time. Why not, if it cannot.
    fn stop(&mut self, code: &str, after: Duration) -> std::result::Result<(), String>;
}

/// Answers until nobody asks any more.
pub fn serve(mut worlds: impl Worlds) -> Result<()> {
    for line in io::stdin().lock().lines() {
        let answer = answer(&mut worlds, serde_json::from_str(&line?)?);
        let mut out = io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
        out.flush()?;
    }
    Ok(())
}

fn answer(worlds: &mut impl Worlds, request: Request) -> Answer {
    let answer = match request {
        Request::Create { count } => repeat(count, || worlds.create().map(|()| None)),
        Request::Eval { code, times } => repeat(times, || worlds.eval(&code).map(Some)),
        Request::Stop { code, after_ms } => {
            let begin = Instant::now();
            match worlds.stop(&code, Duration::from_millis(after_ms)) {
                Ok(()) => Ok(Answer::Took { micros: vec![micros_since(begin)], value: None }),
                Err(why) => Ok(Answer::Cannot(why)),
            }
        }
    };
    answer.unwrap_or_else(|error| Answer::Failed(error.to_string()))
}

fn repeat(times: usize, mut act: impl FnMut() -> Result<Option<f64>>) -> Result<Answer> {
    let (mut micros, mut value) = (Vec::with_capacity(times), None);
    for _ in 0..times {
        let begin = Instant::now();
        value = act()?;
        micros.push(micros_since(begin));
    }
    Ok(Answer::Took { micros, value })
}

fn micros_since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e6
}
