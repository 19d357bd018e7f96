//! Who asks: logins, rights, and passwords that show nowhere.

use farebox_verifier::redis::{Effect, Link, Unanswered, Why};

use super::fake::{Act, Fake};
use super::server::Server;
use super::world::{PATIENT, address, assert_answered, call, echo, said};

const PASSWORD: &str = "hunter2";

fn login(port: u16, login: &str) -> Link {
    Link::new(address(&format!("redis://{login}@127.0.0.1:{port}"), None), PATIENT)
}

#[tokio::test]
async fn a_user_who_may_call_one_function_and_ping_needs_no_other_right() {
    let server = Server::start().await;
    let rights: [&[u8]; 9] = [
        b"SETUSER",
        b"api",
        b"on",
        b">hunter2",
        b"resetkeys",
        b"~fb1:*",
        b"-@all",
        b"+fcall|probe_echo",
        b"+ping",
    ];
    server.link().command("ACL", &rights).await.unwrap();
    let link = login(server.port(), "api:hunter2");
    assert_answered(1, echo(&link, 1).await);
    assert!(link.command("PING", &[]).await.is_ok());
    let others = [call(&link, "probe_fail", 2).await.err(), link.command("INFO", &[]).await.err()];
    for refused in others {
        let Some(Unanswered::Refused { code, effect, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!((&*code, effect), ("NOPERM", Effect::None));
    }
    // It is still the same connection.
    assert_answered(3, echo(&link, 3).await);
    let refusals = server.link().command("ACL", &[b"LOG"]).await.unwrap();
    assert_eq!(format!("{refusals:?}").matches("toplevel").count(), 2, "{refusals:?}");
}

#[tokio::test]
async fn nothing_is_said_at_opening_but_who_asks_and_a_ping() {
    let fake = Fake::start(|asked| Act::Say(asked.echoed())).await;
    assert_answered(1, echo(&login(fake.port(), "api:hunter2"), 1).await);
    let asked = fake.seen().asked;
    assert_eq!(asked[0], [&b"AUTH"[..], b"api", PASSWORD.as_bytes()]);
    assert_eq!(asked[1][0], b"PING");
    assert_eq!((asked[2][0].as_slice(), asked.len()), (&b"FCALL"[..], 3));
    // Without a login not even that.
    let fake = Fake::start(|asked| Act::Say(asked.echoed())).await;
    assert_answered(1, echo(&super::world::link(fake.port(), PATIENT), 1).await);
    assert_eq!((fake.seen().asked[0][0].as_slice(), fake.seen().asked.len()), (&b"PING"[..], 2));
}

#[tokio::test]
async fn a_password_alone_is_the_default_users() {
    let server = Server::bare(&["--port", "{port}", "--requirepass", PASSWORD]);
    let link = login(server.port(), ":hunter2");
    server.load(&link).await;
    assert_answered(1, echo(&link, 1).await);
    let without = super::world::link(server.port(), PATIENT);
    let refused = echo(&without, 1).await.err().unwrap();
    let Unanswered::Down(Why::Unwelcome { code, .. }) = &refused else { panic!("{refused:?}") };
    assert_eq!(&**code, "NOAUTH");
}

#[tokio::test]
async fn a_wrong_password_is_down_and_shows_nowhere() {
    let server = Server::bare(&["--port", "{port}", "--requirepass", "another"]);
    for who in ["default:hunter2", ":hunter2", "nobody:hunter2"] {
        let link = login(server.port(), who);
        let refused = echo(&link, 1).await.err().unwrap();
        let Unanswered::Down(Why::Unwelcome { code, .. }) = &refused else { panic!("{refused:?}") };
        assert_eq!(&**code, "WRONGPASS");
        let shown = format!("{} {link:?}", said(&refused));
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_a_password_is_not_quoted() {
    let repeated = [
        "-ERR unknown command 'AUTH', with args beginning with: 'api' 'hunter2' \r\n",
        "-ERR I do not know 'hunter2'\r\n",
        "-hunter2 is wrong\r\n",
    ];
    for answer in repeated {
        let fake = Fake::rude(|asked| match asked.is("AUTH") {
            true => Act::Say(answer.as_bytes().to_vec()),
            false => Act::Say(asked.echoed()),
        })
        .await;
        let link = login(fake.port(), "api:hunter2");
        let refused = echo(&link, 1).await.err().unwrap();
        assert!(matches!(refused, Unanswered::Down(Why::Unwelcome { .. })), "{refused:?}");
        assert!(!said(&refused).contains(PASSWORD), "{}", said(&refused));
    }
}
