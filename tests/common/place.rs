//! Where a tree stands: addresses in 127.0.0.0/8, and a port that is free on all
//! of them: delegations carry no port, so the servers share one.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// Addresses that share a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    net: [u8; 2],
    /// The port of every name server.
    pub(crate) port: u16,
}

/// Who lives where in a `Place`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The root zone.
    Root = 1,
    /// The top-level domain.
    Tld = 2,
    /// The primary of the zone, BIND.
    Bind = 3,
    /// The first secondary, NSD.
    Nsd = 4,
    /// The second secondary, Knot.
    Knot = 5,
    /// The validating resolver, Unbound.
    Resolver = 6,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Root,
        Self::Tld,
        Self::Bind,
        Self::Nsd,
        Self::Knot,
        Self::Resolver,
    ];
}

impl Place {
    /// Finds addresses and a port that nobody uses, below the range that the
    /// kernel takes for outgoing connections.
    pub(crate) fn find() -> Self {
        for _ in 0..200 {
            let [x, y, p, q, ..] = RandomState::new().build_hasher().finish().to_be_bytes();
            let port = 12_000 + u16::from_be_bytes([p, q]) % 18_000;
            let place = Self {
                net: [16 + x % 200, y],
                port,
            };
            let free = |role| is_free(place.server(role)) && is_free(place.control(role));
            if Role::ALL.into_iter().all(free) {
                return place;
            }
        }
        unreachable!("loopback has thousands of free ports on each of its addresses")
    }

    /// The address of a server.
    pub(crate) fn address(self, role: Role) -> Ipv4Addr {
        match role {
            // BIND listens only on addresses that an interface has.
            Role::Bind => Ipv4Addr::LOCALHOST,
            _ => Ipv4Addr::new(127, self.net[0], self.net[1], role as u8),
        }
    }

    /// The address and port where a server answers.
    pub(crate) fn server(self, role: Role) -> SocketAddr {
        (self.address(role), self.port).into()
    }

    /// The address and port where a server takes orders.
    pub(crate) fn control(self, role: Role) -> SocketAddr {
        (self.address(role), self.port + 1).into()
    }
}

fn is_free(at: SocketAddr) -> bool {
    UdpSocket::bind(at).is_ok() && TcpListener::bind(at).is_ok()
}
