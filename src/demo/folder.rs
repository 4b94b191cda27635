//! The demo's files, as a mail administrator would have them: a zone file kept
//! by hand, the certificate and key in use, and the new ones. A folder of the
//! system's temporary kind goes when the demo ends, one that was named stays.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use tempfile::TempDir;

use crate::demo::DemoError;
use crate::tlsa::Tlsa;

/// The zone.
pub const ZONE: &str = "demo.example";
/// The mail server in it.
pub const HOST: &str = "mail.demo.example";
/// The zone's file.
pub const ZONE_FILE: &str = "demo.example.zone";
/// The file of the trust anchor.
pub const ANCHOR_FILE: &str = "root.anchor";

/// How many days ago the zone was last changed.
const UNTOUCHED: i64 = 17;
/// How many days ago the old certificate was made, of the 90 that it has.
const WORN: i64 = 82;
const LIFE: i64 = 90;

/// The folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Removes the folder when it is dropped.
    _temporary: Option<TempDir>,
}

impl Folder {
    /// Makes a folder: this one, or one that goes away.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or has something in it.
    pub fn make(named: Option<&Path>) -> io::Result<Self> {
        let Some(path) = named else {
            let temporary = tempfile::Builder::new()
                .prefix("danewright-demo-")
                .tempdir()?;
            return Ok(Self {
                path: temporary.path().canonicalize()?,
                _temporary: Some(temporary),
            });
        };
        fs::create_dir_all(path)?;
        if fs::read_dir(path)?.next().is_some() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        Ok(Self {
            path: path.canonicalize()?,
            _temporary: None,
        })
    }

    /// Where it is, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes `old.pem`, `old.key`, `new.pem` and `new.key`.
    ///
    /// # Errors
    ///
    /// When a key cannot be made or a file cannot be written.
    pub fn write_keys(&self, now: DateTime<Utc>) -> Result<(), DemoError> {
        self.write_key("old", now - TimeDelta::days(WORN))?;
        self.write_key("new", now - TimeDelta::days(1))
    }

    fn write_key(&self, name: &str, made: DateTime<Utc>) -> Result<(), DemoError> {
        let failed = |error: rcgen::Error| DemoError::new(format!("making {name}.pem"), error);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = CertificateParams::new([HOST.to_owned()]).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, HOST);
        let [not_before, not_after] = [made, made + TimeDelta::days(LIFE)]
            // A day and a month have two digits.
            .map(|day| date_time_ymd(day.year(), day.month() as u8, day.day() as u8));
        params.not_before = not_before;
        params.not_after = not_after;
        let certificate = params.self_signed(&key).map_err(failed)?;
        self.write(&format!("{name}.key"), &key.serialize_pem(), 0o600)?;
        self.write(&format!("{name}.pem"), &certificate.pem(), 0o644)
    }

    /// Writes the zone file, with this TLSA record at the mail server.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_zone(
        &self,
        published: &Tlsa,
        servers: [IpAddr; 2],
        now: DateTime<Utc>,
    ) -> Result<(), DemoError> {
        self.write(ZONE_FILE, &zone_text(published, servers, now), 0o644)
    }

    /// Writes the trust anchor.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_anchor(&self, line: &str) -> Result<(), DemoError> {
        let comment = "; DS of the demo's private root, in place of the one that IANA publishes\n";
        self.write(ANCHOR_FILE, &format!("{comment}{line}"), 0o644)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> Result<(), DemoError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(self.file(name));
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| DemoError::new(format!("writing {name}"), error))
    }
}

fn zone_text(published: &Tlsa, [ns1, ns2]: [IpAddr; 2], now: DateTime<Utc>) -> String {
    let serial = (now - TimeDelta::days(UNTOUCHED)).format("%Y%m%d");
    format!(
        "\
; {ZONE} -- kept by hand; bump the serial when you touch anything
$TTL 1h
@               IN SOA   ns1 hostmaster (
                         {serial}01  ; serial, YYYYMMDDnn
                         2h          ; refresh
                         30m         ; retry
                         2w          ; expire
                         5m )        ; negative answers
                IN NS    ns1
                IN NS    ns2
                IN MX    10 mail

; name servers: ns2 takes transfers from ns1
ns1             IN A     {ns1}
ns2             IN A     {ns2}

; the mail server and its key; 2 seconds are for a demo, an hour is usual
mail            IN A     127.0.0.1
_25._tcp.mail 2 IN TLSA  {published}
www             IN CNAME mail
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::authority::Zone;
    use crate::name::Name;
    use crate::tlsa::{Params, Tlsa};

    #[test]
    fn the_zone_file_is_one_that_the_name_server_reads() {
        let params = Params {
            usage: "3".parse().unwrap(),
            selector: "1".parse().unwrap(),
            matching: "1".parse().unwrap(),
        };
        let tlsa = Tlsa::of(b"a key", params).unwrap();
        let servers = ["127.0.0.11", "127.0.0.12"].map(|text| text.parse().unwrap());
        let text = zone_text(&tlsa, servers, "2026-11-20T12:00:00Z".parse().unwrap());
        assert!(text.contains(" 2026110301  ; serial"), "{text}");
        assert!(
            Zone::from_text(&Name::from_user(ZONE).unwrap(), &text).is_ok(),
            "{text}"
        );
    }

    #[test]
    fn a_folder_with_something_in_it_is_not_taken() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("a/b");
        assert!(Folder::make(Some(&inner)).is_ok());
        assert!(inner.is_dir());
        let error = Folder::make(Some(outer.path())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::DirectoryNotEmpty);
    }
}
