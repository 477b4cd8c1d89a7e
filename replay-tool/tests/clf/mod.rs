//! A decoder of SIP CLF records, written from RFC 6873 §4 and its example, not from the encoder.

/// A record.
#[derive(Debug)]
pub struct Record {
    pub timestamp: String,
    pub flags: String,
    pub cseq: String,
    pub status: String,
    pub uri: String,
    pub destination: String,
    pub source: String,
    pub to: String,
    pub to_tag: String,
    pub from: String,
    pub from_tag: String,
    pub call_id: String,
    pub server_txn: String,
    pub client_txn: String,
    pub optional: Vec<String>,
}

fn hex(bytes: &[u8]) -> usize {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)), "{text}");
    usize::from_str_radix(text, 16).unwrap()
}

/// All records of a log.
pub fn decode(mut log: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while !log.is_empty() {
        assert_eq!((log[0], log[7]), (b'A', b','), "version, and a comma behind the length");
        let length = hex(&log[1..7]);
        let (record, rest) = log.split_at(length);
        records.push(decode_one(record));
        log = rest;
    }
    records
}

fn decode_one(record: &[u8]) -> Record {
    assert_eq!((record[60], record[75], record[81]), (b'\n', b'\t', b'\t'));
    assert_eq!(record.last(), Some(&b'\n'), "a record ends with a line feed");
    assert_eq!(record[71], b'.');
    // Thirteen pointers; they count from 1.
    let pointers: Vec<usize> = (0..13).map(|index| hex(&record[8 + 4 * index..12 + 4 * index]) - 1).collect();
    let text = |from: usize, to: usize| String::from_utf8(record[from..to].to_vec()).unwrap();
    let field = |index: usize| {
        // A field ends before the tab in front of the next one; the last one where the optional fields begin.
        let end = if index == 11 { pointers[12] } else { pointers[index + 1] - 1 };
        if index < 11 {
            assert_eq!(record[end], b'\t', "a tab ends field {index}");
        }
        let value = text(pointers[index], end);
        assert!(!value.is_empty() && !value.contains(['\t', '\n']), "field {index}: {value:?}");
        value
    };
    Record {
        timestamp: text(61, 75),
        flags: text(76, 81),
        cseq: field(0),
        status: field(1),
        uri: field(2),
        destination: field(3),
        source: field(4),
        to: field(5),
        to_tag: field(6),
        from: field(7),
        from_tag: field(8),
        call_id: field(9),
        server_txn: field(10),
        client_txn: field(11),
        optional: optional(&record[pointers[12]..record.len() - 1]),
    }
}

/// TLVs: a tab, tag `@` vendor, length, encoding, value.
fn optional(mut bytes: &[u8]) -> Vec<String> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        assert_eq!((bytes[0], &bytes[1..12], bytes[12]), (b'\t', &b"00@00000000"[..], b','));
        let length = hex(&bytes[13..17]);
        assert_eq!(&bytes[17..21], b",00,");
        let (value, rest) = bytes[21..].split_at(length);
        fields.push(String::from_utf8(value.to_vec()).unwrap());
        bytes = rest;
    }
    fields
}

#[test]
fn the_decoder_reads_the_example_of_the_rfc() {
    let example = b"A000100,0053005C005E006D007D008F009E00A000BA00C700EB00F70100\n\
        1328821153.010\tRORUU\t1 INVITE\t-\tsip:192.0.2.10\t192.0.2.10:5060\t192.0.2.200:56485\tsip:192.0.2.10\t-\t\
        sip:1001@example.com:5060\tDL88360fa5fc\tDL70dff590c1-1079051554@example.com\tS1781761-88\tC67651-11\n";
    let records = decode(example);
    assert_eq!(records.len(), 1);
    let Record { timestamp, uri, source, from, client_txn, .. } = &records[0];
    assert_eq!((timestamp.as_str(), uri.as_str()), ("1328821153.010", "sip:192.0.2.10"));
    assert_eq!((source.as_str(), from.as_str()), ("192.0.2.200:56485", "sip:1001@example.com:5060"));
    assert_eq!(client_txn, "C67651-11");
}
