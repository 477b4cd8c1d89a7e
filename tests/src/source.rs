//! Reading our own source files, for the house rules.
//!
//! Rules look at tokens, not at text, so that comments and strings never count. Code behind `#[cfg(test)]` or
//! `#[test]` is left out: it may do what library code may not.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::workspace;

/// A place in a file of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// All tracked files, relative to the root. In a tree without git: all files outside `target`.
#[must_use]
pub fn tracked() -> Vec<String> {
    let root = workspace::root();
    let listed = Command::new("git").current_dir(&root).args(["ls-files", "-z"]).output();
    let mut files: Vec<String> = match listed {
        Ok(listed) if listed.status.success() => {
            let text = String::from_utf8(listed.stdout).expect("file names are UTF-8");
            text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root, &root, &mut found);
            found
        }
    };
    files.retain(|name| root.join(name).is_file());
    files.sort();
    files
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the workspace can be read").flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != ".git" {
            walk(root, &path, found);
        } else if path.is_file() {
            found.push(name);
        }
    }
}

/// The text of a file, relative to the root; empty for one that is not text.
#[must_use]
pub fn text(file: &str) -> String {
    std::fs::read_to_string(workspace::root().join(file)).unwrap_or_default()
}

/// A Rust file of a library or binary of ours (nothing under `tests/`, `benches/`, `examples/`).
#[derive(Debug)]
pub struct Source {
    /// The file, relative to the root.
    pub file: String,
    /// Its tokens in order, without test code.
    pub tokens: Vec<Token>,
}

/// One token: an identifier, a literal's kind, or a punctuation character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// An identifier as written, a punctuation character, `"` for any literal, or a bracket.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
}

impl Source {
    /// Every place where these tokens follow each other. `::` is two tokens.
    #[must_use]
    pub fn find(&self, sequence: &[&str]) -> Vec<Place> {
        let place = |window: &[Token]| Place { file: self.file.clone(), line: window[0].line };
        let matches =
            |window: &&[Token]| window.iter().zip(sequence).all(|(token, wanted)| token.text == *wanted);
        self.tokens.windows(sequence.len()).filter(matches).map(place).collect()
    }

    /// Places where `name` is used as the first segment of a path (`name::…`), so as a crate; none if the file brings a
    /// module of that name into scope (`use crate::name;`).
    #[must_use]
    pub fn crate_uses(&self, name: &str) -> Vec<Place> {
        if !self.find(&["use", "crate", ":", ":", name, ";"]).is_empty() {
            return Vec::new();
        }
        let colon = |index: usize| self.tokens.get(index).is_some_and(|token| token.text == ":");
        let mut places = BTreeSet::new();
        for (index, token) in self.tokens.iter().enumerate() {
            let inner = index >= 2 && colon(index - 1) && colon(index - 2);
            if token.text == name && colon(index + 1) && colon(index + 2) && !inner {
                places.insert(Place { file: self.file.clone(), line: token.line });
            }
        }
        places.into_iter().collect()
    }
}

/// The sources of the product: files below a `src` folder of our crates, without this crate, without folders and files
/// that hold test code only (`testing/`, `tests/`, `tests.rs`, modules behind `#[cfg(test)]`).
#[must_use]
pub fn product() -> Vec<Source> {
    let files: Vec<String> = tracked().into_iter().filter(|file| is_product(file)).collect();
    let mut hidden = BTreeSet::new();
    for file in &files {
        hidden.extend(test_modules(file));
    }
    let shown = files.into_iter().filter(|file| !hidden.iter().any(|module| below(file, module)));
    shown.map(|file| Source { tokens: tokens(&file), file }).collect()
}

fn is_product(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').collect();
    let in_source = parts.contains(&"src") && parts[0] != "tests";
    let test_code =
        parts.iter().any(|part| matches!(*part, "testing" | "tests" | "tests.rs" | "benches" | "examples"));
    file.ends_with(".rs") && in_source && !test_code
}

/// Whether `file` is the module `stem` (a path without `.rs`) or lies below it.
fn below(file: &str, stem: &Path) -> bool {
    let path = Path::new(file);
    path.with_extension("") == stem || path.starts_with(stem)
}

/// The modules that `file` declares behind `#[cfg(test)]`, as paths without extension.
fn test_modules(file: &str) -> Vec<PathBuf> {
    let Ok(parsed) = syn::parse_file(&text(file)) else { return Vec::new() };
    let path = Path::new(file);
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let base = if matches!(stem.as_str(), "mod" | "lib" | "main") { folder } else { folder.join(stem) };
    let is_test = |attribute: &syn::Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    let declared = parsed.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() && module.attrs.iter().any(is_test) => {
            Some(base.join(module.ident.to_string()))
        }
        _ => None,
    });
    declared.collect()
}

fn tokens(file: &str) -> Vec<Token> {
    let stream: TokenStream =
        text(file).parse().unwrap_or_else(|error| panic!("{file} is not Rust: {error}"));
    let mut flat = Vec::new();
    flatten(stream, &mut flat);
    flat
}

fn flatten(stream: TokenStream, flat: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let Some(TokenTree::Group(group)) = trees.peek() else { continue };
                let is_test = marks_test(&group.stream().to_string());
                trees.next();
                if is_test {
                    skip_item(&mut trees);
                }
            }
            TokenTree::Punct(punct) => flat.push(Token { text: punct.as_char().to_string(), line }),
            TokenTree::Ident(ident) => flat.push(Token { text: ident.to_string(), line }),
            TokenTree::Literal(_) => flat.push(Token { text: "\"".to_owned(), line }),
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                flat.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), flat);
                flat.push(Token { text: close.to_owned(), line: group.span_close().start().line });
            }
        }
    }
}

/// Whether an attribute's content says that the item after it is test code.
fn marks_test(attribute: &str) -> bool {
    let words: String = attribute.chars().filter(|c| !c.is_whitespace()).collect();
    words == "cfg(test)" || words == "test" || words.ends_with("::test") || words.starts_with("cfg(all(test")
}

/// Steps over the rest of an item: up to its braces or its semicolon.
fn skip_item(trees: &mut impl Iterator<Item = TokenTree>) {
    for tree in trees {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return,
            _ => {}
        }
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        let mut flat = Vec::new();
        flatten(text.parse().expect("Rust"), &mut flat);
        Source { file: "x.rs".to_owned(), tokens: flat }
    }

    #[test]
    fn comments_strings_and_test_code_do_not_count() {
        let text = "// a.unwrap()\n/// b.unwrap()\nfn f() { g(\"c.unwrap()\"); }\n#[cfg(test)]\nmod t { fn h() { d.unwrap() } }\nfn i() { e.unwrap() }";
        let places = source(text).find(&[".", "unwrap", "("]);
        assert_eq!(places.iter().map(|place| place.line).collect::<Vec<_>>(), [6]);
    }

    #[test]
    fn a_crate_is_told_from_a_module_of_the_same_name() {
        let text = "use sled::Db;\nuse crate::sled::SledJournal;\nfn f(db: sled::Db) { self::sled::open() }";
        let places = source(text).crate_uses("sled");
        assert_eq!(places.iter().map(|place| place.line).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(source("use crate::sled;\nfn f() { sled::open_copy() }").crate_uses("sled"), []);
    }
}
