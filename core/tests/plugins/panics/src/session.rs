//! What a session does on demand. Every answer is one line.
//!
//! | line | what happens |
//! |---|---|
//! | `ECHO text` | says the text |
//! | `QUIT` | says `bye` and ends |
//! | `SERVE` | panics here: the session is over |
//! | `TASK` | a spawned task panics; says `survived: ...` |
//! | `BLOCKING` | blocking work panics; says `survived: ...` |
//! | `THREAD` | a thread of the plugin's own panics; says `survived: ...` |
//! | `TASKDROP` | a task is aborted whose future panics in its drop; says `survived: ...` |
//! | `POLL` | core gets a stream to upgrade that panics in each poll; says `survived: ...` |
//! | `OBJECTDROP` | core gets a stream to upgrade that panics when it is dropped; says `survived: ...` |
//! | `WAKE` | says `waiting`; the arrival of the next line wakes a waker that panics; the session goes on |
//! | `HOLD` | starts a task, blocking work and a thread, which end with the session; says `held` when they run |
//! | `FUTUREDROP` | says `hanging` and waits for ever; the session's future panics when core drops it |
//! | `ABORT`, `EXIT`, `DOUBLE`, `OVERFLOW`, `MEMORY` | the process ends; see [`beyond`] |
//! | `BLOCK` | says `blocking` and never gives its thread back |
//! | `READ path` | says the first line of the file |
//! | `LISTEN` | listens by itself on a port; says the port |
//! | `SIGNAL` | has the process sent a SIGTERM; says `sent` |
//!
//! `POLL` needs a listener with explicit TLS, else nobody polls the stream.

use crate::{
    beyond,
    bombs::{DropBomb, PollBomb, StreamDropBomb, WakeBomb},
    boom,
};
use dovetail_sdk::{
    line::{Line, LineStream},
    protocol::{Session, SessionFailure},
    task, Stream,
};
use std::{
    future::Future,
    pin::pin,
    sync::{mpsc, Arc},
    task::{Context, Waker},
};
use tokio::sync::Notify;

pub(crate) async fn serve(mut session: Session) -> Result<(), SessionFailure> {
    session.stream.queue(b"ready\r\n");
    let mut held = Vec::new();
    loop {
        let line = match session.stream.read_line(MAX_LINE).await? {
            Line::End => return Ok(()),
            Line::Bad(bad) => {
                say(&mut session, &bad.to_string());
                continue;
            }
            Line::Good(line) => String::from_utf8_lossy(&line).into_owned(),
        };
        match line.as_str() {
            "QUIT" => break,
            "SERVE" => boom("serve"),
            "TASK" => survived(&mut session, task::spawn(async { boom("task") }).await),
            "BLOCKING" => survived(&mut session, task::spawn_blocking(|| boom("blocking work")).await),
            "THREAD" => {
                let ended = task::thread("boom", || boom("thread"))?.join();
                survived(&mut session, ended.map_err(|_| "the thread panicked"));
            }
            "TASKDROP" => task_drop(&mut session).await,
            "POLL" => hand_over(&mut session, Stream::new(PollBomb)).await,
            "OBJECTDROP" => {
                hand_over(&mut session, Stream::new(StreamDropBomb(DropBomb("object drop")))).await;
            }
            "WAKE" => wake(&mut session).await?,
            "HOLD" => held.push(hold(&mut session).await?),
            "FUTUREDROP" => {
                let _bomb = DropBomb("future drop");
                say(&mut session, "hanging");
                session.stream.flush().await?;
                std::future::pending::<()>().await;
            }
            "ABORT" | "EXIT" | "DOUBLE" | "OVERFLOW" | "MEMORY" => beyond::end(&line),
            "BLOCK" => {
                say(&mut session, "blocking");
                session.stream.flush().await?;
                beyond::block();
            }
            "LISTEN" => say(&mut session, &beyond::listen()?.to_string()),
            "SIGNAL" => say(&mut session, &beyond::signal()?),
            other => match (other.strip_prefix("ECHO "), other.strip_prefix("READ ")) {
                (Some(text), _) => say(&mut session, text),
                (None, Some(path)) => say(&mut session, &beyond::read(path)),
                (None, None) => say(&mut session, "unknown"),
            },
        }
    }
    say(&mut session, "bye");
    session.stream.close().await?;
    Ok(())
}

fn say(session: &mut Session, text: &str) {
    session.stream.queue(text.as_bytes());
    session.stream.queue(b"\r\n");
}

/// Tells that the session outlived something that should have failed, and how it failed.
fn survived<T, E: std::fmt::Display>(session: &mut Session, outcome: Result<T, E>) {
    match outcome {
        Ok(_) => say(session, "there was no failure"),
        Err(error) => say(session, &format!("survived: {error}")),
    }
}

async fn task_drop(session: &mut Session) {
    let (begun, bomb) = (Arc::new(Notify::new()), DropBomb("task drop"));
    let tell = begun.clone();
    let task = task::spawn(async move {
        let _bomb = bomb;
        tell.notify_one();
        std::future::pending::<()>().await;
    });
    begun.notified().await;
    task.abort();
    survived(session, task.await);
}

/// Gives core a stream to upgrade instead of the session's own, which is kept.
async fn hand_over(session: &mut Session, bomb: Stream) {
    let own = std::mem::replace(&mut session.stream, LineStream::new(bomb));
    let outcome = session.start_tls(b"").await;
    session.stream = own;
    survived(session, outcome);
}

/// What runs until this is dropped.
struct Held {
    _threads: [mpsc::Sender<()>; 2],
    task: task::JoinHandle<()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hold(session: &mut Session) -> Result<Held, SessionFailure> {
    let begun = Arc::new(Notify::new());
    let until_dropped = || {
        let (end, ends) = mpsc::channel::<()>();
        let begun = begun.clone();
        let wait = move || {
            begun.notify_one();
            // An error is the end that is waited for.
            let _ = ends.recv();
        };
        (end, wait)
    };
    let (first, wait) = until_dropped();
    // It ends by itself.
    drop(task::spawn_blocking(wait));
    begun.notified().await;
    let (second, wait) = until_dropped();
    drop(task::thread("held", wait)?);
    begun.notified().await;
    let tell = begun.clone();
    let task = task::spawn(async move {
        tell.notify_one();
        std::future::pending::<()>().await;
    });
    begun.notified().await;
    say(session, "held");
    Ok(Held { _threads: [first, second], task })
}

/// Waits for input with a waker that panics.
async fn wake(session: &mut Session) -> Result<(), SessionFailure> {
    let woken = Arc::new(Notify::new());
    let waker = Waker::from(WakeBomb::new(woken.clone()));
    let polled = {
        let fill = pin!(session.stream.fill());
        fill.poll(&mut Context::from_waker(&waker))
    };
    // Only now, or the line could be there before the waker is.
    say(session, "waiting");
    session.stream.flush().await?;
    if polled.is_pending() {
        woken.notified().await;
    }
    Ok(())
}

const MAX_LINE: usize = 1000;
