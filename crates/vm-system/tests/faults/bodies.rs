//! Bodies that are too large: a refusal that the client gets to see, and no memory for what was refused.

use std::{fs, thread};

use crate::{
    daemon::Daemon,
    raw::{Connection, JSON},
    served::Served,
};

/// The most memory that the daemon has had, in MiB.
fn peak(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid().as_raw_nonzero())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

#[test]
fn one_of_a_gibibyte_is_413_whether_it_says_so_or_not() {
    let mut served = Served::start();
    let before = peak(&served);
    let chunk = [b"10000\r\n", &[b' '; 0x10000][..], b"\r\n"].concat();
    for (head, piece) in [("Content-Length: 1073741824", &chunk[..]), ("Transfer-Encoding: chunked", &chunk)] {
        let mut connection = Connection::open(&served);
        connection.send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}{head}\r\n\r\n"));
        thread::scope(|scope| {
            // The daemon need not read any of it, and will not read all of it.
            let mut body = connection.another();
            scope.spawn(move || (0..1 << 14).all(|_| body.send(piece)));
            connection.answer().refused(413, "PAYLOAD_TOO_LARGE");
            connection.close();
        });
        served.goes_on();
    }
    // A body that is acceptable has 16 MiB.
    assert!(peak(&served) < before + 100, "{before} MiB, then {} MiB", peak(&served));
}
