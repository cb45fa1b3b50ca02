//! The load: one call after the other on a connection, or on several at once as fast as the answers come.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    http::Connection,
    stats::{Sample, micros},
};

/// How long each of so many calls of one request takes. The first tenth, at most 200, is not counted.
pub fn time(connection: &mut Connection, request: &[u8], calls: usize) -> Result<Sample> {
    let warm_up = (calls / 10).min(200);
    let mut durations = Vec::with_capacity(calls);
    for call in 0..warm_up + calls {
        let took = timed(connection, request)?;
        if call >= warm_up {
            durations.push(took);
        }
    }
    Ok(Sample::new(durations))
}

/// The same for two requests, one after the other in turn: so both meet the same machine. What a wake-up costs depends on
/// which cores have just been used, and differs by a factor of three.
pub fn time_in_turn(connection: &mut Connection, requests: [&[u8]; 2], calls: usize) -> Result<[Sample; 2]> {
    let warm_up = (calls / 10).min(200);
    let mut durations = [Vec::with_capacity(calls), Vec::with_capacity(calls)];
    for call in 0..warm_up + calls {
        for (request, durations) in requests.iter().zip(&mut durations) {
            let took = timed(connection, request)?;
            if call >= warm_up {
                durations.push(took);
            }
        }
    }
    Ok(durations.map(Sample::new))
}

/// [`time`], for as long as `go_on` says.
pub fn time_while(connection: &mut Connection, request: &[u8], go_on: impl Fn() -> bool) -> Result<Sample> {
    let mut durations = Vec::new();
    while go_on() {
        durations.push(timed(connection, request)?);
    }
    Ok(Sample::new(durations))
}

/// The microseconds that one call takes, which must succeed.
pub fn timed(connection: &mut Connection, request: &[u8]) -> Result<f64> {
    let begin = Instant::now();
    let (status, answer) = connection.send(request)?;
    let took = begin.elapsed();
    if status >= 400 {
        return Err(format!("status {status}: {}", String::from_utf8_lossy(&answer)).into());
    }
    Ok(micros(took))
}

/// Answers per second, with one connection for each of these requests.
pub fn throughput(address: SocketAddr, requests: &[Vec<u8>], duration: Duration) -> Result<f64> {
    let begin = Instant::now();
    let load = |request| -> Result<usize> {
        let mut connection = Connection::open(address)?;
        let mut count = 0;
        while begin.elapsed() < duration {
            timed(&mut connection, request)?;
            count += 1;
        }
        Ok(count)
    };
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = requests.iter().map(|request| scope.spawn(|| load(request))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a connection failed")?).collect::<Result<Vec<_>>>()
    })?;
    Ok(counts.iter().sum::<usize>() as f64 / begin.elapsed().as_secs_f64())
}
