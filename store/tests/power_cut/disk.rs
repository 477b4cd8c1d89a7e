//! A disk that keeps only what it was told to sync, and may keep more.
//!
//! A file has what is durable and the acts since, each of which may have reached the disk in part: a disk writes whole
//! sectors of 512 bytes, in any order. A name (create, rename, remove) is durable once its *directory* was synced.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::fate::Fate;
use super::trace::{Act, Event};

pub const SECTOR: u64 = 512;

/// What a directory looks like: names relative to its root; `None` is a directory.
pub type Image = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// An act that may not be on the disk yet.
#[derive(Debug, Clone)]
pub struct Pending<T> {
    pub act: T,
    /// When its call had returned.
    end: usize,
    pub durable: bool,
}

/// A change of a file's content.
#[derive(Debug, Clone)]
pub enum Change {
    Write {
        offset: u64,
        data: Vec<u8>,
    },
    Resize(u64),
    /// At least so long.
    Allot(u64),
}

#[derive(Debug, Clone)]
enum Node {
    File { base: Vec<u8>, pending: Vec<Pending<Change>> },
    Dir(Dir),
}

#[derive(Debug, Clone, Default)]
struct Dir {
    base: BTreeMap<String, usize>,
    /// As the running process sees it.
    seen: BTreeMap<String, usize>,
    pending: Vec<Pending<(String, Option<usize>)>>,
}

/// The disk below one directory.
#[derive(Debug, Clone)]
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
}

const ROOT: usize = 0;

