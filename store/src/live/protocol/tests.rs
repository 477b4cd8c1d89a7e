//! Every message reads back; what is none is refused, whoever sends it.

use super::*;

#[test]
fn every_request_reads_back() {
    let call = CallId::from_bytes([3; 16]);
    for request in [
        Request::Tail,
        Request::Calls,
        Request::Read(call),
        Request::ReadAll(Cursor::at(9), 64),
        Request::Head(call),
        Request::Latest,
        Request::Watch(Cursor::at(7)),
        Request::Document(Document::Checkpoints),
        Request::Erase(7, 3, 1 << 40),
        Request::Document(Document::Pruned),
    ] {
        let mut bytes = Vec::new();
        request.write(&mut bytes).unwrap();
        assert_eq!(Request::read(&mut bytes.as_slice()).unwrap(), Some(request));
        let question = request.question().unwrap();
        assert!(question.len() <= MAX_QUESTION);
        assert_eq!(Request::asked(&question), Ok(request));
        assert!(Request::asked(&question[..question.len() - 1]).is_err());
        assert_eq!(Request::asked(&[question, vec![0]].concat()), Err(NotUnderstood::Request));
    }
    assert!(Request::read(&mut [99u8].as_slice()).is_err());
}

#[test]
fn what_is_no_question_is_told_apart() {
    let question = Request::Tail.question().unwrap();
    let with = |at: usize, byte: u8| {
        let mut question = question.clone();
        question[at] = byte;
        question
    };
    for (question, wrong) in [
        (Vec::new(), NotUnderstood::Foreign),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), NotUnderstood::Foreign),
        (with(0, b'C'), NotUnderstood::Foreign),
        (with(9, 7), NotUnderstood::Version { found: 7 }),
        (question[..GREETING].to_vec(), NotUnderstood::Request),
        (with(GREETING, 0xff), NotUnderstood::Request),
        ([&question[..GREETING], &[8, 99]].concat(), NotUnderstood::Request),
    ] {
        assert_eq!(Request::asked(&question), Err(wrong), "{question:?}");
    }
}

#[test]
fn text_of_the_other_end_can_not_draw_on_a_terminal() {
    let place = "\u{1b}[2Jsound\r\n\u{202e}x".to_owned();
    let mut bytes = Vec::new();
    Reply::Failed(ReadError::Corrupt { place, what: "é".repeat(5_000) }).write(&mut bytes).unwrap();
    let Reply::Failed(ReadError::Corrupt { place, what }) = Reply::read(&mut bytes.as_slice()).unwrap()
    else {
        panic!("another reply");
    };
    assert!(!place.contains(['\u{1b}', '\r', '\n', '\u{202e}']) && place.contains("[2Jsound"), "{place:?}");
    assert_eq!(what.chars().count(), MAX_TEXT);
}

#[test]
fn every_reply_reads_back_and_a_broken_one_is_refused() {
    for reply in [
        Reply::Commit(Raw { seq: 4, hash: [1; 32], payload: b"abc".to_vec() }),
        Reply::Call(CallId::from_bytes([3; 16])),
        Reply::Cursor(Cursor::at(8)),
        Reply::Head(Head { version: 3, hash: [2; 32] }),
        Reply::Piece(b"o\n1\n".to_vec()),
        Reply::End,
        Reply::Failed(ReadError::at_seq(4, "wrong checksum")),
        Reply::Failed(ReadError::TooNew { place: "x".into(), found: 2 }),
        Reply::Failed(ReadError::Unavailable { why: "y".into() }),
        Reply::Failed(ReadError::Interrupted { why: "z".into() }),
        Reply::Failed(ReadError::Beyond { wanted: 5, tail: 4 }),
    ] {
        let mut bytes = Vec::new();
        reply.write(&mut bytes).unwrap();
        assert_eq!(Reply::read(&mut bytes.as_slice()).unwrap(), reply);
        assert!(Reply::read(&mut &bytes[..bytes.len() - 1]).is_err());
    }
    assert!(Reply::read(&mut [0xffu8; 8].as_slice()).is_err());
    assert!(Reply::read(&mut [0, 0, 0, 2, b'.', 0].as_slice()).is_err(), "an end with something in it");
}
