//! One call of the demo's API, over HTTP.

use std::io;
use std::net::SocketAddr;

use farebox_verifier::TokenText;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is sent.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    /// Nothing is said of a token that is empty.
    pub(super) token: &'a TokenText,
    pub(super) account: &'a str,
    pub(super) body: &'a str,
    pub(super) proof: Option<&'a str>,
}

/// Calls, and says `ran`, or the code of the refusal.
pub(super) async fn call(address: SocketAddr, call: Call<'_>) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request(&call).as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        return Ok("ran".to_owned());
    }
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let code = problem.get("code").and_then(serde_json::Value::as_str);
    Ok(code.unwrap_or("no code").to_owned())
}

fn request(call: &Call<'_>) -> String {
    let Call { token, account, body, proof } = call;
    let mut head = format!(
        "POST /accounts/{account}/transfers HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    if !token.expose().is_empty() {
        head += &format!("Authorization: Bearer {}\r\n", token.expose());
    }
    if let Some(proof) = proof {
        head += &format!("Farebox-Proof: {proof}\r\n");
    }
    format!("{head}\r\n{body}")
}