impl Disk {
    /// A disk that holds this, durably.
    pub fn new(root: &Path, image: &Image) -> Self {
        let mut disk = Self { root: root.to_owned(), nodes: vec![Node::Dir(Dir::default())] };
        for (path, content) in image {
            let node = match content {
                Some(bytes) => Node::File { base: bytes.clone(), pending: Vec::new() },
                None => Node::Dir(Dir::default()),
            };
            let (parent, name) = disk.parent(&root.join(path)).unwrap();
            let number = disk.add(node);
            let dir = disk.dir(parent);
            dir.base.insert(name.clone(), number);
            dir.seen.insert(name, number);
        }
        disk
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn dir(&mut self, number: usize) -> &mut Dir {
        match &mut self.nodes[number] {
            Node::Dir(dir) => dir,
            Node::File { .. } => panic!("a file where a directory is meant"),
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        let relative = path.strip_prefix(&self.root).ok()?;
        relative.components().try_fold(ROOT, |number, component| match (&self.nodes[number], component) {
            (Node::Dir(dir), Component::Normal(name)) => dir.seen.get(name.to_str()?).copied(),
            _ => None,
        })
    }

    fn parent(&self, path: &Path) -> Option<(usize, String)> {
        Some((self.find(path.parent()?)?, path.file_name()?.to_str()?.to_owned()))
    }

    fn name(&mut self, path: &Path, node: Option<usize>, end: usize) {
        let Some((parent, name)) = self.parent(path) else { return };
        let dir = self.dir(parent);
        match node {
            Some(node) => drop(dir.seen.insert(name.clone(), node)),
            None => drop(dir.seen.remove(&name)),
        }
        dir.pending.push(Pending { act: (name, node), end, durable: false });
    }

    fn change(&mut self, path: &Path, change: Change, end: usize) {
        let Some(number) = self.find(path) else { return };
        if let Node::File { pending, .. } = &mut self.nodes[number] {
            pending.push(Pending { act: change, end, durable: false });
        }
    }

    /// A call begins: what it changes may be on the disk from now on.
    pub fn begin(&mut self, event: &Event) {
        let end = event.end;
        match &event.act {
            Act::Create { path, truncate } => match self.find(path) {
                Some(_) if *truncate => self.change(path, Change::Resize(0), end),
                Some(_) => {}
                None => {
                    let node = self.add(Node::File { base: Vec::new(), pending: Vec::new() });
                    self.name(path, Some(node), end);
                }
            },
            Act::Write { path, offset, data } => {
                self.change(path, Change::Write { offset: *offset, data: data.clone() }, end);
            }
            Act::Resize { path, length } => self.change(path, Change::Resize(*length), end),
            Act::Allot { path, length } => self.change(path, Change::Allot(*length), end),
            Act::MakeDir { path } => {
                let node = self.add(Node::Dir(Dir::default()));
                self.name(path, Some(node), end);
            }
            Act::Rename { from, to } => {
                let node = self.find(from);
                self.name(from, None, end);
                self.name(to, node, end);
            }
            Act::Remove { path } => self.name(path, None, end),
            Act::Sync { .. } | Act::Say { .. } => {}
        }
    }

    /// A call has returned: what a sync covers is durable.
    pub fn end(&mut self, event: &Event) {
        let Act::Sync { path } = &event.act else { return };
        let Some(number) = self.find(path) else { return };
        match &mut self.nodes[number] {
            Node::File { base, pending } => {
                settle(pending, event.begin, |change| apply(base, change, &|_| true));
            }
            Node::Dir(Dir { base, pending, .. }) => {
                settle(pending, event.begin, |(name, node)| match node {
                    Some(node) => drop(base.insert(name.clone(), *node)),
                    None => drop(base.remove(name)),
                });
            }
        }
    }

    /// What is there after the power was cut now.
    pub fn cut(&self, fate: &mut Fate) -> Image {
        let mut image = Image::new();
        self.gather(ROOT, Path::new(""), fate, &mut image);
        image
    }

    fn gather(&self, number: usize, path: &Path, fate: &mut Fate, image: &mut Image) {
        match &self.nodes[number] {
            Node::File { base, pending } => {
                let mut bytes = base.clone();
                fate.content(path, &mut bytes, pending);
                image.insert(path.to_owned(), Some(bytes));
            }
            Node::Dir(dir) => {
                if number != ROOT {
                    image.insert(path.to_owned(), None);
                }
                let mut names = dir.base.clone();
                let kept = fate.names(dir.pending.len());
                for (place, Pending { act: (name, node), durable, .. }) in dir.pending.iter().enumerate() {
                    match node {
                        _ if !durable && place >= kept => {}
                        Some(node) => drop(names.insert(name.clone(), *node)),
                        None => drop(names.remove(name)),
                    }
                }
                for (name, node) in names {
                    self.gather(node, &path.join(name), fate, image);
                }
            }
        }
    }
}

/// Marks what had ended when the sync began; what is durable from the beginning on goes to the base.
fn settle<T>(pending: &mut Vec<Pending<T>>, began: usize, mut into_base: impl FnMut(&T)) {
    for act in pending.iter_mut() {
        act.durable |= act.end < began;
    }
    let count = pending.iter().take_while(|act| act.durable).count();
    pending.drain(..count).for_each(|act| into_base(&act.act));
}

/// Applies a change, in those sectors that `kept` chooses.
pub fn apply(bytes: &mut Vec<u8>, change: &Change, kept: &dyn Fn(u64) -> bool) {
    match change {
        Change::Write { offset, data } => {
            let end = (*offset as usize) + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            let (first, last) = (offset / SECTOR, (end as u64).div_ceil(SECTOR));
            for sector in (first..last).filter(|sector| kept(*sector)) {
                let from = (sector * SECTOR).max(*offset) as usize;
                let to = ((sector + 1) * SECTOR).min(end as u64) as usize;
                bytes[from..to].copy_from_slice(&data[from - *offset as usize..to - *offset as usize]);
            }
        }
        Change::Resize(length) => bytes.resize(*length as usize, 0),
        Change::Allot(length) => bytes.resize(bytes.len().max(*length as usize), 0),
    }
}

/// A directory as an image.
pub fn load(dir: &Path) -> Image {
    fn walk(root: &Path, dir: &Path, image: &mut Image) {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let relative = path.strip_prefix(root).unwrap().to_owned();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                image.insert(relative, None);
                walk(root, &path, image);
            } else if kind.is_file() {
                image.insert(relative, Some(std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut image = Image::new();
    walk(dir, dir, &mut image);
    image
}

/// An image as a directory. Zeros at the end take no room.
pub fn lay_out(image: &Image, dir: &Path) {
    for (path, content) in image {
        let path = dir.join(path);
        let Some(bytes) = content else {
            std::fs::create_dir_all(&path).unwrap();
            continue;
        };
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |place| place + 1);
        std::fs::write(&path, &bytes[..used]).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(bytes.len() as u64).unwrap();
    }
}
