//! What stands between a registry and its index, and can be made to answer nobody: how a registry sees an index that was
//! stopped, or hangs.

use super::stack::free_port;
use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the index looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Well,
    /// Stopped: no connection lasts.
    Gone,
    /// It accepts, and never answers.
    Hung,
}

/// An address at which the index is reached, as long as it looks well.
pub struct Between {
    pub address: SocketAddr,
    look: watch::Sender<Look>,
}

impl Between {
    pub fn and(index: SocketAddr) -> Self {
        let (listener, address) = free_port();
        let (look, seen) = watch::channel(Look::Well);
        tokio::spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, index, seen.clone()));
            }
        });
        Self { address, look }
    }

    /// From now on, for connections that are open too.
    pub fn looks(&self, look: Look) {
        self.look.send_replace(look);
    }
}

async fn carry(mut client: TcpStream, index: SocketAddr, mut look: watch::Receiver<Look>) {
    if *look.borrow_and_update() == Look::Well {
        let Ok(mut server) = TcpStream::connect(index).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = look.changed() => {}
        }
    }
    // The connection is held open in silence until it looks otherwise.
    let _ = look.wait_for(|look| *look != Look::Hung).await;
}
