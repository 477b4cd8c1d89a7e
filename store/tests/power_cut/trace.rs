//! What a process did to its files, as strace tells it: every call that changes or syncs one, with its data.
//!
//! A call has a beginning and an end (other threads' calls lie in between). What it changes may be on the disk from its
//! beginning on; what a sync covers is what had ended before the sync began.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The calls that are recorded. sled and the store use a part of them; an unknown way to change a file would go unseen,
/// so the list has every one that Linux has, except mappings and io_uring, which neither uses.
const CALLS: &str = "open,openat,openat2,creat,write,writev,pwrite64,pwritev,pwritev2,lseek,fsync,fdatasync,\
sync_file_range,sync,syncfs,ftruncate,truncate,fallocate,copy_file_range,sendfile,rename,renameat,renameat2,unlink,\
unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat";

/// One call that matters.
#[derive(Debug, Clone)]
pub struct Event {
    /// The line of the trace where it began.
    pub begin: usize,
    /// The line where it had returned.
    pub end: usize,
    pub act: Act,
}

impl Event {
    /// The same, so many lines later.
    pub fn later(self, lines: usize) -> Self {
        Self { begin: self.begin + lines, end: self.end + lines, act: self.act }
    }
}

/// What it does. Paths are absolute.
#[derive(Debug, Clone)]
pub enum Act {
    /// A file that may have to be created, and may be emptied.
    Create {
        path: PathBuf,
        truncate: bool,
    },
    Write {
        path: PathBuf,
        offset: u64,
        data: Vec<u8>,
    },
    /// A new length.
    Resize {
        path: PathBuf,
        length: u64,
    },
    /// Room, up to this length at least.
    Allot {
        path: PathBuf,
        length: u64,
    },
    MakeDir {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    /// `fsync` or `fdatasync` of a file or a directory.
    Sync {
        path: PathBuf,
    },
    /// Something said on the standard output.
    Say {
        text: String,
    },
}

impl Act {
    /// In a word, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Create { path, .. } => format!("create {}", path.display()),
            Self::Write { path, offset, data } => {
                format!("write {} bytes at {offset} of {}", data.len(), path.display())
            }
            Self::Resize { path, length } => format!("resize {} to {length}", path.display()),
            Self::Allot { path, length } => format!("allot {length} to {}", path.display()),
            Self::MakeDir { path } => format!("mkdir {}", path.display()),
            Self::Rename { from, to } => format!("rename {} to {}", from.display(), to.display()),
            Self::Remove { path } => format!("remove {}", path.display()),
            Self::Sync { path } => format!("sync {}", path.display()),
            Self::Say { text } => format!("say {:?}", text.trim()),
        }
    }
}

/// Runs a program under strace; returns what it did, in the order in which the calls began.
pub fn record(program: &mut Command, into: &Path) -> Vec<Event> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-xx", "-s", "4000000", "--seccomp-bpf", "-e", "signal=none", "-o"]);
    strace.arg(into).arg("-e").arg(format!("trace={CALLS}"));
    strace.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        strace.env(name, value.unwrap_or_default());
    }
    let output = strace.output().unwrap();
    let text = std::fs::read_to_string(into).unwrap();
    assert!(
        text.lines().count() > 10,
        "strace recorded nothing: {}{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    parse(&text)
}

/// Reads a trace.
pub fn parse(text: &str) -> Vec<Event> {
    let mut parser = Parser::default();
    for (line, content) in text.lines().enumerate() {
        parser.line(line, content);
    }
    parser.events.sort_by_key(|event| event.begin);
    parser.events
}

#[derive(Default)]
struct Parser {
    /// By thread: where a call began, and its text so far.
    open: HashMap<String, (usize, String)>,
    /// By descriptor: where the next `write` goes.
    offsets: HashMap<String, u64>,
    events: Vec<Event>,
}

