//! What the parts of a walk share: whom to ask, whom to trust, the moment, and what
//! has been found out already.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::dns::find::discovery::Discovery;
use crate::dns::trust::anchors::Anchors;
use crate::dns::trust::budget::Budget;
use crate::dns::trust::chain::Chain;
use crate::dns::walk::facts::{Facts, Rest};
use crate::dns::wire::clock::Clock;
use crate::dns::wire::exchange::Asker;
use crate::dns::wire::room::Room;
use crate::dns::wire::shared::Shared;
use crate::dns::{Reach, Settings};
use crate::name::Name;

/// One call's questions, answers and trust.
pub(crate) struct Walk {
    pub(crate) asker: Arc<Asker>,
    pub(crate) discovery: Arc<Discovery>,
    pub(crate) anchors: Anchors,
    pub(crate) name_servers: Vec<(Name, std::net::SocketAddr)>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) chains: Shared<Name, Arc<Chain>>,
    pub(crate) zones: Shared<(Name, bool), Arc<Facts>>,
    pub(crate) rests: Shared<Name, Rest>,
    pub(crate) resolvers: Vec<std::net::SocketAddr>,
}

impl Walk {
    pub(crate) fn new(targets: usize, settings: &Settings, reach: &Reach) -> Self {
        let questions = reach.questions.saturating_mul(targets.max(1));
        let (room, clock) = (Room::for_targets(targets), Clock::started(reach.check));
        let asker = Arc::new(Asker::new(
            settings.timeout,
            settings.tries,
            questions,
            room,
            clock,
        ));
        let resolvers = settings.resolvers.clone();
        let discovery = Discovery::new(Arc::clone(&asker), settings, reach);
        Self {
            asker,
            discovery: Arc::new(discovery),
            anchors: settings.anchors.clone(),
            name_servers: settings.name_servers.clone(),
            now: settings.now,
            chains: Shared::default(),
            zones: Shared::default(),
            rests: Shared::default(),
            resolvers,
        }
    }

    /// As many signatures as one piece of work may try.
    pub(crate) fn budget(&self) -> Budget {
        Budget::at(self.now, self.asker.clock.end())
    }
}
