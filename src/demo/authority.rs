//! A name server inside the process, for the demo and for tests: a whole tree
//! of signed zones (root, TLD, leaf) on several loopback addresses that share
//! one port, each address with its own view of each zone, so that a secondary
//! can lag, and each able to misbehave on purpose. An address may also play the
//! resolver. It knows DNSSEC well enough for a walk: signatures, DS, and NSEC in
//! negative answers, though not beside what a wildcard gives. Not a server for
//! anybody else.

mod answer;
mod denial;
mod fault;
mod serve;
mod sets;
mod zone;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, RwLock};

use hickory_proto::rr::RecordType;
use tokio::runtime::{Builder, Runtime};

use crate::dns::wire::convert::to_hickory;
use crate::name::Name;
pub use fault::Fault;
pub use zone::{Key, SignedZone, Window, Zone, ZoneError};

/// What a server answers as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Role {
    /// From its own zones, with AA, and referrals below them.
    #[default]
    Authoritative,
    /// As a resolver that knows everything in its zones.
    Resolver {
        /// Whether it says that it has validated its answers (AD).
        authenticated: bool,
    },
}

/// What one address knows and does.
#[derive(Default)]
struct Server {
    role: Role,
    zones: answer::Zones,
    fault: Option<Fault>,
    faults: HashMap<RecordType, Fault>,
    asked: usize,
}

type Servers = Arc<RwLock<HashMap<IpAddr, Server>>>;

/// Name servers on several addresses. They stop when this is dropped.
pub struct Authority {
    port: u16,
    servers: Servers,
    runtime: Option<Runtime>,
}

impl Authority {
    /// Starts servers without zones at these addresses, all on one free port.
    ///
    /// # Errors
    ///
    /// When no port is free on all of them.
    pub fn start(addresses: &[IpAddr]) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let servers: Servers = Arc::default();
        let (port, sockets) = serve::bind(addresses)?;
        for (address, sockets) in addresses.iter().zip(sockets) {
            if let Ok(mut all) = servers.write() {
                all.insert(*address, Server::default());
            }
            serve::run(&runtime, *address, sockets, &servers)?;
        }
        Ok(Self {
            port,
            servers,
            runtime: Some(runtime),
        })
    }

    /// The port that all of them share.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// One of the servers.
    #[must_use]
    pub fn socket(&self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, self.port)
    }

    /// Serves the zone at this address, in place of the one it had.
    pub fn publish(&self, address: IpAddr, zone: &SignedZone) {
        self.change(address, |server| {
            server.zones.insert(zone.apex.clone(), zone.clone());
        });
    }

    /// Serves the zone at this address no longer.
    pub fn withdraw(&self, address: IpAddr, apex: &Name) {
        self.change(address, |server| {
            server.zones.remove(&to_hickory(apex));
        });
    }

    /// States what the address answers as.
    pub fn role(&self, address: IpAddr, role: Role) {
        self.change(address, |server| server.role = role);
    }

    /// Makes every answer of the address wrong, or right again.
    pub fn fault(&self, address: IpAddr, fault: Option<Fault>) {
        self.change(address, |server| {
            server.fault = fault;
            server.faults.clear();
        });
    }

    /// Makes answers to questions of one type wrong: `TLSA`, `SOA`, `DNSKEY`.
    ///
    /// # Errors
    ///
    /// When there is no such type.
    pub fn fault_for(&self, address: IpAddr, kind: &str, fault: Fault) -> Result<(), ZoneError> {
        let read = kind
            .parse()
            .map_err(|error| ZoneError::new(format!("the type {kind}"), error))?;
        self.change(address, |server| {
            server.faults.insert(read, fault);
        });
        Ok(())
    }

    /// How many questions the address has been asked.
    #[must_use]
    pub fn asked(&self, address: IpAddr) -> usize {
        self.servers
            .read()
            .map_or(0, |all| all.get(&address).map_or(0, |server| server.asked))
    }

    fn change(&self, address: IpAddr, change: impl FnOnce(&mut Server)) {
        if let Ok(mut all) = self.servers.write() {
            change(all.entry(address).or_default());
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
