//! The messages of RFC 5118 (IPv6 in SIP), sent to a live engine over IPv4.

use callbox_tests::peers;
use callbox_tests::workspace::shared;

use super::target::Expect::{Answer, Status};
use super::target::{Expect, Target, assert_none, torture};

/// File, what the engine must do, and where the RFC says so.
const TABLE: [(&str, Expect, &str); 12] = [
    ("ipv6-good", Status(&[405, 501]), "§4.1: a valid IPv6 reference"),
    ("ipv6-bad", Status(&[400]), "§4.2: an address without brackets in the Request-URI"),
    ("port-ambiguous", Status(&[405, 501]), "§4.3: the port is part of the address"),
    ("port-unambiguous", Status(&[405, 501]), "§4.4: the port follows the brackets"),
    ("via-received-param-with-delim", Status(&[481]), "§4.5: brackets around `received`; a BYE to no dialog"),
    ("via-received-param-no-delim", Status(&[200]), "§4.5: `received` without brackets"),
    (
        "ipv6-in-sdp",
        Status(&[400]),
        "§4.6: IPv6 in the description; but the file is 17 bytes short of its length (§18.3)",
    ),
    ("mult-ip-in-header", Status(&[481]), "§4.7: both families in Via; a BYE to no dialog"),
    ("mult-ip-in-sdp", Status(&[486, 488]), "§4.8: both families in the description"),
    ("ipv4-mapped-ipv6", Status(&[486, 488]), "§4.9: IPv4-mapped addresses"),
    ("ipv6-bug-abnf-3-colons", Answer, "§4.10: three colons: lenient, or 400"),
    ("ipv6-correct-abnf-2-colons", Status(&[200]), "§4.10: two colons"),
];

#[test]
fn each_message_gets_the_answer_that_rfc_5118_asks_for() {
    let Some(folder) = shared("torture/rfc5118") else { return peers::skip_without_data("torture/rfc5118") };
    let mut deviations = Vec::new();
    for (file, expect, section) in TABLE {
        // Several of these share one Call-ID and branch: each meets an engine of its own.
        let target = Target::new();
        let datagram =
            std::fs::read(folder.join(format!("{file}.dat"))).expect("the folder holds all messages");
        deviations.extend(torture(&target, &format!("{file} ({section})"), &datagram, expect).err());
        target.finish();
    }
    assert_none(&deviations);
}
