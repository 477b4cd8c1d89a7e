//! The house rules, checked: where each dependency may be used, what library code may not do, how files look.
//!
//! A rule that only people know is broken within a month. Each test here names the rule, and its failure names the
//! places. The reasons are in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use callbox_tests::source::{self, Place, Source};
use callbox_tests::workspace;
use serde_json::Value;
use syn::visit::Visit;

fn nothing(rule: &str, found: &[Place]) {
    let lines: Vec<String> = found.iter().map(|place| format!("  {place}")).collect();
    assert!(found.is_empty(), "{rule}:\n{}", lines.join("\n"));
}

/// Places of `found` outside the folders or files `homes`.
fn outside(homes: &[&str], found: impl IntoIterator<Item = Place>) -> Vec<Place> {
    found
        .into_iter()
        .filter(|place| !homes.iter().any(|home| Path::new(&place.file).starts_with(home)))
        .collect()
}

fn uses(sources: &[Source], name: &str) -> Vec<Place> {
    sources.iter().flat_map(|source| source.crate_uses(name)).collect()
}

fn all(sources: &[Source], sequence: &[&str]) -> Vec<Place> {
    sources.iter().flat_map(|source| source.find(sequence)).collect()
}

#[test]
fn the_top_level_holds_the_crates_and_the_customary_files_alone() {
    let known: BTreeSet<&str> = [
        "actors",
        "events",
        "replay-tool",
        "store",
        "tests",
        "README.md",
        "ARCHITECTURE.md",
        "BENCHMARKS.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE",
        "Cargo.toml",
        "Cargo.lock",
        ".cargo",
        ".ci",
        ".config",
        ".gitattributes",
        ".gitignore",
        ".editorconfig",
        "clippy.toml",
        "deny.toml",
        "rust-toolchain.toml",
        "rustfmt.toml",
    ]
    .into();
    let tops: BTreeSet<String> =
        source::tracked().iter().filter_map(|file| file.split('/').next().map(str::to_owned)).collect();
    let strange: Vec<&String> = tops.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(strange.is_empty(), "not a place of the top level: {strange:?}");
}

#[test]
fn each_foreign_foundation_is_used_in_one_place() {
    let sources = source::product();
    nothing("rsip belongs to the wire", &outside(&["actors/sip/src/wire"], uses(&sources, "rsip")));
    nothing("sled belongs to its backend", &outside(&["store/src/sled"], uses(&sources, "sled")));
    nothing("actix belongs to the actors", &outside(&["actors/src/actor"], uses(&sources, "actix")));
    nothing("actix-web belongs to the daemon", &outside(&["actors/callboxd"], uses(&sources, "actix_web")));
}

#[test]
fn the_engine_reads_the_clock_in_one_file_and_pure_code_nowhere() {
    let sources = source::product();
    let readings = [
        &["SystemTime", ":", ":", "now"][..],
        &["Instant", ":", ":", "now"],
        &["Timestamp", ":", ":", "now"],
        &["Zoned", ":", ":", "now"],
        &[".", "elapsed", "("],
    ];
    let found = readings.into_iter().flat_map(|sequence| all(&sources, sequence));
    let ours = found.filter(|place| {
        let file = Path::new(&place.file);
        file.starts_with("events") || file.starts_with("actors") && !file.starts_with("actors/callboxd")
    });
    nothing("the clock is an input (actors/src/clock.rs reads it)", &outside(&["actors/src/clock.rs"], ours));
}

#[test]
fn pure_crates_do_no_io_and_know_no_runtime() {
    let sources: Vec<Source> = source::product()
        .into_iter()
        .filter(|source| source.file.starts_with("events/") || source.file.starts_with("actors/sip/"))
        .collect();
    for name in ["tokio", "socket2", "rand", "futures"] {
        nothing(&format!("no {name} in pure code"), &uses(&sources, name));
    }
    for module in ["fs", "thread", "process", "env"] {
        nothing(&format!("no std::{module} in pure code"), &all(&sources, &["std", ":", ":", module]));
    }
    for name in ["TcpStream", "TcpListener", "UdpSocket"] {
        nothing("no sockets in pure code", &all(&sources, &[name]));
    }
}

#[test]
fn nothing_is_unsafe_outside_the_c_abi() {
    nothing("unsafe", &outside(&["actors/capi"], all(&source::product(), &["unsafe"])));
}

#[test]
fn library_code_does_not_panic_on_purpose() {
    let sources = source::product();
    nothing("unwrap", &all(&sources, &[".", "unwrap", "(", ")"]));
    nothing("expect", &all(&sources, &[".", "expect", "(", "\""]));
    for name in ["panic", "todo", "unimplemented"] {
        nothing(name, &all(&sources, &[name, "!"]));
    }
}

#[test]
fn files_are_short_and_say_what_they_are_about() {
    let mut long = Vec::new();
    let mut silent = Vec::new();
    for file in source::tracked().into_iter().filter(|file| file.ends_with(".rs")) {
        let text = source::text(&file);
        if text.lines().count() > 600 {
            long.push(Place { file: file.clone(), line: text.lines().count() });
        }
        let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
        if !first.is_some_and(|line| line.starts_with("//!")) {
            silent.push(Place { file, line: 1 });
        }
    }
    nothing("a file of more than 600 lines is more than one subject", &long);
    nothing("a module begins with what it is for (`//!`)", &silent);
}

/// Collects the `match` expressions over one of our own enums that have a `_` arm.
struct Wildcards<'a> {
    ours: &'a BTreeSet<String>,
    file: String,
    found: Vec<Place>,
}

