//! Exports read by the programs they are made for: tshark, DuckDB, OpenSSL, Python's own JSON and CSV.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use callbox_events::schema::{Commit, WireMessage};
use callbox_events::sip::{Peer, Transport};
use callbox_store::sled::{Options, SledJournal};
use callbox_store::{Expect, Journal};
use callbox_tests::cli::Cli;
use callbox_tests::peers::{have, skip};
use serde_json::Value;
use tempfile::TempDir;

#[allow(dead_code, reason = "the tests of the command line tell more of them")]
#[path = "../../replay-tool/tests/support/stories.rs"]
mod stories;
#[allow(dead_code, reason = "the tests of the command line tell more of them")]
#[path = "../../replay-tool/tests/support/story.rs"]
mod story;

/// The told calls with whole SIP messages: over UDP, IPv6, and TCP in messages larger than a segment.
fn calls() -> Vec<Vec<Commit>> {
    let mut calls = stories::all();
    let peers: [(Transport, &str, &str); 3] = [
        (Transport::Udp, "127.0.0.1:5070", "127.0.0.1:5060"),
        (Transport::Udp, "[2001:db8::7]:5070", "[2001:db8::5]:5060"),
        (Transport::Tcp, "127.0.0.1:5070", "127.0.0.1:5060"),
    ];
    for (index, call) in calls.iter_mut().enumerate() {
        let (transport, peer, local) = peers[index % peers.len()];
        let peer = Peer { transport, addr: peer.parse().expect("an address") };
        *call = std::mem::take(call).into_iter().map(|commit| over(commit, peer, local)).collect();
    }
    calls
}

/// The commit as it would be with another transport and other addresses.
fn over(mut commit: Commit, peer: Peer, local: &str) -> Commit {
    let wire = std::mem::take(&mut commit.wire);
    let text = serde_json::to_string(&commit).expect("a commit is JSON");
    let text = text
        .replace(
            "\"transport\":\"udp\",\"addr\":\"127.0.0.1:5070\"",
            &format!("\"transport\":\"{}\",\"addr\":\"{}\"", peer.transport, peer.addr),
        )
        .replace("sip:us@127.0.0.1:5060", &format!("sip:us@{local}"));
    let mut commit: Commit = serde_json::from_str(&text).expect("still a commit");
    let filler = if peer.transport.is_reliable() { "x".repeat(2_000) } else { "x".into() };
    let whole = |message: WireMessage| {
        let text = String::from_utf8(message.bytes).expect("text");
        let headers = format!(
            "\r\nMax-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@127.0.0.1>;tag=ours\r\n\
             To: <sip:bob@127.0.0.1>;tag=theirs\r\nContact: <sip:us@{local}>\r\nX-Filler: {filler}\r\nCall-ID:"
        );
        WireMessage { peer, bytes: text.replacen("\r\nCall-ID:", &headers, 1).into_bytes(), ..message }
    };
    commit.wire = wire.into_iter().map(whole).collect();
    commit
}

/// A store with the calls, and a directory for what is made of it.
struct Desk {
    _store: TempDir,
    cli: Cli,
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let store = tempfile::tempdir().expect("a directory");
        let journal = SledJournal::open(store.path(), Options::default()).expect("a store");
        for commit in calls().into_iter().flatten() {
            let expect = Expect::of(&commit);
            journal.append(commit, expect).wait().expect("appended");
        }
        journal.close().expect("closed");
        let cli = Cli::store(store.path());
        Self { _store: store, cli, dir: tempfile::tempdir().expect("a directory") }
    }

    fn file(&self, name: &str, args: &[&str]) -> PathBuf {
        let path = self.dir.path().join(name);
        let _ = self.cli.text(&[&["export"], args, &["-o", path.to_str().expect("text")]].concat());
        path
    }
}

fn ran(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}{err}", output.status);
    out.into_owned()
}

fn tshark(capture: &Path, args: &[&str]) -> String {
    let checks = ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE"];
    let options = checks.iter().flat_map(|check| ["-o", check]);
    ran(&Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args(options)
        .args(args)
        .output()
        .expect("tshark runs"))
}

#[test]
fn tshark_reads_every_message_and_finds_nothing_wrong() {
    if !have("tshark", "tshark") {
        return;
    }
    let desk = Desk::new();
    for (name, args) in [("plain.pcap", &[][..]), ("redacted.pcap", &["--redact", "all"])] {
        let capture = desk.file(name, args);
        let count = |filter: &str| tshark(&capture, &["-Y", filter]).lines().count();
        let messages: usize = calls().iter().flatten().map(|commit| commit.wire.len()).sum();
        assert!(messages > 25);
        assert_eq!(count("sip"), messages, "{name}");
        for wrong in [
            "_ws.malformed",
            "ip.checksum.status == \"Bad\"",
            "udp.checksum.status == \"Bad\"",
            "tcp.checksum.status == \"Bad\"",
            "tcp.analysis.flags",
            "icmp",
        ] {
            assert_eq!(count(wrong), 0, "{name}: {wrong}");
        }
        assert!(count("ipv6") > 0 && count("tcp.segments") > 0, "IPv6 and segmented TCP are in there");
        let fields = ["-Y", "sip", "-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code"];
        let flow = tshark(&capture, &fields);
        let first: Vec<&str> = flow.lines().take(6).map(str::trim).collect();
        assert_eq!(first, ["INVITE", "180", "200", "ACK", "BYE", "200"]);
    }
}

