//! A protocol plugin for tests: says every line back. `STARTTLS` upgrades, `FACTS` tells what is known, `BUILD` which build it is,
//! `QUIT` ends.

use dovetail_sdk::{
    export_plugin,
    line::Line,
    protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    Context, Plugin, StartFailure,
};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    greeting: Option<String>,
}

struct Echo {
    greeting: String,
    build: String,
}

impl Plugin for Echo {
    type Config = Config;

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        tracing::info!(instance = %context.about.instance, "echo starts");
        Ok(Echo { greeting: config.greeting.unwrap_or_else(|| "hello".to_owned()), build: context.about.build })
    }
}

impl ProtocolProvider for Echo {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits { alpn: Vec::new(), try_later: b"later\r\n".to_vec() }
    }

    async fn serve(&self, mut session: Session) -> Result<(), SessionFailure> {
        session.stream.queue(format!("{}\r\n", self.greeting).as_bytes());
        loop {
            let line = match session.stream.read_line(1000).await? {
                Line::End => return Ok(()),
                Line::Bad(bad) => bad.to_string().into_bytes(),
                Line::Good(line) => line,
            };
            match line.as_slice() {
                b"QUIT" => break,
                b"STARTTLS" if session.may_start_tls() => {
                    session
                        .start_tls(b"go\r\n")
                        .await
                        .map_err(|error| SessionFailure { message: error.to_string() })?;
                }
                b"FACTS" => {
                    let facts = session.tls().map(|facts| facts.version.clone()).unwrap_or_default();
                    session.stream.queue(format!("{} {facts}\r\n", session.info.peer).as_bytes());
                }
                b"BUILD" => session.stream.queue(format!("{}\r\n", self.build).as_bytes()),
                other => {
                    session.stream.queue(other);
                    session.stream.queue(b"\r\n");
                }
            }
        }
        session.stream.close().await?;
        Ok(())
    }
}

export_plugin! {
    plugin: Echo,
    id: "echo",
    summary: "Says every line back (for tests)",
    allocator: none,
    provides: [Protocol],
    requires: [],
}