impl<'ast> Visit<'ast> for Wildcards<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let test = module.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
        });
        if !test {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        let wild =
            expression.arms.iter().find(|arm| matches!(arm.pat, syn::Pat::Wild(_)) && arm.guard.is_none());
        // A nested pattern such as `Some(Phase::Ended)` is a match over the outer enum: only the outermost path counts.
        let own = expression
            .arms
            .iter()
            .any(|arm| outermost(&arm.pat).is_some_and(|name| self.ours.contains(&name)));
        if let (Some(arm), true) = (wild, own) {
            let syn::Pat::Wild(pattern) = &arm.pat else { return };
            self.found
                .push(Place { file: self.file.clone(), line: pattern.underscore_token.span.start().line });
        }
        syn::visit::visit_expr_match(self, expression);
    }
}

/// The enum that a pattern's outermost path names: `Phase` for `Phase::Ended`, `Signal::Bye { .. }` and so on.
fn outermost(pattern: &syn::Pat) -> Option<String> {
    let path = match pattern {
        syn::Pat::Path(pattern) => &pattern.path,
        syn::Pat::TupleStruct(pattern) => &pattern.path,
        syn::Pat::Struct(pattern) => &pattern.path,
        syn::Pat::Or(pattern) => return pattern.cases.first().and_then(outermost),
        syn::Pat::Reference(pattern) => return outermost(&pattern.pat),
        _ => return None,
    };
    let count = path.segments.len();
    (count >= 2).then(|| path.segments[count - 2].ident.to_string())
}

/// The public enums of the crate of shared vocabulary. A match over one of them is a decision about a call, where a `_`
/// arm would hide a variant added later.
fn vocabulary() -> BTreeSet<String> {
    let files =
        source::tracked().into_iter().filter(|file| file.starts_with("events/src") && file.ends_with(".rs"));
    let mut names = BTreeSet::new();
    for file in files {
        let parsed = syn::parse_file(&source::text(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        names.extend(parsed.items.iter().filter_map(|item| match item {
            syn::Item::Enum(item) if matches!(item.vis, syn::Visibility::Public(_)) => {
                Some(item.ident.to_string())
            }
            _ => None,
        }));
    }
    names
}

#[test]
fn a_match_on_our_own_enums_names_every_variant() {
    let ours = vocabulary();
    assert!(ours.contains("Phase") && ours.contains("Signal"), "the vocabulary is where it was: {ours:?}");
    let mut found = Vec::new();
    for Source { file, .. } in source::product() {
        let parsed = syn::parse_file(&source::text(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut wildcards = Wildcards { ours: &ours, file, found: Vec::new() };
        wildcards.visit_file(&parsed);
        found.extend(wildcards.found);
    }
    nothing("a `_` arm hides the variants to come", &found);
}

#[test]
fn tracked_files_know_no_machine() {
    // Written in two parts so that this file does not hold them.
    let words: Vec<String> =
        [("/wo", "rk/"), ("/ro", "ot/"), ("/tmp/", "contract"), (".lib", "rary/"), ("/home", "/")]
            .map(|(first, second)| format!("{first}{second}"))
            .into();
    let mut found = Vec::new();
    for file in source::tracked() {
        for (index, line) in source::text(&file).lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(Place { file: file.clone(), line: index + 1 });
            }
        }
    }
    nothing("an absolute path of one machine", &found);
}

/// Our packages, each with the packages it depends on outside of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let listed = Command::new(env!("CARGO"))
        .current_dir(workspace::root())
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .expect("cargo runs");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let metadata: Value = serde_json::from_slice(&listed.stdout).expect("cargo prints JSON");
    let of = |package: &Value| {
        let used = package["dependencies"].as_array().expect("a list").iter();
        let used = used.filter(|dependency| dependency["kind"] != "dev");
        let names = used.filter_map(|dependency| dependency["name"].as_str().map(str::to_owned)).collect();
        (package["name"].as_str().expect("a name").to_owned(), names)
    };
    metadata["packages"].as_array().expect("a list").iter().map(of).collect()
}

#[test]
fn crates_depend_in_one_direction() {
    let allowed: BTreeMap<&str, &[&str]> = [
        ("callbox-events", &[][..]),
        ("callbox-store", &["callbox-events"]),
        ("callbox-sip", &["callbox-events"]),
        ("callbox", &["callbox-events", "callbox-store", "callbox-sip"]),
        ("callboxd", &["callbox", "callbox-events", "callbox-store", "callbox-sip"]),
        ("callbox-capi", &["callbox", "callbox-events"]),
        ("callbox-replay", &["callbox-events", "callbox-store", "callbox-sip"]),
        ("callbox-tests", &["callbox", "callboxd", "callbox-events", "callbox-store", "callbox-sip"]),
    ]
    .into();
    let all = dependencies();
    for (name, used) in &all {
        let allowed =
            allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no place in the direction"));
        let wrong: Vec<&String> =
            used.iter().filter(|used| all.contains_key(*used) && !allowed.contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "{name} must not depend on {wrong:?}");
    }
}

#[test]
fn each_foreign_foundation_is_a_dependency_of_one_crate() {
    let homes =
        [("rsip", "callbox-sip"), ("sled", "callbox-store"), ("actix", "callbox"), ("actix-web", "callboxd")];
    for (foreign, home) in homes {
        for (name, used) in dependencies() {
            assert!(
                !used.contains(foreign) || name == home,
                "{name} depends on {foreign}, which belongs to {home}"
            );
        }
    }
}

#[test]
fn pure_crates_pull_no_runtime() {
    for (name, used) in dependencies() {
        let pure = matches!(name.as_str(), "callbox-events" | "callbox-sip");
        for runtime in ["tokio", "actix", "socket2", "ureq", "sled", "rand"] {
            assert!(!pure || !used.contains(runtime), "{name} is pure and must not depend on {runtime}");
        }
    }
}
