//! Sockets of the embedded name servers: UDP and TCP on one port that is free
//! at every address, requests in, answers out.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdTcpListener, UdpSocket as StdUdpSocket};
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::Runtime;

use super::answer;
use super::{Fault, Role, Servers};

/// How often another port is tried when one is taken at some address.
const ATTEMPTS: usize = 100;

pub(super) type Sockets = (StdUdpSocket, StdTcpListener);

/// Binds UDP and TCP at every address to one port.
pub(super) fn bind(addresses: &[IpAddr]) -> io::Result<(u16, Vec<Sockets>)> {
    let mut last = io::Error::other("there is no address to bind to");
    let Some(first) = addresses.first() else {
        return Err(last);
    };
    for _ in 0..ATTEMPTS {
        let port = StdTcpListener::bind((*first, 0))?.local_addr()?.port();
        match addresses
            .iter()
            .map(|address| both(*address, port))
            .collect()
        {
            Ok(sockets) => return Ok((port, sockets)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn both(address: IpAddr, port: u16) -> io::Result<Sockets> {
    let udp = StdUdpSocket::bind((address, port))?;
    let tcp = StdTcpListener::bind((address, port))?;
    udp.set_nonblocking(true)?;
    tcp.set_nonblocking(true)?;
    Ok((udp, tcp))
}

/// Serves one address until the runtime ends.
pub(super) fn run(
    runtime: &Runtime,
    address: IpAddr,
    sockets: Sockets,
    servers: &Servers,
) -> io::Result<()> {
    let _inside = runtime.enter();
    let udp = Arc::new(UdpSocket::from_std(sockets.0)?);
    let tcp = TcpListener::from_std(sockets.1)?;
    let for_udp = Arc::clone(servers);
    runtime.spawn(async move {
        let mut buffer = vec![0; 4096];
        // An error of one datagram (a client gone away) is not the end of the server.
        loop {
            if let Ok((length, client)) = udp.recv_from(&mut buffer).await {
                let request = buffer.get(..length).unwrap_or_default().to_vec();
                tokio::spawn(datagram(
                    Arc::clone(&udp),
                    address,
                    client,
                    request,
                    Arc::clone(&for_udp),
                ));
            }
        }
    });
    let for_tcp = Arc::clone(servers);
    runtime.spawn(async move {
        loop {
            if let Ok((stream, _)) = tcp.accept().await {
                tokio::spawn(connection(stream, address, Arc::clone(&for_tcp)));
            }
        }
    });
    Ok(())
}

async fn datagram(
    udp: Arc<UdpSocket>,
    address: IpAddr,
    client: SocketAddr,
    request: Vec<u8>,
    servers: Servers,
) {
    if let Some((delay, reply)) = reply(&servers, address, &request, false) {
        tokio::time::sleep(delay).await;
        // A client that has gone away is no concern of ours.
        let _ = udp.send_to(&reply, client).await;
    }
}

async fn connection(mut stream: TcpStream, address: IpAddr, servers: Servers) {
    while let Ok(length) = stream.read_u16().await {
        let mut request = vec![0; usize::from(length)];
        if stream.read_exact(&mut request).await.is_err() {
            return;
        }
        let Some((delay, reply)) = reply(&servers, address, &request, true) else {
            return;
        };
        tokio::time::sleep(delay).await;
        let Ok(length) = u16::try_from(reply.len()) else {
            return;
        };
        if stream.write_u16(length).await.is_err() || stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}

/// The octets to send back, and how long to wait with that.
fn reply(
    servers: &Servers,
    address: IpAddr,
    request: &[u8],
    tcp: bool,
) -> Option<(Duration, Vec<u8>)> {
    let request = Message::from_vec(request).ok()?;
    let query = request.queries.first()?.clone();
    let signed = request
        .edns
        .as_ref()
        .is_some_and(|edns| edns.flags().dnssec_ok);
    let mut all = servers.write().ok()?;
    let server = all.get_mut(&address)?;
    server.asked += 1;
    let said = match server.role {
        Role::Authoritative => {
            answer::authoritative(&server.zones, query.name(), query.query_type(), signed)
        }
        Role::Resolver { .. } => {
            answer::recursive(&server.zones, query.name(), query.query_type(), signed)
        }
    };
    let mut message = Message::new(request.metadata.id, MessageType::Response, OpCode::Query);
    message.metadata.recursion_desired = request.metadata.recursion_desired;
    message.metadata.response_code = said.code.unwrap_or(ResponseCode::NoError);
    match server.role {
        Role::Authoritative => message.metadata.authoritative = said.authoritative,
        Role::Resolver { authenticated } => {
            message.metadata.recursion_available = true;
            message.metadata.authentic_data = authenticated;
        }
    }
    message.queries.push(query.clone());
    message.answers = said.answers;
    message.authorities = said.authorities;
    message.additionals = said.additionals;
    let fault = server
        .faults
        .get(&query.query_type())
        .copied()
        .or(server.fault);
    if let Some(fault) = fault {
        fault.spoil(&mut message, &server.zones, tcp)?;
    }
    let room = if tcp {
        usize::from(u16::MAX)
    } else {
        usize::from(request.max_payload())
    };
    if request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(1232).set_dnssec_ok(signed);
        message.set_edns(edns);
    }
    let mut octets = message.to_vec().ok()?;
    if octets.len() > room {
        octets = message.truncate().to_vec().ok()?;
    }
    match fault {
        Some(Fault::Garbage) => Some((
            Duration::ZERO,
            octets.get(..12)?.iter().copied().chain([0xff; 9]).collect(),
        )),
        Some(Fault::Delay(time)) => Some((time, octets)),
        _ => Some((Duration::ZERO, octets)),
    }
}
