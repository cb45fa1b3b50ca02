//! A client hears its answer, whatever it sent and whenever it reads.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests, where a failure is a failed test

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use tokio::net::TcpListener;
use vm_core::{Config, Core, Executor};
use vm_model::{NewSession, NewTemplate};
use vm_server::Access;

const JSON: &str = "Content-Type: application/json\r\n";

struct Server {
    address: SocketAddr,
    core: Core,
    executor: Executor,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let (executor, folder) = (Executor::new().unwrap(), tempfile::tempdir().unwrap());
        let code_cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/code").into();
        let (path, opener) = (folder.path().to_path_buf(), executor.clone());
        let open = async move {
            let config = Config {
                database: path.join("vm.db"),
                code_cache,
                library_cache: path,
                parallel: None,
                max_memory: None,
                hibernate_after: std::time::Duration::from_secs(300),
                retention: vm_core::Retention::default(),
            };
            let core = Core::open(config, &opener).await.unwrap();
            (core, TcpListener::bind("127.0.0.1:0").await.unwrap())
        };
        let (core, listener) = executor.block_on(open).unwrap();
        let address = listener.local_addr().unwrap();
        let access = Access::new("127.0.0.1:0", &[address], None, Vec::new()).unwrap();
        drop(executor.spawn(vm_server::serve(listener, core.clone(), access, std::future::pending())));
        Self { address, core, executor, folder }
    }

    fn session(&self) -> String {
        let (core, worktree_path) = (self.core.clone(), self.folder.path().into());
        let create = async move {
            let template = NewTemplate { name: "a".into(), ..NewTemplate::default() };
            let template_id = core.templates().create(template).await.unwrap().id.to_string();
            let (workspace_id, base_commit_oid) = ("w".into(), "c".into());
            let new = NewSession { template_id, workspace_id, base_commit_oid, worktree_path };
            core.sessions().create(new).await.unwrap().id.to_string()
        };
        self.executor.block_on(create).unwrap()
    }

    /// A connection on which the head of a POST was sent.
    fn post(&self, path: &str, headers: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        send_head(&mut connection, path, headers);
        connection
    }
}

fn send_head(connection: &mut TcpStream, path: &str, headers: &str) {
    connection
        .write_all(format!("POST /api/v1{path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").as_bytes())
        .unwrap();
}

fn answer(connection: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let length = connection.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// What a client hears that sends all of its body, slower than the server could refuse it, before it reads.
fn hears(server: &Server, path: &str, headers: &str, body: &[u8]) -> String {
    let mut connection = server.post(path, &format!("{headers}Content-Length: {}\r\n", body.len()));
    thread::sleep(Duration::from_millis(50));
    connection.write_all(body).expect("the connection is open while the client sends");
    answer(&mut connection)
}

#[test]
fn a_body_that_is_too_large_may_be_sent_to_its_end() {
    let server = Server::start();
    let heard = hears(&server, "/templates", JSON, &vec![b' '; 17 << 20]);
    assert!(heard.starts_with("HTTP/1.1 413 ") && heard.contains("PAYLOAD_TOO_LARGE"), "{heard}");
}

#[test]
fn a_body_in_chunks_that_is_too_large_may_be_sent_to_its_end() {
    let server = Server::start();
    let mut connection = server.post("/templates", &format!("{JSON}Transfer-Encoding: chunked\r\n"));
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    for _ in 0..40 {
        connection.write_all(&chunk).expect("the connection is open while the client sends");
    }
    connection.write_all(b"0\r\n\r\n").unwrap();
    let heard = answer(&mut connection);
    assert!(heard.starts_with("HTTP/1.1 413 ") && heard.contains("PAYLOAD_TOO_LARGE"), "{heard}");
}

#[test]
fn a_body_that_nobody_wants_may_be_sent_to_its_end() {
    let server = Server::start();
    let (session, body) = (server.session(), vec![b'x'; 2 << 20]);
    assert!(hears(&server, "/templates", "", &body).starts_with("HTTP/1.1 415 "));
    assert!(hears(&server, "/nothing", JSON, &body).starts_with("HTTP/1.1 404 "));
    assert!(hears(&server, &format!("/sessions/{session}/close"), "", &body).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_connection_is_kept_over_a_body_that_nobody_wants() {
    let server = Server::start();
    let path = format!("/sessions/{}/close", server.session());
    let mut connection = server.post(&path, "Content-Length: 2\r\n");
    for _ in 0..3 {
        assert!(answer(&mut connection).starts_with("HTTP/1.1 200 "));
        connection.write_all(b"{}").unwrap();
        send_head(&mut connection, &path, "Content-Length: 2\r\n");
    }
}

#[test]
fn a_client_that_asks_first_is_not_invited_to_send_what_is_refused() {
    let server = Server::start();
    let mut connection =
        server.post("/templates", &format!("{JSON}Expect: 100-continue\r\nContent-Length: 99999999\r\n"));
    let heard = answer(&mut connection);
    assert!(heard.starts_with("HTTP/1.1 413 "), "{heard}");
    // Were the server to wait for that body, it would take the next request for it.
    connection.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    assert_eq!(answer(&mut connection), "", "the connection is closed at once");
}

#[test]
fn a_body_is_discarded_within_bounds() {
    let server = Server::start();
    let mut connection = server.post("/templates", &format!("{JSON}Content-Length: 1000000000\r\n"));
    let sent = (0..1000).take_while(|_| connection.write_all(&[b' '; 1_000_000]).is_ok()).count();
    assert!((64..200).contains(&sent), "{sent} MB were taken");
}

#[test]
fn a_refusal_says_where_and_repeats_little_of_what_was_sent() {
    let server = Server::start();
    let unknown = format!(r#"{{"{}":1}}"#, "k".repeat(3 << 20));
    let heard = hears(&server, "/templates", JSON, unknown.as_bytes());
    assert!(heard.starts_with("HTTP/1.1 400 ") && heard.contains(r#""line":1"#), "{heard}");
    assert!(heard.len() < 1500, "{} bytes", heard.len());
}

#[test]
fn a_body_in_another_encoding_than_utf_8_is_415() {
    let server = Server::start();
    for (kind, status) in [
        ("application/json;charset=\"UTF-8\"", 400),
        ("Application/JSON;", 400),
        ("application/json; charset=latin1", 415),
        ("application/json; ,", 415),
    ] {
        let heard = hears(&server, "/templates", &format!("Content-Type: {kind}\r\n"), b"{");
        assert!(heard.starts_with(&format!("HTTP/1.1 {status} ")), "{kind}: {heard}");
    }
}
