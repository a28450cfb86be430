//! A name server on loopback, over UDP and TCP, that answers as the test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::{Name, RData, Record};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

type Answers = dyn Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync;

/// See the module.
pub(crate) struct Responder {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Message>>>,
}

impl Responder {
    /// `answers` gives the datagrams to send for a question; told whether it came over TCP.
    pub(crate) async fn raw(
        answers: impl Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let answers: Arc<Answers> = Arc::new(answers);
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve_udp(udp, answers.clone(), asked.clone()));
        tokio::spawn(serve_tcp(tcp, answers));
        Self { address, asked }
    }

    /// One answer that `fill` completes.
    pub(crate) async fn new(fill: impl Fn(&Message, &mut Message) + Send + Sync + 'static) -> Self {
        Self::raw(move |question, _| {
            let mut answer = reply(question);
            fill(question, &mut answer);
            vec![answer.to_vec().expect("a message")]
        })
        .await
    }

    /// The questions so far over UDP.
    pub(crate) fn asked(&self) -> Vec<Message> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// An empty answer to a question.
pub(crate) fn reply(question: &Message) -> Message {
    let metadata = &question.metadata;
    let mut answer = Message::new(metadata.id, MessageType::Response, metadata.op_code);
    answer.metadata.response_code = ResponseCode::NoError;
    answer.queries = question.queries.clone();
    answer
}

pub(crate) fn record(name: &str, data: RData) -> Record {
    Record::from_rdata(Name::from_ascii(name).expect("a name"), 300, data)
}

/// The same port for both.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = tcp.local_addr().expect("an address");
        if let Ok(udp) = UdpSocket::bind(address).await {
            return (udp, tcp);
        }
    }
}

async fn serve_udp(socket: UdpSocket, answers: Arc<Answers>, asked: Arc<Mutex<Vec<Message>>>) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let question = Message::from_vec(&buffer[..length]).expect("a question");
        asked.lock().expect("no panic").push(question.clone());
        for answer in answers(&question, false) {
            socket.send_to(&answer, from).await.expect("loopback takes it");
        }
    }
}

async fn serve_tcp(listener: TcpListener, answers: Arc<Answers>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let length = stream.read_u16().await.expect("a length");
        let mut question = vec![0; usize::from(length)];
        stream.read_exact(&mut question).await.expect("a question");
        let question = Message::from_vec(&question).expect("a question");
        for answer in answers(&question, true) {
            let length = u16::try_from(answer.len()).expect("a short answer");
            let bytes = [&length.to_be_bytes()[..], &answer].concat();
            stream.write_all(&bytes).await.expect("the client reads");
        }
    }
}
