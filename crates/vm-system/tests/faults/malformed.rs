//! What is no HTTP: refused in JSON, with a request id, and the connection closed.

use crate::{
    raw::{Connection, JSON},
    served::Served,
};

/// How a client begins to speak TLS: a record of the handshake with a `ClientHello`.
const TLS_HELLO: &[u8] = b"\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03\
    \0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\
    \0\0\x08\x13\x01\x13\x02\x13\x03\0\xff\x01\0\0\x70\0\0\0\x0e\0\x0c\0\0\x09localhost";

#[test]
fn is_refused_in_json_and_the_connection_closed() {
    let mut served = Served::start();
    let (long, many) = (format!("X: {}\r\n", "x".repeat(40_000)), "X: x\r\n".repeat(200));
    let get = |head: &str| format!("GET / HTTP/1.1\r\nHost: localhost\r\n{head}\r\n").into_bytes();
    let post = |head: &str| format!("POST / HTTP/1.1\r\nHost: localhost\r\n{head}\r\n").into_bytes();
    let large_path = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(40_000));
    for (request, status) in [
        (TLS_HELLO.to_vec(), 400),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec(), 400),
        (b"\x05\x01\0\r\n\r\n".to_vec(), 400),
        (vec![0; 4096], 400),
        (b"\xff\xfe\xfd\r\n\r\n".to_vec(), 400),
        (b"{\"name\": \"a\"}\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), 400),
        (b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), 400),
        (b"G\xc3\x89T / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), 400),
        (b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\nHost : localhost\n\n".to_vec(), 400),
        (get("A : b\r\n"), 400),
        (get("no header\r\n"), 400),
        (get(": no name\r\n"), 400),
        (get("A: b\0c\r\n"), 400),
        (get(" folded: header\r\n"), 400),
        (post("Content-Length: -1\r\n"), 400),
        (post("Content-Length: 1e3\r\n"), 400),
        (post("Content-Length: 99999999999999999999\r\n"), 400),
        (post("Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (post("Transfer-Encoding: gzip\r\n"), 400),
        (post("Transfer-Encoding: chunked, identity\r\n"), 400),
        (get(&long), 431),
        (get(&many), 431),
        (large_path.into_bytes(), 431),
    ] {
        let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
        let mut connection = Connection::open(&served);
        connection.send(&request);
        let answer = connection.answer();
        assert_eq!(answer.status, status, "{shown:?}: {}", answer.body);
        answer.refused(status, "INVALID_REQUEST");
        assert_eq!(connection.rest(), "", "{shown:?}");
    }
    served.has_logged("refused what is no HTTP");
    served.goes_on();
}

#[test]
fn http_2_is_hung_up_on() {
    let mut served = Served::start();
    let mut connection = Connection::open(&served);
    connection.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(connection.rest(), "");
    served.has_logged("a connection has come to a bad end");
    served.goes_on();
}

#[test]
fn has_had_the_answers_to_what_was_http_before_it() {
    let mut served = Served::start();
    let mut connection = Connection::open(&served);
    connection.send("GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n\0\0\r\n\r\n");
    connection.answer().refused(404, "NOT_FOUND");
    connection.answer().refused(400, "INVALID_REQUEST");
    served.goes_on();
}

#[test]
fn in_a_body_is_invalid_request() {
    let mut served = Served::start();
    let too_long = format!("{}\r\n", "f".repeat(40));
    for chunks in ["zz\r\n", "-1\r\n", "\r\n", "5 \0\r\n", "3\r\n{}\r\n\r\nx", &too_long] {
        let mut connection = Connection::open(&served);
        connection.send(format!("POST /api/v1/templates HTTP/1.1\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{chunks}"));
        connection.answer().refused(400, "INVALID_REQUEST");
    }
    served.goes_on();
}
