//! The word of the `domain` library's validator.

use std::fs;

use domain::base::{MessageBuilder, Name, Rtype};
use domain::dnssec::validator::anchor::TrustAnchors;
use domain::dnssec::validator::context::{ValidationContext, ValidationState};
use domain::net::client::dgram_stream;
use domain::net::client::protocol::{TcpConnect, UdpConnect};
use domain::net::client::request::{ComposeRequest, RequestMessage, SendRequest};

use super::{State, owner};
use crate::cases::Case;
use crate::servers::Servers;

/// What it makes of each case, asking the resolver that does not validate.
pub(crate) fn library(servers: &Servers, cases: &[Case]) -> Vec<State> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let at = servers.finder();
        let (upstream, transport) =
            dgram_stream::Connection::new(UdpConnect::new(at), TcpConnect::new(at));
        tokio::spawn(transport.run());
        let anchors = fs::read(servers.anchors()).unwrap();
        let context =
            ValidationContext::new(TrustAnchors::from_u8(&anchors).unwrap(), upstream.clone());
        let mut states = Vec::new();
        for case in cases {
            let mut message = MessageBuilder::new_vec();
            message.header_mut().set_rd(true);
            let mut message = message.question();
            message
                .push((Name::vec_from_str(&owner(case)).unwrap(), Rtype::TLSA))
                .unwrap();
            let mut request = RequestMessage::new(message).unwrap();
            request.set_dnssec_ok(true);
            let Ok(mut answer) = upstream.send_request(request).get_response().await else {
                states.push(State::Unknown);
                continue;
            };
            states.push(match context.validate_msg(&mut answer).await {
                Ok((ValidationState::Secure, _)) => State::Secure,
                Ok((ValidationState::Insecure, _)) => State::Insecure,
                Ok((ValidationState::Bogus, _)) => State::Bogus,
                Ok((ValidationState::Indeterminate, _)) | Err(_) => State::Unknown,
            });
        }
        states
    })
}
