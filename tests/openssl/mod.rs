//! A folder with keys and certificates made by the openssl program, and what
//! that program says their public keys are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The kinds of keys, by name, with openssl's words for making one.
pub(crate) const KINDS: &[(&str, &[&str])] = &[
    (
        "rsa",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ),
    (
        "p256",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ),
    (
        "p384",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ),
    (
        "p521",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    ),
    ("ed25519", &["-algorithm", "ED25519"]),
    ("ed448", &["-algorithm", "ED448"]),
];

/// A folder that is gone at the end.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs openssl in the folder; gives what it prints.
    pub(crate) fn openssl(&self, words: &str) -> Vec<u8> {
        self.run("openssl", &words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a program in the folder; gives what it prints.
    pub(crate) fn run(&self, program: &str, words: &[&str]) -> Vec<u8> {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env_remove("OPENSSL_CONF");
        let ran = command
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(
            ran.status.success(),
            "{program} {words:?}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        ran.stdout
    }

    /// Makes a private key, PKCS#8 in PEM.
    pub(crate) fn key(&self, file: &str, how: &[&str]) {
        self.run("openssl", &[&["genpkey", "-out", file], how].concat());
    }

    /// Makes a certificate that its own key signs.
    pub(crate) fn certificate(&self, file: &str, key: &str) {
        self.openssl(&format!(
            "req -x509 -new -key {key} -out {file} -subj /CN=mail.example.com -days 30"
        ));
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}
