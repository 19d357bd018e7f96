//! The server without farebox: the commands that an unfenced store would run, by the client library alone.

use farebox_lab::Redis;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Value};

/// Looks at the grant, takes it, keeps its time to live, and writes it down.
const SPEND: &str = "local v = redis.call('GET', KEYS[1]) \
    if v ~= 'issued' then return v end \
    redis.call('SET', KEYS[1], ARGV[1], 'XX', 'KEEPTTL') \
    redis.call('XADD', KEYS[2], '*', 'e', ARGV[2]) \
    return 'OK'";
const NOTHING: &str =
    "#!lua name=nothing\nredis.register_function('nothing', function() return 1 end)";
/// What is written down of a spend: as much as farebox does.
const EVENT: &[u8] = &[7; 29];

#[derive(Clone)]
pub struct Bare {
    wire: MultiplexedConnection,
    sha: String,
}

impl Bare {
    pub async fn on(redis: &Redis) -> Bare {
        let info = Client::open(redis.url()).unwrap().get_connection_info().clone();
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let client = Client::open(info.set_tcp_settings(tcp)).unwrap();
        let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(1_024);
        let mut wire = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
        let load = redis::cmd("SCRIPT").arg("LOAD").arg(SPEND).query_async(&mut wire).await;
        let function = redis::cmd("FUNCTION").arg("LOAD").arg("REPLACE").arg(NOTHING).clone();
        function.query_async::<String>(&mut wire).await.unwrap();
        Bare { wire, sha: load.unwrap() }
    }

    async fn ask(&self, command: &Cmd) -> Option<Value> {
        self.wire.clone().send_packed_command(command).await.ok()
    }

    /// Grants that were issued: one key each, with a time to live.
    pub async fn issue(&self, prefix: &str, count: usize) -> Vec<String> {
        let keys: Vec<String> =
            (0..count).map(|number| format!("{{00}}:{prefix}:{number}")).collect();
        for some in keys.chunks(500) {
            let mut pipeline = redis::pipe();
            for key in some {
                pipeline.cmd("SET").arg(key).arg("issued").arg("EX").arg(1_800).ignore();
            }
            pipeline.query_async::<()>(&mut self.wire.clone()).await.unwrap();
        }
        keys
    }

    pub async fn spend(&self, key: &str) -> Option<()> {
        let mut command = Cmd::new();
        command.arg("EVALSHA").arg(&self.sha).arg(2).arg(key).arg("{00}:stream");
        command.arg("spent:0123456789abcdef").arg(EVENT);
        let answer = self.ask(&command).await?;
        matches!(&answer, Value::BulkString(text) if text == b"OK").then_some(())
    }

    pub async fn nothing(&self) -> Option<()> {
        let mut command = Cmd::new();
        command.arg("FCALL").arg("nothing").arg(1).arg("{00}:stream").arg(&[7_u8; 82]);
        self.ask(&command).await.map(drop)
    }

    pub async fn set_nx(&self, key: &str) -> Option<()> {
        let mut command = Cmd::new();
        command.arg("SET").arg(key).arg("0123456789abcdef").arg("NX").arg("EX").arg(60);
        matches!(self.ask(&command).await?, Value::Okay).then_some(())
    }

    /// Empties its stream, and forgets its keys.
    pub async fn clear(&self) {
        let mut command = Cmd::new();
        command.arg("XTRIM").arg("{00}:stream").arg("MAXLEN").arg(0);
        self.ask(&command).await.unwrap();
    }
}
