//! The transports against plain sockets of the system, over loopback.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::*;

/// Far longer than anything here takes.
const BOUND: Duration = Duration::from_secs(20);

fn story(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async { timeout(BOUND, test).await.expect("in time") });
}

/// The same in virtual time: whenever nothing is to be done, the clock goes to the next deadline.
fn patient_story(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new()
        .block_on(&runtime, async { timeout(BOUND * 1_000, test).await.expect("in time") });
}

fn local(transport: Transport) -> Peer {
    Peer { transport, addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) }
}

fn message(call: &str) -> Bytes {
    format!(
        "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{call}\r\n\
         From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: {call}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    .into()
}

/// The router's place: collects what it is told.
#[derive(Default)]
struct Router {
    events: RefCell<VecDeque<TransportEvent>>,
    told: Notify,
}

impl Router {
    async fn next(&self) -> TransportEvent {
        loop {
            if let Some(event) = self.events.borrow_mut().pop_front() {
                return event;
            }
            self.told.notified().await;
        }
    }

    async fn messages(&self, wanted: usize) -> Vec<Datagram> {
        let mut got = Vec::new();
        while got.len() < wanted {
            match self.next().await {
                TransportEvent::Batch(batch) => got.extend(batch),
                other => panic!("{other:?} instead of messages"),
            }
        }
        got
    }

    async fn failure(&self) -> (Peer, String) {
        match self.next().await {
            TransportEvent::SendFailed { peer, detail } => (peer, detail),
            other => panic!("{other:?} instead of a failure"),
        }
    }

    async fn closed(&self) -> Peer {
        match self.next().await {
            TransportEvent::Closed { peer, .. } => peer,
            other => panic!("{other:?} instead of an end"),
        }
    }
}

async fn bind_with(listen: &[Peer], options: TransportOptions) -> (Transports, Rc<Router>) {
    let router = Rc::new(Router::default());
    let told = Rc::clone(&router);
    let sink: Sink = Rc::new(move |event| {
        told.events.borrow_mut().push_back(event);
        told.told.notify_one();
    });
    (Transports::bind(listen, options, sink).await.expect("bound"), router)
}

async fn bind(transport: Transport) -> (Transports, Rc<Router>, Peer) {
    let (transports, router) = bind_with(&[local(transport)], TransportOptions::default()).await;
    let at = transports.listening()[0];
    assert_ne!(at.addr.port(), 0, "the real port is told");
    (transports, router, at)
}

fn peer(transport: Transport, addr: SocketAddr) -> Peer {
    Peer { transport, addr }
}

#[test]
fn datagrams_come_in_order_and_go_out_from_the_bound_port() {
    story(async {
        let (transports, router, at) = bind(Transport::Udp).await;
        let phone = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        for call in ["1", "2", "3"] {
            phone.send_to(&message(call), at.addr).await.expect("sent");
        }
        let got = router.messages(3).await;
        let calls: Vec<_> = got.iter().map(|datagram| datagram.bytes.clone()).collect();
        assert_eq!(calls, ["1", "2", "3"].map(message));
        let source = peer(Transport::Udp, phone.local_addr().expect("an address"));
        assert!(got.iter().all(|datagram| datagram.source == source && datagram.local == at));

        transports.send(at, source, message("4"));
        let mut buffer = [0; 2_000];
        let (length, from) = phone.recv_from(&mut buffer).await.expect("received");
        assert_eq!((&buffer[..length], from), (&message("4")[..], at.addr));
    });
}

#[test]
fn keep_alives_are_no_messages() {
    story(async {
        let (_transports, router, at) = bind(Transport::Udp).await;
        let phone = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        for empty in [&b"\r\n\r\n"[..], b"", b"\0\0\0\0"] {
            phone.send_to(empty, at.addr).await.expect("sent");
        }
        phone.send_to(&message("1"), at.addr).await.expect("sent");
        assert_eq!(router.messages(1).await.len(), 1);
    });
}

#[test]
fn more_than_a_batch_comes_as_several() {
    story(async {
        let options = TransportOptions { batch: 4, ..TransportOptions::default() };
        let (transports, router) = bind_with(&[local(Transport::Udp)], options).await;
        let phone = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        for call in 0..10 {
            phone.send_to(&message(&call.to_string()), transports.listening()[0].addr).await.expect("sent");
        }
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 10 {
            match router.next().await {
                TransportEvent::Batch(batch) => sizes.push(batch.len()),
                other => panic!("{other:?}"),
            }
        }
        assert!(sizes.iter().all(|&size| size <= 4), "{sizes:?}");
    });
}

#[test]
fn a_datagram_that_can_not_be_sent_is_told() {
    story(async {
        let (transports, router, at) = bind(Transport::Udp).await;
        let phone = local(Transport::Udp);
        let there = peer(Transport::Udp, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
        transports.send(at, there, Bytes::from(vec![b'x'; 70_000]));
        let (failed, detail) = router.failure().await;
        assert_eq!(failed, there);
        assert!(!detail.is_empty());
        let elsewhere = peer(Transport::Udp, SocketAddr::from((Ipv6Addr::LOCALHOST, 5060)));
        transports.send(at, elsewhere, message("1"));
        assert_eq!(router.failure().await.0, elsewhere);
        let by_stream = peer(Transport::Tcp, phone.addr);
        transports.send(at, by_stream, message("1"));
        assert_eq!(router.failure().await.0, by_stream);
    });
}

#[test]
fn an_address_in_use_is_named_and_the_others_are_released() {
    story(async {
        let (_kept, _router, taken) = bind(Transport::Udp).await;
        let sink: Sink = Rc::new(|_| ());
        let free = bind(Transport::Tcp).await;
        let tcp = free.2;
        free.0.close().await;
        let error =
            Transports::bind(&[tcp, taken], TransportOptions::default(), sink).await.expect_err("taken");
        assert_eq!(error.peer, taken);
        TcpListener::bind(tcp.addr).await.expect("released");
    });
}

#[test]
fn closing_gives_the_ports_back_though_handles_remain() {
    story(async {
        let (transports, _router) =
            bind_with(&[local(Transport::Udp), local(Transport::Tcp)], TransportOptions::default()).await;
        let handle = transports.clone();
        transports.close().await;
        let [udp, tcp] = *handle.listening() else { panic!("two listeners") };
        UdpSocket::bind(udp.addr).await.expect("free");
        TcpListener::bind(tcp.addr).await.expect("free");
        handle.send(udp, udp, message("1"));
    });
}

#[test]
fn one_connection_serves_both_ways() {
    story(async {
        let (transports, router, at) = bind(Transport::Tcp).await;
        let mut phone = TcpStream::connect(at.addr).await.expect("connected");
        let source = peer(Transport::Tcp, phone.local_addr().expect("an address"));
        let two = [message("1"), message("2")].concat();
        phone.write_all(&two).await.expect("sent");
        let got = router.messages(2).await;
        assert!(got.iter().all(|datagram| datagram.source == source && datagram.local == at));
        transports.connect(at, source).await.expect("it stands");
        transports.send(at, source, message("3"));
        let mut answer = vec![0; message("3").len()];
        phone.read_exact(&mut answer).await.expect("received");
        assert_eq!(answer, message("3"));
        drop(phone);
        assert_eq!(router.closed().await, source);
    });
}

#[test]
fn messages_to_one_address_share_a_connection() {
    story(async {
        let (transports, router, at) = bind(Transport::Tcp).await;
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let there = peer(Transport::Tcp, server.local_addr().expect("an address"));
        transports.send(at, there, message("1"));
        transports.send(at, there, message("2"));
        let (mut accepted, from) = server.accept().await.expect("one connection");
        let mut both = vec![0; 2 * message("1").len()];
        accepted.read_exact(&mut both).await.expect("both");
        assert_eq!(both, [message("1"), message("2")].concat());
        transports.connect(at, there).await.expect("it stands");
        accepted.write_all(&message("3")).await.expect("sent");
        let got = router.messages(1).await;
        assert_eq!((got[0].source, from.ip()), (there, at.addr.ip()));
    });
}

#[test]
fn a_connection_that_nobody_takes_is_told_once() {
    story(async {
        let (transports, router, at) = bind(Transport::Tcp).await;
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let there = peer(Transport::Tcp, server.local_addr().expect("an address"));
        drop(server);
        assert!(transports.connect(at, there).await.is_err());
        transports.send(at, there, message("1"));
        let (failed, detail) = router.failure().await;
        assert_eq!(failed, there);
        assert!(detail.contains("refused"), "{detail}");
    });
}

#[test]
fn a_keep_alive_gets_its_answer_and_a_request_beyond_reading_its_own() {
    story(async {
        let (_transports, router, at) = bind(Transport::Tcp).await;
        let mut phone = TcpStream::connect(at.addr).await.expect("connected");
        phone.write_all(b"\r\n\r\n").await.expect("sent");
        let mut pong = [0; 2];
        phone.read_exact(&mut pong).await.expect("an answer");
        assert_eq!(&pong, b"\r\n");
        let text = String::from_utf8(message("1").to_vec()).expect("text");
        phone.write_all(text.replace("Content-Length: 0\r\n", "").as_bytes()).await.expect("sent");
        let mut answer = String::new();
        phone.read_to_string(&mut answer).await.expect("an answer, then the end");
        assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
        router.closed().await;
    });
}

#[test]
fn connections_beyond_the_limit_are_closed_at_once() {
    story(async {
        let options = TransportOptions { max_connections: 1, ..TransportOptions::default() };
        let (transports, router) = bind_with(&[local(Transport::Tcp)], options).await;
        let at = transports.listening()[0];
        let mut first = TcpStream::connect(at.addr).await.expect("connected");
        first.write_all(&message("1")).await.expect("sent");
        router.messages(1).await;
        let mut second = TcpStream::connect(at.addr).await.expect("the system accepts");
        let mut nothing = Vec::new();
        assert_eq!(second.read_to_end(&mut nothing).await.expect("closed"), 0);
        let elsewhere = peer(Transport::Tcp, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
        transports.send(at, elsewhere, message("2"));
        let (_, detail) = router.failure().await;
        assert!(detail.contains("limit"), "{detail}");
    });
}

#[test]
fn a_stranger_who_does_not_finish_a_message_is_sent_away() {
    patient_story(async {
        let (_transports, router, at) = bind(Transport::Tcp).await;
        for begun in [&b""[..], b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP"] {
            let mut stranger = TcpStream::connect(at.addr).await.expect("connected");
            stranger.write_all(begun).await.expect("sent");
            let mut nothing = Vec::new();
            assert_eq!(stranger.read_to_end(&mut nothing).await.expect("closed"), 0);
            match router.next().await {
                TransportEvent::Closed { detail, .. } => assert!(detail.contains("silent"), "{detail}"),
                other => panic!("{other:?} instead of an end"),
            }
        }
    });
}
