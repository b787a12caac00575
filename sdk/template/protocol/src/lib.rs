//! A protocol: greets, says how many octets each line has, and leaves at `QUIT`.

#[cfg(test)]
mod tests;

use dovetail_sdk::{
    export_plugin,
    line::Line,
    protocol::{Protocol, ProtocolProvider, ProtocolTraits, Session, SessionFailure},
    About, Context, Plugin, Problems, StartFailure,
};

/// A longer line is answered with an error, and nothing of it is kept.
const MAX_LINE: usize = 1000;

/// The instance's section in the server's configuration.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What a client hears first.
    greeting: String,
}

impl Default for Config {
    fn default() -> Self {
        Config { greeting: "welcome".into() }
    }
}

/// One instance.
struct {{Name}} {
    greeting: String,
}

impl Plugin for {{Name}} {
    type Config = Config;

    fn validate(config: &Config, _about: &About, problems: &mut Problems) {
        if config.greeting.contains(['\r', '\n']) {
            problems.error("`greeting` has a line break", "write it on one line");
        }
    }

    async fn start(config: Config, context: Context) -> Result<Self, StartFailure> {
        tracing::info!(build = %context.about.build, "starting");
        Ok({{Name}} { greeting: config.greeting })
    }
}

impl ProtocolProvider for {{Name}} {
    fn traits(&self) -> ProtocolTraits {
        ProtocolTraits { alpn: vec![], try_later: b"try later\r\n".to_vec() }
    }

    async fn serve(&self, mut session: Session) -> Result<(), SessionFailure> {
        session.stream.queue(format!("{}\r\n", self.greeting).as_bytes());
        loop {
            // What is queued leaves before the wait for a line.
            let answer = match session.stream.read_line(MAX_LINE).await? {
                Line::Good(line) if line.eq_ignore_ascii_case(b"QUIT") => break,
                Line::Good(line) => format!("{} octets\r\n", line.len()),
                Line::Bad(why) => format!("error: {why}\r\n"),
                Line::End => return Ok(()),
            };
            session.stream.queue(answer.as_bytes());
        }
        session.stream.queue(b"bye\r\n");
        session.stream.close().await?;
        Ok(())
    }
}

export_plugin! {
    plugin: {{Name}},
    id: "{{name}}",
    summary: "Counts the octets of lines",
    provides: [Protocol],
    requires: [],
}
