//! What a process costs, as its kernel counts it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// User and system time of this process so far (resolution 10 ms).
pub fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks =
        |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).expect("a count of ticks");
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the field is there");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// Bytes that this process sent to the block layer so far.
pub fn block_writes() -> u64 {
    field("/proc/self/io", "write_bytes:")
}

/// The most memory this process ever had, in bytes.
pub fn peak_memory() -> u64 {
    field("/proc/self/status", "VmHWM:") * 1024
}

/// Bytes that a directory takes on the disk.
pub fn disk(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).expect("it is there").map(|entry| entry.expect("it can be read"));
    let size = |entry: fs::DirEntry| {
        let about = entry.metadata().expect("it is there");
        if about.is_dir() { disk(&entry.path()) } else { about.blocks() * 512 }
    };
    entries.map(size).sum()
}