/// Python with DuckDB: `tests/run` makes one and says where.
fn python() -> Option<String> {
    let python = std::env::var("CALLBOX_PYTHON").unwrap_or_else(|_| "python3".into());
    let imported = Command::new(&python).args(["-c", "import duckdb"]).output();
    if imported.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    skip("no Python with DuckDB (pip install duckdb; CALLBOX_PYTHON names the interpreter)");
    None
}

#[test]
fn duckdb_reads_the_tables_and_they_say_what_list_says() {
    let Some(python) = python() else { return };
    let desk = Desk::new();
    let (parquet, csv) = (desk.file("calls.parquet", &[]), desk.file("calls.csv", &[]));
    let script = "
import duckdb, json, sys
parquet, csv = sys.argv[1:]
types = dict(r[:2] for r in duckdb.sql(f\"describe select * from '{parquet}'\").fetchall())
rows = duckdb.sql(f\"select call_id, cause, duration_ms, epoch_us(started_at), sip_status from '{parquet}' order by started_at\").fetchall()
same = duckdb.sql(f\"\"\"select count(*) from '{parquet}' p join read_csv('{csv}', all_varchar=true) c using (call_id)
  where c.cause = p.cause and c.summary_zh = p.summary_zh and c.started_at::timestamptz = p.started_at
  and coalesce(c.duration_ms, '') = coalesce(p.duration_ms::varchar, '')\"\"\").fetchall()[0][0]
print(json.dumps({'types': types, 'rows': rows, 'same': same}))
";
    let output =
        Command::new(python).args(["-c", script]).args([&parquet, &csv]).output().expect("python runs");
    let read: Value = serde_json::from_str(&ran(&output)).expect("JSON");
    for (column, kind) in [
        ("call_id", "VARCHAR"),
        ("started_at", "TIMESTAMP WITH TIME ZONE"),
        ("ended_at", "TIMESTAMP WITH TIME ZONE"),
        ("duration_ms", "UBIGINT"),
        ("sip_status", "UBIGINT"),
    ] {
        assert_eq!(read["types"][column], kind, "{column}");
    }
    let listed = desk.cli.list();
    assert_eq!(read["same"], listed.len());
    for (row, call) in read["rows"].as_array().expect("rows").iter().zip(&listed) {
        assert_eq!((&row[0], &row[1], &row[2]), (&call["call_id"], &call["cause"], &call["duration_ms"]));
    }
    assert_eq!(read["rows"][0][3], 1_795_415_880_000_000u64);
}

#[test]
fn openssl_verifies_a_signed_vcon() {
    if !have("openssl", "openssl") {
        return;
    }
    let desk = Desk::new();
    let path = |name: &str| desk.dir.path().join(name);
    let openssl = |args: &[&str], files: &[&Path]| {
        ran(&Command::new("openssl")
            .current_dir(desk.dir.path())
            .args(args)
            .args(files)
            .output()
            .expect("openssl runs"))
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "key.pem"], &[]);
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"], &[]);
    openssl(
        &[
            "req",
            "-new",
            "-x509",
            "-key",
            "key.pem",
            "-subj",
            "/CN=callbox",
            "-days",
            "1",
            "-out",
            "cert.pem",
        ],
        &[],
    );
    let key = path("key.pem");
    let cert = path("cert.pem");
    let [key, cert] = [&key, &cert].map(|path| path.to_str().expect("text"));
    let signed = desk.file("calls.vcon", &["latest", "--sign-key", key, "--sign-cert", cert]);
    let signed: Value = serde_json::from_slice(&std::fs::read(signed).expect("a file")).expect("JSON");
    let signature = &signed["signatures"][0];
    let (payload, protected) =
        (signed["payload"].as_str().expect("text"), signature["protected"].as_str().expect("text"));
    std::fs::write(path("input"), format!("{protected}.{payload}")).expect("written");
    std::fs::write(path("signature"), base64url(signature["signature"].as_str().expect("text")))
        .expect("written");
    let verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-rawin",
        "-in",
        "input",
        "-sigfile",
        "signature",
    ];
    openssl(&verify, &[]);
    let document: Value = serde_json::from_slice(&base64url(payload)).expect("JSON");
    assert_eq!(document["uuid"], signature["header"]["uuid"]);
    assert_eq!(document["parties"][0]["sip"], "sip:alice@127.0.0.1");
    let protected: Value = serde_json::from_slice(&base64url(protected)).expect("JSON");
    assert_eq!(protected["alg"], "EdDSA");
    // The certificate is the DER in Base64, as it stands in the PEM.
    let pem = std::fs::read_to_string(path("cert.pem")).expect("a certificate");
    let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    assert_eq!(signature["header"]["x5c"][0], lines);
    std::fs::write(path("input"), format!("{payload}.{payload}")).expect("written");
    let forged =
        Command::new("openssl").current_dir(desk.dir.path()).args(verify).output().expect("openssl runs");
    assert!(!forged.status.success(), "a changed document must not verify");
}

/// Base64url without padding, decoded on its own.
fn base64url(text: &str) -> Vec<u8> {
    let digit = |byte: u8| -> u32 {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.iter().position(|digit| *digit == byte).expect("a digit of Base64url");
        u32::try_from(at).expect("small")
    };
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let value =
            group.iter().fold(0, |value, byte| (value << 6) | digit(*byte)) << (6 * (4 - group.len()));
        let [_, a, b, c] = value.to_be_bytes();
        bytes.extend([a, b, c].into_iter().take(group.len() - 1));
    }
    bytes
}
