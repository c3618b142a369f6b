//! A way to an endpoint on which connections break.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::endpoint::announce;

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Delivered,
    /// The connection breaks before the request reaches the service: nothing is applied.
    RequestLost,
    /// The connection breaks after the service has answered: everything is applied, and the client cannot know.
    AnswerLost,
    /// The answer breaks off in the middle.
    AnswerCut,
}

/// A proxy before an endpoint on plain HTTP. It takes one request per connection, and draws the fate of each by seed.
#[derive(Debug)]
pub struct LossyNetwork {
    address: SocketAddr,
    fates: Arc<Mutex<Vec<Fate>>>,
    heads: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl LossyNetwork {
    /// A network before `url` on which about `lost` of 100 requests are not answered. None, and a line on standard
    /// error, if `url` is not plain HTTP: requests in TLS cannot be told apart.
    pub async fn before(url: &str, lost: u8, seed: u64) -> Option<Self> {
        let Some(authority) = url.strip_prefix("http://") else {
            announce(&format!("SKIPPED: no network loses requests to {url}"));
            return None;
        };
        let authority = authority.trim_end_matches('/');
        let service: Arc<str> = if authority.contains(':') {
            authority.into()
        } else {
            format!("{authority}:80").into()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let fates = Arc::<Mutex<Vec<Fate>>>::default();
        let drawn = Arc::clone(&fates);
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&heads);
        let accepting = tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            while let Ok((client, _)) = listener.accept().await {
                let fate = match random.u8(..100) {
                    draw if draw >= lost => Fate::Delivered,
                    draw if draw % 3 == 0 => Fate::RequestLost,
                    draw if draw % 3 == 1 => Fate::AnswerLost,
                    _ => Fate::AnswerCut,
                };
                drawn.lock().unwrap().push(fate);
                let (service, noted) = (Arc::clone(&service), Arc::clone(&noted));
                // A connection that breaks by itself is one more loss.
                tokio::spawn(async move { relay(client, &service, fate, &noted).await });
            }
        });
        Some(Self {
            address,
            fates,
            heads,
            accepting,
        })
    }

    /// The URL by which the endpoint is reached through this network.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests had that fate so far.
    pub fn count(&self, fate: Fate) -> usize {
        let fates = self.fates.lock().unwrap();
        fates.iter().filter(|drawn| **drawn == fate).count()
    }

    /// The first line and the headers of every request so far, in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for LossyNetwork {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn relay(
    mut client: TcpStream,
    service: &str,
    fate: Fate,
    heads: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let (head, request) = read_request(&mut client).await?;
    heads.lock().unwrap().push(head);
    if fate == Fate::RequestLost {
        return reset(client);
    }
    let mut upstream = TcpStream::connect(service).await?;
    upstream.write_all(&request).await?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).await?;
    match fate {
        Fate::AnswerLost => reset(client),
        Fate::AnswerCut => client.write_all(&answer[..answer.len() * 3 / 4]).await,
        _ => client.write_all(&answer).await,
    }
}

/// Breaks the connection with a reset: without it, the client would see an orderly end.
fn reset(client: TcpStream) -> io::Result<()> {
    client.set_zero_linger()?;
    drop(client);
    Ok(())
}

/// One request, which is told to be the last of its connection so that the answer ends where the connection does.
///
/// With its first line and headers, in lower case.
async fn read_request(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    let mut request = Vec::new();
    let head = loop {
        let found = request
            .windows(END_OF_HEAD.len())
            .position(|window| window == END_OF_HEAD);
        match found {
            Some(end) => break end + END_OF_HEAD.len(),
            None if client.read_buf(&mut request).await? == 0 => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            None => {}
        }
    };
    let headers = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = headers
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse::<usize>().unwrap());
    while request.len() < head + length {
        if client.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let end_of_headers = head - b"\r\n".len();
    request.splice(end_of_headers..end_of_headers, *b"connection: close\r\n");
    Ok((headers, request))
}
