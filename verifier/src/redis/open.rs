//! A connection, from a name to a greeting that was answered.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_util::task::TaskTracker;

use super::address::Address;
use super::connection::Connection;
use super::slots::Slots;
use super::unanswered::Why;

/// What the greeting asks to be repeated.
const GREETING: &[u8] = b"farebox";
/// A connection that is quiet for so long is looked after, so that the next question does not find out
/// that its server, or what stands between, has forgotten it.
const QUIET: Duration = Duration::from_secs(10);
/// How often it is then looked after.
const PROBE: Duration = Duration::from_secs(2);
/// How long bytes may stay unacknowledged. Calls give up far sooner; this closes what they left.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// Opens a connection that has answered, by `until`.
pub(super) async fn open(
    address: &Address,
    until: Instant,
    slots: &Slots,
    tasks: &TaskTracker,
) -> Result<Connection, Why> {
    let stream = reach(address.place(), until).await?;
    let Some(tls) = address.tls() else {
        return greet(address, stream, slots, tasks).await;
    };
    let (host, _) = address.place();
    let name = tls.name(host).map_err(|wrong| Why::Untrusted { text: wrong.to_string().into() })?;
    let stream = TlsConnector::from(tls.config()).connect(name, stream).await;
    greet(address, stream.map_err(|e| Why::untrusted(&e))?, slots, tasks).await
}

/// Tries each address of a name, and gives each its share of the time: one that swallows everything must
/// not keep the next from being tried.
async fn reach(place: (&str, u16), until: Instant) -> Result<TcpStream, Why> {
    let Ok(found) = lookup_host(place).await else { return Err(Why::Unresolved) };
    let mut left: Vec<_> = found.collect();
    left.reverse();
    let mut why = Why::Unresolved;
    while let Some(address) = left.pop() {
        let shares = u32::try_from(left.len()).unwrap_or(u32::MAX).saturating_add(1);
        let share = until.saturating_duration_since(Instant::now()) / shares;
        why = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => match prepare(&stream) {
                Ok(()) => return Ok(stream),
                Err(error) => Why::Unreachable { kind: error.kind() },
            },
            Ok(Err(error)) => Why::Unreachable { kind: error.kind() },
            Err(_elapsed) => Why::TimedOut,
        };
    }
    Err(why)
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    // Without it a question waits for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(QUIET).with_interval(PROBE))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

/// Says who asks, and hears that the server is one that answers: a frozen one is found out here, and not
/// by a question that is then in doubt.
async fn greet<S>(
    address: &Address,
    stream: S,
    slots: &Slots,
    tasks: &TaskTracker,
) -> Result<Connection, Why>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = AsyncConnectionConfig::new()
        // Both are watched here, together with what comes before them.
        .set_connection_timeout(None)
        .set_response_timeout(None)
        // Whoever has a slot finds room for its question.
        .set_pipeline_buffer_size(slots.max());
    // The library would say by itself who asks, but also names itself to the server, which takes a right
    // that none of our users has, and hides why a login failed.
    let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
    let (wire, driver) = MultiplexedConnection::new_with_config(&nobody, stream, config)
        .await
        .map_err(|error| Why::of(&error))?;
    let connection = Connection::new(wire, driver, tasks);
    login_and_ping(address, connection.wire()).await?;
    Ok(connection)
}

async fn login_and_ping(address: &Address, mut wire: MultiplexedConnection) -> Result<(), Why> {
    let login = address.login();
    let password = login.map(|(_, password)| password);
    if let Some((user, password)) = login {
        let mut question = Cmd::new();
        question.arg("AUTH").arg(user).arg(password);
        ask(&mut wire, &question).await.map_err(|why| why.without(Some(password)))?;
    }
    let mut question = Cmd::new();
    question.arg("PING").arg(GREETING);
    match ask(&mut wire, &question).await.map_err(|why| why.without(password))? {
        Value::BulkString(repeated) if repeated == GREETING => Ok(()),
        _ => Err(Why::Garbled),
    }
}

async fn ask(wire: &mut MultiplexedConnection, question: &Cmd) -> Result<Value, Why> {
    match wire.send_packed_command(question).await {
        Ok(Value::ServerError(error)) => Err(Why::unwelcome(&error)),
        Ok(answer) => Ok(answer),
        Err(error) => Err(Why::of(&error)),
    }
}