impl Parser {
    fn line(&mut self, line: usize, content: &str) {
        let Some((thread, rest)) = content.split_once(' ') else { return };
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            return;
        }
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            self.open.insert(thread.to_owned(), (line, begun.trim_end().to_owned()));
            return;
        }
        let (begin, call) = match rest.strip_prefix("<... ") {
            Some(resumed) => {
                let (begin, begun) = self.open.remove(thread).unwrap();
                (begin, format!("{begun}{}", resumed.split_once("resumed>").unwrap().1))
            }
            None => (line, rest.to_owned()),
        };
        let (text, result) = call.rsplit_once(" = ").unwrap_or_else(|| panic!("line {line}: {call}"));
        let (name, args) = text.trim_end().split_once('(').unwrap();
        let args: Vec<&str> = split(args.strip_suffix(')').unwrap());
        // Killed in the middle: it may have happened or not, and nothing rests on it.
        let result = if result.starts_with('?') { "0" } else { result };
        if result.starts_with('-') {
            return;
        }
        if let Some(act) = self.act(name, &args, result) {
            self.events.push(Event { begin, end: line, act });
        }
    }

    fn act(&mut self, name: &str, args: &[&str], result: &str) -> Option<Act> {
        let first = || path_of(args[0]);
        let number = |place: usize| args[place].parse::<u64>().unwrap();
        Some(match name {
            "openat" | "open" => {
                let (path, flags) = if name == "open" {
                    (PathBuf::from(string(args[0])), args[1])
                } else {
                    (at(args[0], args[1]), args[2])
                };
                self.offsets.insert(result.split('<').next()?.to_owned(), 0);
                if !flags.contains("O_CREAT") && !flags.contains("O_TRUNC") {
                    return None;
                }
                Act::Create { path, truncate: flags.contains("O_TRUNC") }
            }
            "write" | "writev" => {
                let data = data(args[1], result);
                if args[0].starts_with("1<") {
                    return Some(Act::Say { text: String::from_utf8_lossy(&data).into_owned() });
                }
                let offset = self.offsets.entry(args[0].split('<').next()?.to_owned()).or_default();
                let begin = *offset;
                *offset += data.len() as u64;
                Act::Write { path: first()?, offset: begin, data }
            }
            "pwrite64" | "pwritev" | "pwritev2" => {
                Act::Write { path: first()?, offset: number(3), data: data(args[1], result) }
            }
            "lseek" => {
                self.offsets.insert(args[0].split('<').next()?.to_owned(), result.parse().ok()?);
                return None;
            }
            "ftruncate" => Act::Resize { path: first()?, length: number(1) },
            "truncate" => Act::Resize { path: string(args[0]).into(), length: number(1) },
            "fallocate" => {
                assert_eq!(args[1], "0", "a mode of fallocate that is not modelled");
                Act::Allot { path: first()?, length: number(2) + number(3) }
            }
            "fsync" | "fdatasync" => Act::Sync { path: first()? },
            // It starts writing, or waits for it; the file's length and the disk's own cache are left alone.
            "sync_file_range" => return None,
            "rename" => Act::Rename { from: string(args[0]).into(), to: string(args[1]).into() },
            "renameat" | "renameat2" => Act::Rename { from: at(args[0], args[1]), to: at(args[2], args[3]) },
            "unlink" | "rmdir" => Act::Remove { path: string(args[0]).into() },
            "unlinkat" => Act::Remove { path: at(args[0], args[1]) },
            "mkdir" => Act::MakeDir { path: string(args[0]).into() },
            "mkdirat" => Act::MakeDir { path: at(args[0], args[1]) },
            other => panic!("a call that is not modelled: {other}"),
        })
    }
}

/// The arguments, split at the commas that stand outside of brackets. All strings are in hexadecimal.
fn split(args: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (place, byte) in args.bytes().enumerate() {
        match byte {
            b'[' | b'{' | b'<' => depth += 1,
            b']' | b'}' | b'>' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(args[from..place].trim());
                from = place + 1;
            }
            _ => {}
        }
    }
    parts.push(args[from..].trim());
    parts
}

/// The bytes written, as many as the call says it wrote.
fn data(argument: &str, result: &str) -> Vec<u8> {
    assert!(!argument.contains("\"..."), "a write that was too long for the trace");
    let mut bytes: Vec<u8> = argument.split('"').skip(1).step_by(2).flat_map(unescape).collect();
    if let Ok(written @ 1..) = result.trim().parse::<usize>() {
        bytes.truncate(written);
    }
    bytes
}

fn unescape(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks_exact(4)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(&digits[2..]).unwrap(), 16).unwrap())
        .collect()
}

fn string(argument: &str) -> String {
    String::from_utf8(unescape(argument.trim_matches('"'))).unwrap()
}

/// The path behind a descriptor; `None` for what has no name any more, or never had one.
fn path_of(descriptor: &str) -> Option<PathBuf> {
    let (_, path) = descriptor.split_once('<')?;
    let path = path.strip_suffix('>')?;
    let path = String::from_utf8(unescape(path)).unwrap();
    path.starts_with('/').then(|| PathBuf::from(path))
}

fn at(dir: &str, path: &str) -> PathBuf {
    path_of(dir).unwrap_or_default().join(string(path))
}
