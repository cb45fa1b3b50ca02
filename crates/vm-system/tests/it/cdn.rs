//! A web server of the test's own, on this machine: a CDN, or whom `fetch` asks.

use std::{
    collections::HashMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What it does with one request.
pub enum Reply {
    File(Vec<u8>),
    Status(u16),
    /// A redirection to this URL.
    Redirect(String),
    /// The request itself, from its first line to its body.
    Echo,
    /// The connection ends in the middle of the file.
    Half(Vec<u8>),
    /// The connection stays open in the middle of the file, and nothing more comes.
    Stall(Vec<u8>),
}

pub struct Cdn {
    pub url: String,
    asked: Arc<Mutex<HashMap<String, usize>>>,
}

impl Cdn {
    /// Starts it; `reply` is given a request's path, and how often that was asked for before. It runs as long as the tests.
    pub fn start(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(HashMap::new()));
        let (reply, counts) = (Arc::new(reply), asked.clone());
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (reply, counts) = (reply.clone(), counts.clone());
                // A client that is killed breaks its connection, which is no failure of the test.
                thread::spawn(move || serve(connection?, &*reply, &counts));
            }
        });
        Self { url, asked }
    }

    /// How often this path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }
}

fn serve(
    mut connection: TcpStream,
    reply: &impl Fn(&str, usize) -> Reply,
    asked: &Mutex<HashMap<String, usize>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut lines = reader.by_ref().lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: Vec<String> = lines.by_ref().map_while(|line| line.ok().filter(|line| !line.is_empty())).collect();
    let before = {
        let mut asked = asked.lock().unwrap();
        let count = asked.entry(path.clone()).or_insert(0);
        *count += 1;
        *count - 1
    };
    let head = |status: u16, length: usize| {
        format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    match reply(&path, before) {
        Reply::File(file) => connection.write_all(&[head(200, file.len()).as_bytes(), &file].concat()),
        Reply::Status(status) => connection.write_all(head(status, 0).as_bytes()),
        Reply::Redirect(url) => {
            let head = head(302, 0).replacen("\r\n", &format!("\r\nLocation: {url}\r\n"), 1);
            connection.write_all(head.as_bytes())
        }
        Reply::Echo => {
            let mut echo = format!("{request}\n{}\n\n", headers.join("\n")).into_bytes();
            let length =
                headers.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            reader.take(length.unwrap_or(0)).read_to_end(&mut echo)?;
            connection.write_all(&[head(200, echo.len()).as_bytes(), &echo].concat())
        }
        Reply::Half(file) => {
            connection.write_all(&[head(200, file.len()).as_bytes(), &file[..file.len() / 2]].concat())
        }
        Reply::Stall(file) => {
            connection.write_all(&[head(200, file.len()).as_bytes(), &file[..file.len() / 2]].concat())?;
            // Until the client has had enough.
            lines.next().map_or(Ok(()), |line| line.map(drop))
        }
    }
}
