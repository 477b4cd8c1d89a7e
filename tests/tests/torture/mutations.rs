//! Ten thousand messages, each a valid one with random damage. A failure names its seed; `CALLBOX_SEED` repeats it.

use callbox_tests::probe::{Probe, Request};
use callbox_tests::rng::Rng;

use super::target::Target;

/// How many messages are sent; every `CHECK` of them the engine must show that it is well.
const MESSAGES: usize = 10_000;
const CHECK: usize = 100;

#[test]
fn the_engine_stays_well_under_random_damage() {
    let seed = std::env::var("CALLBOX_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101);
    let mut rng = Rng::new(seed);
    let target = Target::new();
    let probe = Probe::new(target.daemon.ready.udp);
    let seeds = valid(&probe);
    for number in 1..=MESSAGES {
        let mut message = seeds[rng.below(seeds.len())].replace("@@", &number.to_string()).into_bytes();
        for _ in 0..=rng.below(4) {
            damage(&mut message, &mut rng);
        }
        probe.send(&message);
        if number % CHECK == 0 {
            target.assert_well(&format!("message {number} of seed {seed}"));
        }
    }
    target.finish();
}

/// Messages of every kind; `@@` stands for the number of the message.
fn valid(probe: &Probe) -> Vec<String> {
    let methods =
        ["INVITE", "INVITE", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "FOO"];
    let requests = methods.iter().map(|method| {
        let request = Request::new(method, probe.address(), "m@@");
        let request = request.header("Reason: Q.850;cause=16;text=\"x\", SIP;cause=200");
        if *method == "INVITE" { request.offer().text() } else { request.text() }
    });
    let responses = ["180 Ringing", "200 OK", "486 Busy Here"].iter().map(|status| {
        format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK-m@@-INVITE\r\nFrom: <sip:a@b>;tag=t-m@@\r\n\
             To: <sip:c@d>;tag=2\r\nCall-ID: m@@@probe\r\nCSeq: 1 INVITE\r\nContact: <sip:c@d>\r\n\
             Content-Length: 0\r\n\r\n",
            probe.address()
        )
    });
    requests.chain(responses).collect()
}

/// One random act of damage.
fn damage(message: &mut Vec<u8>, rng: &mut Rng) {
    if message.is_empty() {
        return;
    }
    let at = rng.below(message.len());
    match rng.below(8) {
        0 => message[at] ^= 1 << rng.below(8),
        1 => message[at] = rng.byte(),
        2 => message.truncate(at),
        3 => {
            message.remove(at);
        }
        4 => message.insert(at, [b' ', b'\r', b'\n', b';', b',', b'"', b'<', b':', b'@', 0][rng.below(10)]),
        5 => {
            let end = (at + rng.below(40)).min(message.len());
            let part = message[at..end].to_vec();
            let to = rng.below(message.len());
            message.splice(to..to, part);
        }
        6 => {
            let end = (at + rng.below(40)).min(message.len());
            message.drain(at..end);
        }
        _ => swap_lines(message, rng),
    }
    message.truncate(60_000);
}

fn swap_lines(message: &mut Vec<u8>, rng: &mut Rng) {
    let mut lines: Vec<Vec<u8>> = message.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (a, b) = (rng.below(lines.len()), rng.below(lines.len()));
    lines.swap(a, b);
    *message = lines.join(&b'\n');
}
