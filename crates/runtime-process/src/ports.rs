//! Ports of this machine for replicas.

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

/// How many ports to try that turn out to be promised to another replica.
const TRIES_MAX: usize = 100;

/// Hands out free ports, none of them to two replicas at once.
#[derive(Clone, Default)]
pub(crate) struct Ports {
    taken: Arc<Mutex<HashSet<u16>>>,
}

/// A port that belongs to one replica until this is dropped.
pub(crate) struct Port {
    pub number: u16,
    ports: Ports,
}

impl Ports {
    pub(crate) fn take(&self) -> io::Result<Port> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..TRIES_MAX {
            // The system knows which are free; that it is still free when the replica binds it is likely,
            // and if not the replica is started anew.
            let number = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            if taken.insert(number) {
                return Ok(Port { number, ports: self.clone() });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no port of 127.0.0.1 is free"))
    }
}

impl Port {
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }

    /// Whether somebody has it now.
    pub(crate) fn is_in_use(&self) -> bool {
        let bound = TcpListener::bind(self.address());
        bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.ports.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}
