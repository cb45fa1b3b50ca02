//! `fs`: Node's names, results and error codes, for files in the worktree and in granted folders.

use std::{
    io::{self, Read, Write},
    sync::Arc,
    time::UNIX_EPOCH,
};

use cap_std::fs::{File, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use rmpv::Value;
use rustix::fs::OFlags;

use super::{
    Bounds, FsGrant, GrantError, NativeError,
    arguments::Arguments,
    call::encode,
    encoding::Encoding,
    places::{Place, Places},
    remove,
};
use crate::Worktree;

/// What is read or written between two looks at whether the execution is to end.
const CHUNK: usize = 1 << 20;

/// Entries of a folder between two such looks.
const ENTRIES: usize = 256;

#[derive(Debug)]
pub(super) struct Fs {
    places: Places,
}

type Answer = Result<Value, NativeError>;

impl Fs {
    pub fn new(worktree: Arc<Worktree>, grant: &FsGrant) -> Result<Self, GrantError> {
        Ok(Self { places: Places::open(worktree, grant)? })
    }

    /// Nothing for a function that is not known.
    pub fn call(
        &self,
        function: &str,
        arguments: &Arguments<'_>,
        bounds: &Bounds<'_>,
    ) -> Option<Result<Vec<u8>, NativeError>> {
        let answer = match function {
            "readFileSync" => self.read_file(arguments, bounds),
            "writeFileSync" => self.write_file(arguments, bounds, OpenOptions::new().create(true).truncate(true)),
            "appendFileSync" => self.write_file(arguments, bounds, OpenOptions::new().create(true).append(true)),
            "existsSync" => Ok(self.exists(arguments).into()),
            "readdirSync" => self.read_folder(arguments, bounds),
            "mkdirSync" => self.make_folder(arguments),
            "statSync" => self.stat(arguments),
            "rmSync" => self.remove(arguments, bounds),
            _ => return None,
        };
        Some(answer.map(|value| encode(&value)))
    }

    fn read_file(&self, arguments: &Arguments<'_>, bounds: &Bounds<'_>) -> Answer {
        let encoding = Encoding::option(arguments, 1)?;
        let place = self.places.find(arguments.system_string(0, "path")?, "open")?;
        let mut file = place.open(OpenOptions::new().read(true))?;
        let mut bytes = Vec::new();
        loop {
            bounds.check()?;
            let more = (&mut file).take(CHUNK as u64).read_to_end(&mut bytes).map_err(place.failed("read"))?;
            if bytes.len() as u64 > bounds.max_bytes {
                let text = format!("the file has more than the {} bytes that a call may answer", bounds.max_bytes);
                return Err(NativeError::about_path("ERR_FS_FILE_TOO_LARGE", &text, "read", place.shown));
            }
            if more == 0 {
                break;
            }
        }
        Ok(match encoding {
            Some(encoding) => encoding.decode(&bytes).into(),
            None => Value::Binary(bytes),
        })
    }

    fn write_file(&self, arguments: &Arguments<'_>, bounds: &Bounds<'_>, options: &mut OpenOptions) -> Answer {
        let encoding = Encoding::option(arguments, 2)?.unwrap_or(Encoding::Utf8);
        let text;
        let data = match arguments.get(1) {
            Value::Binary(bytes) => bytes,
            _ => {
                let data = arguments.string(1, "data");
                text = encoding.encode(data.map_err(|_| arguments.wrong_type(1, "data", "a string or a Uint8Array"))?);
                &text
            }
        };
        let place = self.places.find_writable(arguments.system_string(0, "path")?, "open")?;
        let mut file = place.open(options.write(true))?;
        for chunk in data.chunks(CHUNK) {
            bounds.check()?;
            file.write_all(chunk).map_err(place.failed("write"))?;
        }
        Ok(Value::Nil)
    }

    /// Never fails, as in Node: what cannot be seen is not there.
    fn exists(&self, arguments: &Arguments<'_>) -> bool {
        let path = arguments.system_string(0, "path");
        path.and_then(|path| self.places.find(path, "access")).is_ok_and(|place| place.folder.exists(place.path))
    }

    fn read_folder(&self, arguments: &Arguments<'_>, bounds: &Bounds<'_>) -> Answer {
        let place = self.places.find(arguments.system_string(0, "path")?, "scandir")?;
        let mut names = Vec::new();
        let mut size = 0;
        for (count, entry) in place.folder.read_dir(place.path).map_err(place.failed("scandir"))?.enumerate() {
            let name = entry.map_err(place.failed("scandir"))?.file_name().to_string_lossy().into_owned();
            size += name.len() as u64;
            if size > bounds.max_bytes {
                let text = format!("the names have more than the {} bytes that a call may answer", bounds.max_bytes);
                return Err(NativeError::about_path("ERR_BUFFER_TOO_LARGE", &text, "scandir", place.shown));
            }
            if count % ENTRIES == 0 {
                bounds.check()?;
            }
            names.push(name);
        }
        names.sort_unstable();
        Ok(Value::Array(names.into_iter().map(Value::from).collect()))
    }

    fn make_folder(&self, arguments: &Arguments<'_>) -> Answer {
        let is_recursive = arguments.flag(1, "recursive")?;
        let place = self.places.find_writable(arguments.system_string(0, "path")?, "mkdir")?;
        let made =
            if is_recursive { place.folder.create_dir_all(place.path) } else { place.folder.create_dir(place.path) };
        made.map(|()| Value::Nil).map_err(place.failed("mkdir"))
    }

    fn stat(&self, arguments: &Arguments<'_>) -> Answer {
        let place = self.places.find(arguments.system_string(0, "path")?, "stat")?;
        place.folder.metadata(place.path).map(|metadata| describe(&metadata)).map_err(place.failed("stat"))
    }

    fn remove(&self, arguments: &Arguments<'_>, bounds: &Bounds<'_>) -> Answer {
        let (is_recursive, is_forced) = (arguments.flag(1, "recursive")?, arguments.flag(1, "force")?);
        let place = self.places.find_writable(arguments.system_string(0, "path")?, "rm")?;
        match remove::remove(&place, is_recursive, bounds) {
            Err(error) if is_forced && error.code == "ENOENT" => Ok(Value::Nil),
            other => other.map(|()| Value::Nil),
        }
    }
}

impl Place<'_> {
    /// A regular file, of which nothing is awaited: a pipe that nobody writes to would be waited for until somebody does.
    fn open(&self, options: &mut OpenOptions) -> Result<File, NativeError> {
        let file = self.folder.open_with(self.path, options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()));
        let file = file.map_err(self.failed("open"))?;
        let metadata = file.metadata().map_err(self.failed("open"))?;
        if metadata.is_dir() {
            return Err(NativeError::about_path("EISDIR", "illegal operation on a directory", "read", self.shown));
        }
        if metadata.is_file() {
            return Ok(file);
        }
        let text = "invalid argument: a pipe, device or socket, where only regular files are read and written";
        Err(NativeError::about_path("EINVAL", text, "open", self.shown))
    }

    /// What the script gets to know of a failure.
    pub fn failed(&self, syscall: &'static str) -> impl Fn(io::Error) -> NativeError {
        move |error| NativeError::system(&error, syscall, self.shown)
    }
}

/// Numbers as in Node's `Stats`, times in ms since 1970.
fn describe(metadata: &Metadata) -> Value {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => "file",
        kind if kind.is_dir() => "directory",
        _ => "other",
    };
    let ms = |seconds: i64, nanoseconds: i64| seconds as f64 * 1e3 + nanoseconds as f64 / 1e6;
    let created = metadata.created().ok().and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
    let changed = ms(metadata.ctime(), metadata.ctime_nsec());
    let entries: [(&str, Value); 12] = [
        ("type", kind.into()),
        ("size", metadata.size().into()),
        ("mode", metadata.mode().into()),
        ("ino", metadata.ino().into()),
        ("dev", metadata.dev().into()),
        ("nlink", metadata.nlink().into()),
        ("uid", metadata.uid().into()),
        ("gid", metadata.gid().into()),
        ("atimeMs", ms(metadata.atime(), metadata.atime_nsec()).into()),
        ("mtimeMs", ms(metadata.mtime(), metadata.mtime_nsec()).into()),
        ("ctimeMs", changed.into()),
        ("birthtimeMs", created.map_or(changed, |created| created.as_secs_f64() * 1e3).into()),
    ];
    Value::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
