//! TLS: the right authority and the right name, or no connection.

use std::path::{Path, PathBuf};
use std::process::Command;

use farebox_verifier::redis::{Link, Tls, TlsError, Unanswered, Why};

use super::folder::Folder;
use super::server::Server;
use super::world::{PATIENT, address, assert_answered, echo, said};

/// Authorities, and a certificate for `localhost` that the first of them signed.
struct Certificates {
    folder: Folder,
}

impl Certificates {
    fn make() -> Certificates {
        let made = Certificates { folder: Folder::new() };
        for authority in ["ca", "stranger"] {
            made.openssl(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                 -subj /CN={authority} -keyout {authority}.key -out {authority}.crt"
            ));
        }
        made.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server \
             -keyout server.key -out server.csr",
        );
        std::fs::write(made.path("names"), "subjectAltName=DNS:localhost,DNS:r1.internal").unwrap();
        made.openssl(
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -days 2 -out server.crt -extfile names",
        );
        made
    }

    fn openssl(&self, arguments: &str) {
        let mut openssl = Command::new("openssl");
        let output = openssl.args(arguments.split_whitespace()).current_dir(self.folder.path());
        let output = output.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A server that speaks TLS only, and asks for a certificate where `clients` says yes.
    fn server(&self, clients: &str) -> Server {
        let file = |name| self.path(name).to_string_lossy().into_owned();
        let (chain, key, ca) = (file("server.crt"), file("server.key"), file("ca.crt"));
        let tls = ["--port", "0", "--tls-port", "{port}", "--tls-auth-clients", clients];
        let files = ["--tls-cert-file", &chain, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
        Server::bare(&[&tls[..], &files].concat())
    }

    fn trusted(&self) -> Tls {
        Tls::trusting(&self.path("ca.crt")).unwrap()
    }
}

fn link(server: &Server, host: &str, tls: Tls) -> Link {
    Link::new(address(&format!("rediss://{host}:{}", server.port()), Some(tls)), PATIENT)
}

async fn assert_untrusted(link: &Link, why: &str) {
    let refused = echo(link, 1).await.err().unwrap();
    let Unanswered::Down(Why::Untrusted { text }) = &refused else { panic!("{refused:?}") };
    assert!(text.contains(why), "{text}");
}

#[tokio::test]
async fn a_server_is_trusted_by_its_authority_and_its_name() {
    let certificates = Certificates::make();
    let server = certificates.server("no");
    let good = link(&server, "localhost", certificates.trusted());
    server.load(&good).await;
    assert_answered(1, echo(&good, 1).await);
    // The name may be another than the address.
    let named = certificates.trusted().naming("r1.internal").unwrap();
    assert_answered(2, echo(&link(&server, "127.0.0.1", named), 2).await);

    let stranger = Tls::trusting(&certificates.path("stranger.crt")).unwrap();
    assert_untrusted(&link(&server, "localhost", stranger), "UnknownIssuer").await;
    let other = certificates.trusted().naming("r2.internal").unwrap();
    assert_untrusted(&link(&server, "localhost", other), "not valid for name").await;
    let by_number = link(&server, "127.0.0.1", certificates.trusted());
    assert_untrusted(&by_number, "not valid for name").await;
}

#[tokio::test]
async fn the_machines_authorities_do_not_trust_a_stranger() {
    let certificates = Certificates::make();
    let server = certificates.server("no");
    let system = Tls::system().unwrap();
    assert_untrusted(&link(&server, "localhost", system), "UnknownIssuer").await;
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let certificates = Certificates::make();
    let server = certificates.server("yes");
    let (chain, key) = (certificates.path("server.crt"), certificates.path("server.key"));
    let known = certificates.trusted().presenting(&chain, &key).unwrap();
    let known = link(&server, "localhost", known);
    server.load(&known).await;
    assert_answered(1, echo(&known, 1).await);
    let unknown = link(&server, "localhost", certificates.trusted());
    let refused = echo(&unknown, 1).await.err().unwrap();
    assert!(matches!(refused, Unanswered::Down(_)), "{refused:?}");
}

#[tokio::test]
async fn neither_side_speaks_plainly_to_one_that_does_not() {
    let certificates = Certificates::make();
    let server = certificates.server("no");
    let plain = super::world::link(server.port(), PATIENT);
    let refused = echo(&plain, 1).await.err().unwrap();
    assert!(matches!(refused, Unanswered::Down(_)), "{}", said(&refused));
    let plain_server = Server::start().await;
    let encrypted = link(&plain_server, "localhost", certificates.trusted());
    let refused = echo(&encrypted, 1).await.err().unwrap();
    assert!(matches!(refused, Unanswered::Down(_)), "{}", said(&refused));
}

#[test]
fn files_that_are_no_certificates_are_refused() {
    let certificates = Certificates::make();
    let key = certificates.path("server.key");
    let missing = Tls::trusting(Path::new("/nowhere/ca.crt")).unwrap_err();
    assert!(matches!(missing, TlsError::Unreadable { .. }), "{missing:?}");
    let none = Tls::trusting(&key).unwrap_err();
    assert_eq!(none, TlsError::NoCertificate { path: key.clone() });
    let (chain, other) = (certificates.path("server.crt"), certificates.path("stranger.key"));
    let mixed = certificates.trusted().presenting(&chain, &other).unwrap_err();
    assert_eq!(mixed, TlsError::NoPair);
    let no_key = certificates.trusted().presenting(&chain, &chain).unwrap_err();
    assert_eq!(no_key, TlsError::NoKey { path: chain });
    assert_eq!(certificates.trusted().naming("a b").unwrap_err(), TlsError::ServerName);
}
