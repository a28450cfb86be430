//! What answers at a TCP port, by its first words.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::Net;
use crate::tls::ConnectError;

/// Bytes of an answer that are kept.
const KEPT: usize = 512;

impl Net {
    /// Connects, says this, and gives the first bytes that come back within the limit; none where
    /// the other side says nothing or closes the connection.
    ///
    /// # Errors
    /// [`ConnectError`] where TCP did not come about.
    pub async fn greet(
        &self,
        address: SocketAddr,
        words: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, ConnectError> {
        let mut stream = self.dial(address).await?.stream;
        let mut answer = Vec::new();
        let talk = async {
            stream.write_all(words).await?;
            while answer.len() < KEPT && stream.read_buf(&mut answer).await? > 0 {}
            std::io::Result::Ok(())
        };
        // However it ends, what came so far is what is known.
        let _ = timeout(limit, talk).await;
        answer.truncate(KEPT);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::NetConfig;
    use crate::testing::free_address;

    #[tokio::test]
    async fn the_first_bytes_are_kept_and_silence_ends() {
        let net = Net::new(NetConfig::default());
        let limit = Duration::from_millis(300);
        for (says, kept) in [(vec![b'x'; 5000], KEPT), (b"hello".to_vec(), 5), (Vec::new(), 0)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
            let address = listener.local_addr().expect("bound");
            let serving = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("a client");
                let _ = stream.write_all(&says).await;
                // Open until the client goes.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
            assert_eq!(net.greet(address, b"hi", limit).await.map(|said| said.len()), Ok(kept));
            serving.await.expect("ends with its client");
        }
        assert_eq!(net.greet(free_address(), b"hi", limit).await, Err(ConnectError::Refused));
    }
}
