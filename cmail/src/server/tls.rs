//! TLS: the certificate and its key, which are read from files at the start and again on request.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What is refused before a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum RequireTls {
    /// Everything is allowed before encryption.
    #[default]
    None,
    /// Logins by POP3, which send a password.
    Pop3,
    /// Logins, and messages by SMTP. RFC 3207 forbids this to servers that receive mail from anywhere.
    All,
}

impl RequireTls {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            RequireTls::None => "none",
            RequireTls::Pop3 => "pop3",
            RequireTls::All => "all",
        }
    }
}

/// The current certificate, as an acceptor that `reload` replaces.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    acceptor: RwLock<TlsAcceptor>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why a certificate cannot be used: the file, and what is wrong with it.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    why: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for Error {}

impl Tls {
    /// Reads a certificate with its chain, and the key, both in PEM.
    pub fn load(certificate: &Path, key: &Path) -> Result<Tls, Error> {
        let acceptor = RwLock::new(read(certificate, key)?);
        Ok(Tls { certificate: certificate.to_owned(), key: key.to_owned(), acceptor })
    }

    /// Reads the files again. If they cannot be used, the current ones stay in use.
    pub fn reload(&self) -> Result<(), Error> {
        let acceptor = read(&self.certificate, &self.key)?;
        *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }

    /// The acceptor for the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Error> {
    let wrong = |path: &Path, why: String| Error { path: path.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, format!("no certificates in PEM can be read: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(certificate, "it holds no certificate in PEM".to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| wrong(key, format!("no private key in PEM can be read: {error}")))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| wrong(certificate, format!("it cannot be used with the key {}: {error}", key.display())))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (directory.join(format!("{name}.crt")), directory.join(format!("{name}.key")));
        fs::write(&certificate, made.cert.pem()).expect("the directory is writable");
        fs::write(&key, made.signing_key.serialize_pem()).expect("the directory is writable");
        (certificate, key)
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let (certificate, key) = write(scratch.path(), "one");
        let (other, _) = write(scratch.path(), "two");
        Tls::load(&certificate, &key).expect("they belong together");
        let empty = scratch.path().join("empty");
        fs::write(&empty, "").expect("the directory is writable");
        for (certificate, key, why) in [
            (&other, &key, "two.crt: it cannot be used with the key"),
            (&empty, &key, "empty: it holds no certificate"),
            (&certificate, &empty, "empty: no private key in PEM can be read"),
            (&certificate, &scratch.path().join("none"), "none: no private key in PEM can be read"),
            (&scratch.path().join("none"), &key, "none: no certificates in PEM can be read"),
        ] {
            let error = Tls::load(certificate, key).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    /// If the files are invalid, the current ones stay in use.
    #[test]
    fn a_reload_that_fails_changes_nothing() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let (certificate, key) = write(scratch.path(), "one");
        let tls = Tls::load(&certificate, &key).expect("they belong together");
        let config = |tls: &Tls| Arc::as_ptr(tls.acceptor().config());
        let before = config(&tls);
        fs::write(&key, "no key").expect("the directory is writable");
        tls.reload().expect_err("there is no key");
        assert_eq!(config(&tls), before);
        write(scratch.path(), "one");
        tls.reload().expect("they belong together");
        assert_ne!(config(&tls), before);
    }
}
