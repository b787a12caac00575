//! IDLE (RFC 2177, RFC 9051 section 6.3.13): the client hears what happens when it happens.
//!
//! Bounds: no buffer and one waiting call to the store; every `idle_notify_seconds` a line that keeps routers from
//! forgetting the connection.

use std::io;
use std::pin::pin;
use std::time::Duration;

use dovetail_sdk::line::Line;
use dovetail_sdk::store::StoreErrorCode;
use dovetail_sdk::time;

use crate::answer::{Answer, Next};
use crate::completion::Completion;
use crate::conversation::{lost, Conversation};
use crate::news::Ended;
use crate::selected::Say;

/// Waits for news or for DONE.
pub async fn run(conversation: &mut Conversation<'_>) -> io::Result<Answer> {
    conversation.session.stream.queue(b"+ Idling\r\n");
    let _waiting = conversation.services.figures.idling();
    let mut draining = pin!(conversation.session.draining());
    let notify = conversation.config.idle_notify_seconds;
    loop {
        if let Err(Ended) = conversation.tell(Say::Everything, None).await? {
            conversation.another_mailbox();
            conversation.session.stream.close().await?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        conversation.session.stream.flush().await?;
        let mailbox = conversation.selected().map(|selected| (selected.mailbox.clone(), selected.told()));
        let news = async move {
            match mailbox {
                Some((mailbox, told)) => match mailbox.state() {
                    Ok(_) => mailbox.changed(told).await.map(|_| ()),
                    // It could not be opened again just now.
                    Err(failure) if failure.code == StoreErrorCode::Stopped => {
                        time::sleep(TRY_AGAIN_AFTER).await;
                        Ok(())
                    }
                    Err(failure) => Err(failure),
                },
                None => std::future::pending().await,
            }
        };
        let keep_alive = async move {
            match notify {
                0 => std::future::pending().await,
                seconds => time::sleep(Duration::from_secs(seconds)).await,
            }
        };
        tokio::select! {
            biased;
            () = &mut draining => {
                conversation.bye("UNAVAILABLE", "Server is shutting down, try again later");
                conversation.session.stream.close().await?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            line = conversation.session.stream.read_line(MAX_DONE) => {
                return Ok(match line? {
                    Line::Good(line) if line.eq_ignore_ascii_case(b"DONE") => Completion::ok("Done idling").into(),
                    Line::Good(_) | Line::Bad(_) => {
                        // What the client takes for a command came while none was asked for: nothing more can be told apart.
                        conversation.bye("CLIENTBUG", "Expected DONE");
                        Answer { next: Next::Close, ..Answer::quiet(Completion::bad("Expected DONE")) }
                    }
                    Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
                });
            }
            news = news => {
                match news {
                    // Opened again, where the news are told.
                    Err(failure) if failure.code == StoreErrorCode::Stopped => continue,
                    news => news.map_err(|failure| lost(&failure))?,
                }
                if conversation.selected().is_some_and(|selected| selected.is_gone()) {
                    // Empty from now on; it is not another one.
                    let _ = conversation.tell(Say::Everything, None).await?;
                    conversation.bye("NONEXISTENT", "The mailbox has been deleted");
                    conversation.session.stream.close().await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            () = keep_alive => conversation.session.stream.queue(b"* OK Still here\r\n"),
        }
    }
}

/// A store that is away is looked for so often.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// `DONE`, and room for a client that errs.
const MAX_DONE: usize = 512;
