//! A call full of personal data: in every place where it is met, and in some where it is not expected.

use callbox_events::schema::Commit;

/// Numbers and a name that one call is full of.
#[derive(Debug, Clone)]
pub struct Personal {
    /// Who calls.
    pub caller: String,
    /// Who is called.
    pub called: String,
    /// Who is named beside them.
    pub third: String,
    /// Somebody's name.
    pub name: String,
}

/// An INVITE that has them in every place where they are met, and some where they are not expected.
pub fn invite(Personal { caller: a, called: b, third: c, name }: &Personal) -> Vec<u8> {
    let spaced = format!("{} {}-{}", &a[..3], &a[3..5], &a[5..]);
    let sdp = format!(
        "v=0\r\no={a} 3812345678 3812345679 IN IP4 10.1.2.3\r\ns=call {b}\r\ni={name}\r\ne={name}@corp.example\r\n\
         p=+{spaced}\r\nc=IN IP4 10.1.2.3\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=ssrc:3912345678 cname:{c}@10.1.2.3\r\na=candidate:1 1 UDP 2130706431 10.1.2.3 49170 typ host\r\na=x-line:{b}\r\n"
    );
    let head = format!(
        "INVITE sip:{b}@proxy.corp.example;user=phone SIP/2.0\r\n\
         Via: SIP/2.0/UDP gw.corp.example:5060;branch=z9hG4bK{c};received=10.1.2.3, SIP/2.0/TCP 10.9.9.9\r\n\
         f: \"{spaced}\" <sip:+{a}@corp.example>;tag={a}x\r\n\
         To: {name} <tel:+{b}>\r\n\
         Call-ID: {a}-77@10.1.2.3\r\nCSeq: 1234567 INVITE\r\nMax-Forwards: 70\r\n\
         Contact: <sip:{a}@10.1.2.3:5062>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-0a0b0c0d0e0f>\"\r\n\
         P-Asserted-Identity: <tel:+{a}>,\r\n <sip:{name}@corp.example>\r\n\
         Diversion: \"{name}\" <sip:{c}@corp.example>;reason=user-busy\r\n\
         History-Info: <sip:%2B{c}@corp.example?Reason=SIP%3Bcause%3D302>;index=1\r\n\
         Remote-Party-ID: Desk {c} <sip:{c}@corp.example>;party=calling\r\n\
         Subject: call me at {spaced} or {c}, {name}\r\nReason: SIP;cause=302;text=\"moved to {c}\"\r\n\
         Warning: 399 corp.example \"{b} is busy\"\r\nX-Original: num={b}&c={c}\r\n\
         Proxy-Authorization: Digest username=\"{a}\", realm=\"corp.example\", uri=\"sip:{b}@corp.example\", \
         nonce=\"abc\", response=\"0123456789abcdef0123456789abcdef\"\r\n\
         Identity: {b};info=<https://corp.example/{a}>\r\nUser-to-User: {c};encoding=hex\r\n\
         Content-Type: application/sdp\r\nl: {}\r\n\r\n",
        sdp.len()
    );
    format!("{head}{sdp}").into_bytes()
}

/// A call to us of such people that our user declines, with their data in the record and on the wire.
pub fn call(personal: &Personal) -> Vec<Commit> {
    let Personal { caller, called, third, name } = personal;
    let told = |commit: Commit| {
        let wire = commit.wire.clone();
        let text = serde_json::to_string(&Commit { wire: Vec::new(), ..commit }).unwrap();
        let text = text
            .replace("sip:+4930123456@", &format!("sip:+{caller}@"))
            .replace("<sip:alice@127.0.0.1:5060>", &format!("\\\"{name}\\\" <sip:{called}@corp.example>"))
            .replace("sip:alice@127.0.0.1:5060", &format!("sip:{called}@corp.example"))
            .replace("77aa01@192.0.2.7", &format!("{caller}-77@10.1.2.3"))
            .replace("sip:us@", &format!("sip:{called}@"))
            .replace("\"reason\":null", &format!("\"reason\":\"no, {name}, ask {third}\""));
        Commit { wire, ..serde_json::from_str(&text).unwrap() }
    };
    let mut commits: Vec<Commit> = super::stories::we_decline().into_iter().map(told).collect();
    commits[0].wire[0].bytes = invite(personal);
    commits
}

/// An example of them.
pub fn somebody() -> Personal {
    Personal {
        caller: "4930987654321".into(),
        called: "442071838750".into(),
        third: "33123456789".into(),
        name: "Marguerite".into(),
    }
}
