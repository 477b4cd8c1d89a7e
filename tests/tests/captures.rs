//! Real captures of others, where they are: each holds as many SIP messages as tshark finds in it, and each call ended as
//! people read it off the messages (`tests/causebench/real.txt`).

use callbox_tests::causebench::{Label, label, ours, score, table};
use callbox_tests::cli::Cli;
use callbox_tests::{peers, workspace};

/// Files and their SIP messages, as counted by `tshark -Y sip`.
const CAPTURES: [(&str, u64); 15] = [
    ("SIP_DTMF2.cap", 29),
    ("asterisk-401-bye.pcap", 9),
    ("b2bua-asterisk.pcapng", 60),
    ("codec-negotiation.pcap", 10),
    ("digium.pcap", 19),
    ("kamailio-relay.pcap", 16),
    ("metasploit-sip-invite-spoof.pcap", 2),
    ("register-invite-reinvite-bye.pcap", 12),
    ("rtp-protocol.pcap", 9),
    ("sip-488-codec-reject.pcapng", 13),
    ("sip-call-rtp-g711.pcap", 14),
    ("sip-over-tcp.pcap", 7),
    ("sip-proxy.pcap", 11),
    ("sip-routing-error.pcapng", 58),
    ("sip-rtp-g711.pcap", 10),
];

#[test]
fn every_message_of_real_captures_is_found() {
    let Some(folder) = workspace::shared("captures") else {
        peers::skip_without_data("captures");
        return;
    };
    let store = tempfile::tempdir().expect("a folder");
    let callbox = Cli::store(store.path());
    for (name, messages) in CAPTURES {
        let path = folder.join(name);
        let said = callbox.json(&["import", path.to_str().expect("a path")]);
        assert_eq!(said["messages"], messages, "{name}: {said}");
        assert!(said["broken"].is_null() && said["calls"].as_u64() > Some(0), "{name}: {said}");
    }
    assert!(callbox.run(&["check"]).status.success(), "every call can be decided again");
}

#[test]
fn real_calls_ended_as_people_read_it_off_the_messages() {
    let Some(folder) = workspace::shared("captures") else {
        peers::skip_without_data("captures");
        return;
    };
    let text = std::fs::read_to_string(workspace::root().join("tests/causebench/real.txt")).expect("labels");
    let mut missed = String::new();
    for (name, _) in CAPTURES {
        let said = ours::on_capture(&folder.join(name));
        let labels: Vec<Label> = label::read(name, &text).unwrap_or_else(|error| panic!("real.txt:{error}"));
        let of_this = labels.into_iter().filter_map(|label| {
            let call = label.call.strip_prefix(&format!("{name}/"))?.to_owned();
            Some(label.named(call))
        });
        let of_this: Vec<Label> = of_this.collect();
        assert_eq!(said.len(), of_this.len(), "{name}: as many calls as labels");
        missed += &table::confusions(&score::judge(&of_this.iter().collect::<Vec<_>>(), &said), true);
    }
    assert!(missed.is_empty(), "{missed}");
}
