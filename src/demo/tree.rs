//! The demo's corner of the DNS: a private root, `example.` and `demo.example.`,
//! signed, with two name servers for the last one and a resolver. The zone is
//! read from the bytes of its file each time a server loads it, so what is
//! served is what stands there.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::demo::DemoError;
use crate::demo::authority::{Authority, Key, Role, Window, Zone, ZoneError};
use crate::demo::folder::ZONE;
use crate::name::Name;

/// Where the resolver answers.
pub const RESOLVER: IpAddr = at(2);
/// Where the primary, `ns1`, answers.
pub const PRIMARY: IpAddr = at(5);
/// Where the secondary, `ns2`, answers.
pub const SECONDARY: IpAddr = at(6);

const ROOT: IpAddr = at(3);
const TLD: IpAddr = at(4);

/// How long signatures are valid, in days.
const DAYS: i64 = 14;

const fn at(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// The name servers. They stop when this is dropped.
pub struct Tree {
    authority: Authority,
    apex: Name,
    key: Key,
    window: Window,
    anchor: String,
}

impl Tree {
    /// Starts all servers; the demo's zone is not loaded yet.
    ///
    /// # Errors
    ///
    /// When a loopback address cannot be used, or a zone cannot be signed.
    pub fn start(now: DateTime<Utc>) -> Result<Self, DemoError> {
        let authority =
            Authority::start(&[RESOLVER, ROOT, TLD, PRIMARY, SECONDARY]).map_err(|error| {
                DemoError::new(
                    format!("starting name servers on loopback, {RESOLVER} to {SECONDARY}"),
                    error,
                )
            })?;
        authority.role(
            RESOLVER,
            Role::Resolver {
                authenticated: true,
            },
        );
        Self::build(authority, now)
            .map_err(|error| DemoError::new("signing the demo's zones", error))
    }

    fn build(authority: Authority, now: DateTime<Utc>) -> Result<Self, ZoneError> {
        let name = |text: &str| Name::from_user(text).map_err(|error| ZoneError::new(text, error));
        let (tld, apex) = (name("example")?, name(ZONE)?);
        let [root_key, tld_key, key] = [Key::generate()?, Key::generate()?, Key::generate()?];
        let window = Window::around(now, DAYS);

        let mut root = Zone::new(&Name::root());
        root.add("@", 3600, "NS", "ns.root.")?
            .add("ns.root.", 3600, "A", &ROOT.to_string())?;
        root.add("example.", 3600, "NS", "ns.example.")?.add(
            "ns.example.",
            3600,
            "A",
            &TLD.to_string(),
        )?;
        root.add("example.", 3600, "DS", &tld_key.ds(&tld)?)?;

        let mut example = Zone::new(&tld);
        example
            .add("@", 3600, "NS", "ns.example.")?
            .add("ns", 3600, "A", &TLD.to_string())?;
        for (server, address) in [("ns1.demo", PRIMARY), ("ns2.demo", SECONDARY)] {
            example.add("demo", 3600, "NS", &format!("{server}.example."))?;
            example.add(server, 3600, "A", &address.to_string())?;
        }
        example.add("demo", 3600, "DS", &key.ds(&apex)?)?;

        for (zone, key, server) in [(&root, &root_key, ROOT), (&example, &tld_key, TLD)] {
            let signed = zone.sign(&[key], window)?;
            authority.publish(server, &signed);
            authority.publish(RESOLVER, &signed);
        }
        let anchor = root_key.anchor(&Name::root())?;
        Ok(Self {
            authority,
            apex,
            key,
            window,
            anchor,
        })
    }

    /// The port that all servers share.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority.port()
    }

    /// The line for a trust-anchor file.
    #[must_use]
    pub fn anchor(&self) -> &str {
        &self.anchor
    }

    /// Reads the zone file, signs what it says, and serves that at these addresses.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not understood; the servers go on
    /// with what they had.
    pub fn load(&self, file: &Path, servers: &[IpAddr]) -> Result<(), DemoError> {
        let what = || format!("loading {}", file.display());
        let text = fs::read_to_string(file).map_err(|error| DemoError::new(what(), error))?;
        let zone =
            Zone::from_text(&self.apex, &text).map_err(|error| DemoError::new(what(), error))?;
        let signed = zone
            .sign(&[&self.key], self.window)
            .map_err(|error| DemoError::new(what(), error))?;
        servers
            .iter()
            .for_each(|server| self.authority.publish(*server, &signed));
        Ok(())
    }
}
