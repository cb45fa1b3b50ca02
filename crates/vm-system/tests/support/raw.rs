//! Connections on which a test writes every byte itself.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustix::net::sockopt;

use super::{
    daemon::{Daemon, PATIENCE},
    document::Call,
    http::Answer,
};

/// The headers of a request with a body.
pub const JSON: &str = "Host: localhost\r\nContent-Type: application/json\r\n";

/// A connection to a daemon.
pub struct Connection(TcpStream);

impl Connection {
    pub fn open(daemon: &Daemon) -> Self {
        let stream = TcpStream::connect(daemon.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Whether the daemon still listens.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// The status and the headers of the next answer, whose body is not read.
    #[track_caller]
    pub fn head(&mut self) -> (u16, HeaderMap) {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {bytes:?}"));
            bytes.extend(byte);
        }
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        (status, headers.collect())
    }

    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        let (status, headers) = self.head();
        let mut body = vec![0; headers["content-length"].to_str().unwrap().parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        Answer::new(status, headers, &String::from_utf8(body).unwrap())
    }

    /// Everything until the daemon hangs up.
    pub fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        // A connection that is reset has ended too.
        let _ = self.0.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Another handle of the same connection.
    pub fn another(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }

    /// Says that nothing more is to come.
    pub fn finish(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// Ends it as a process does that is killed with data unread.
    pub fn reset(self) {
        sockopt::set_socket_linger(&self.0, Some(Duration::ZERO)).unwrap();
    }

    pub fn close(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// The answer to a request with no body and exactly these lines, on a connection of its own.
#[track_caller]
pub fn ask(daemon: &Daemon, lines: &[&str]) -> Answer {
    let mut connection = Connection::open(daemon);
    assert!(connection.send(format!("{}\r\n\r\n", lines.join("\r\n"))));
    let answer = connection.answer();
    let mut line = lines[0].split(' ');
    let (method, path) = (line.next().unwrap(), line.next().unwrap());
    Call { method, path, sent: None, status: answer.status, answer: &answer.body }.check();
    answer
}
