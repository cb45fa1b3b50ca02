//! `serve`: the daemon, from binding its address to its last signal.

use std::{
    env,
    io::{self, ErrorKind},
    net::SocketAddr,
    num::NonZeroUsize,
    path::PathBuf,
    process,
    time::Duration,
};

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    net::{self, TcpListener},
    select,
    signal::unix::{Signal, SignalKind, signal},
};
use vm_core::{Config, Core, Executor};
use vm_model::Token;
use vm_modules::libraries::Cache;
use vm_server::{Access, Origin};

use crate::{
    error::Error,
    logging::LogFormat,
    output,
    retain::{Retain, retention},
};

/// `vm-system serve`
#[derive(clap::Args)]
pub struct Serve {
    /// The address to answer at; port 0 takes a free one. Beyond this machine it needs a token
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3210")]
    listen: String,
    /// A web page that may call the daemon, such as http://localhost:5173; repeatable, or separated by commas
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<Origin>,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// The folder for compiled code, which makes the next start fast [default: ~/.cache/vm-system/code]
    #[arg(long, value_name = "PATH")]
    code_cache: Option<PathBuf>,
    /// The folder that libraries are read from
    #[arg(long, value_name = "PATH", default_value = Cache::DEFAULT_FOLDER)]
    cache_dir: PathBuf,
    /// How many executions may compute at once; one that takes long makes room [default: the number of cores]
    #[arg(long, value_name = "N")]
    parallel: Option<NonZeroUsize>,
    /// The memory, in MiB, at which new work is refused [default: four fifths of the machine's]
    #[arg(long, value_name = "MIB")]
    max_memory: Option<u64>,
    /// After how many seconds an idle session leaves the memory, until its next call
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = clap::value_parser!(u64).range(1..))]
    hibernate_after: u64,
    /// How much history is kept: an age such as 30d or 12h, a size such as 10GiB, or both, separated by a comma [default: all]
    #[arg(long, value_name = "LIMIT", value_delimiter = ',')]
    retain: Vec<Retain>,
}

impl Serve {
    /// Serves until a signal asks to stop. The one line on standard output says that requests are accepted, and where.
    pub fn run(self, database: PathBuf, token: Option<Token>) -> Result<(), Error> {
        let executor = Executor::new().map_err(Error::Runtime)?;
        executor.block_on(self.serve(database, token, executor.clone()))?
    }

    async fn serve(self, database: PathBuf, token: Option<Token>, executor: Executor) -> Result<(), Error> {
        let signals = Signals::new().map_err(Error::Serve)?;
        let code_cache = self.code_cache.or_else(default_code_cache).ok_or(Error::NoCodeCache)?;
        raise_file_limit();
        survive_file_size_limit().map_err(Error::Serve)?;
        // Before the database is touched: a second start by mistake must leave nothing behind.
        let addresses = resolve(&self.listen).await?;
        let access = Access::new(&self.listen, &addresses, token, self.allow_origin)?;
        let listener = TcpListener::bind(&*addresses).await.map_err(|error| cannot_listen(self.listen, &error))?;
        let config = Config {
            database,
            code_cache,
            library_cache: self.cache_dir,
            parallel: self.parallel,
            max_memory: self.max_memory.map(|mib| mib.saturating_mul(1 << 20)),
            hibernate_after: Duration::from_secs(self.hibernate_after),
            retention: retention(&self.retain),
        };
        let core = Core::open(config, &executor).await?;
        let address = listener.local_addr().map_err(Error::Serve)?;
        output::write(&format!("vm-system is listening on http://{address}\n"))?;
        vm_server::serve(listener, core, access, signals.stop()).await;
        Ok(())
    }
}

async fn resolve(address: &str) -> Result<Vec<SocketAddr>, Error> {
    let addresses = net::lookup_host(address).await.map_err(|error| cannot_listen(address.into(), &error))?;
    Ok(addresses.collect())
}

fn cannot_listen(address: String, error: &io::Error) -> Error {
    let reason = match error.kind() {
        ErrorKind::AddrInUse => {
            "address already in use; is another vm-system running? choose another port with --listen".into()
        }
        ErrorKind::InvalidInput => "not an address; write it like 127.0.0.1:3210".into(),
        _ => format!("{error}; choose another address with --listen"),
    };
    Error::Listen { address, reason }
}

/// Every connection is an open file, and the usual limit of 1,024 is there for programs that cannot count further.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Fewer connections are no reason not to start.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// A file that would exceed the process's limit is an error of the write, as a full disk is, and not the daemon's end.
fn survive_file_size_limit() -> io::Result<()> {
    // The handler stays when nobody listens to it.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

/// The user's own cache folder. Never a shared one: who can write there can make this daemon run their machine code.
fn default_code_cache() -> Option<PathBuf> {
    let folder = |variable| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("vm-system/code"))
}

/// The two signals that ask a process to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From here on the signals are kept for [`Signals::stop`], also during the start.
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Ends at the first signal. The second one is from somebody who does not want to wait, and ends the process.
    async fn stop(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            process::exit(1);
        });
    }
}
