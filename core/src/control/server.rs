//! The server's end of the control socket.

use super::{
    address::short,
    explain::explain,
    message::{Answer, Call, Refusal, Request, Running, MAX_REQUEST, VERSION},
    status::{Blocked, SessionList},
    Status,
};
use crate::{plugin::instance::Assembly, server::Server};
use dovetail_abi::{
    handle::Interface,
    operations_v1::{FieldValue, Operations, Progress, ProgressProvider, Report},
    CallFailure,
};
use std::{
    fs::{self, Permissions},
    io,
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::mpsc,
    task::JoinSet,
};

/// A request must have come within this.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// A line of the answer must be taken within this.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// The bound socket.
pub struct ControlSocket {
    listener: UnixListener,
}

impl ControlSocket {
    /// Binds the socket; what an earlier server left there is removed (the data directory's lock is held).
    ///
    /// # Errors
    /// As the file system gives them.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (bindable, _open) = short(path)?;
        // The directory is 0700, so nobody else can connect before the mode is set.
        let listener = UnixListener::bind(bindable)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(ControlSocket { listener })
    }

    /// Answers for ever.
    pub async fn serve(&self, server: Arc<Server>) {
        // They end with this future, so that none keeps a stopping server.
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            match self.listener.accept().await {
                Ok((stream, _)) if is_allowed(&stream) => {
                    let server = server.clone();
                    connections.spawn(async move {
                        if let Err(error) = answer(stream, &server).await {
                            tracing::debug!(%error, "a control connection broke");
                        }
                    });
                }
                Ok(_) => tracing::warn!(
                    "a control connection of another user was refused; run commands as the server's user or as root"
                ),
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot accept now; raise the limit of open files if this stays");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

fn is_allowed(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == us)
}

async fn answer(mut stream: UnixStream, server: &Arc<Server>) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = Vec::new();
    let mut limited = BufReader::new(reader.take(MAX_REQUEST as u64));
    tokio::time::timeout(READ_LIMIT, limited.read_until(b'\n', &mut line)).await??;
    let last = match serde_json::from_slice::<Request>(&line) {
        Err(error) => Answer::Failed(format!("this is no request: {error}")),
        Ok(request) if request.version != VERSION => Answer::Failed(format!(
            "the server speaks control version {VERSION}, the command {}; use the `dovetail` of the running server",
            request.version
        )),
        Ok(request) => {
            let (steps, mut progress) = mpsc::unbounded_channel();
            let mut work = Box::pin(call(request.call, server, steps));
            loop {
                tokio::select! {
                    Some(step) = progress.recv() => write(&mut writer, &Answer::Step(step)).await?,
                    last = &mut work => break last,
                }
            }
        }
    };
    write(&mut writer, &last).await
}

async fn write(writer: &mut (impl AsyncWriteExt + Unpin), answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    tokio::time::timeout(WRITE_LIMIT, writer.write_all(&line)).await?
}

async fn call(call: Call, server: &Arc<Server>, steps: mpsc::UnboundedSender<String>) -> Answer {
    match call {
        Call::Status => Answer::Status(Box::new(Status::of(server))),
        Call::Sessions => Answer::Sessions(Box::new(SessionList::of(server))),
        Call::Blocked => Answer::Blocked(Box::new(Blocked::of(server, usize::MAX))),
        Call::Unblock { address } => Answer::Unblocked(unblock(server, address)),
        Call::Reload => match server.reload().await {
            Ok(report) => Answer::Report(Box::new(report.into())),
            Err(problems) => Answer::Failed(problems.to_string()),
        },
        Call::Restart { instance } => {
            tracing::info!(%instance, "operation restart");
            match server.restart_instance(&instance).await {
                Ok(generation) => Answer::Report(Box::new(
                    Report::line(format!("`{instance}` was started anew as generation {generation}")).into(),
                )),
                Err(message) => Answer::Failed(message),
            }
        }
        Call::Swap { id, file } => {
            tracing::info!(%id, file = file.as_ref().map(|file| tracing::field::display(file.display())), "operation swap");
            let swapped = match file {
                Some(file) => server.swap(&id, file).await,
                None => server.swap_back(&id).await,
            };
            match swapped {
                Ok(report) => Answer::Report(Box::new(report.into())),
                Err(problems) => Answer::Failed(problems.to_string()),
            }
        }
        Call::Shape => {
            Answer::Shape(Box::new(Running { shape: server.state().shape_now(), leaving: server.retiring().plugins() }))
        }
        Call::ExplainTls { listener, server_name } => match explain(server, &listener, server_name) {
            Ok(explanation) => Answer::ExplainTls(Box::new(explanation)),
            Err(message) => Answer::Failed(message),
        },
        Call::Operation { command, instance, operation, values } => {
            tracing::info!(%command, %operation, "operation");
            let values = values.into_iter().map(Into::into).collect();
            let _operating = server.operating().await;
            match run_operation(&server.assembly(), &command, instance.as_deref(), operation, values, steps).await {
                Ok(report) => Answer::Report(Box::new(report.into())),
                Err(refusal) if refusal.ask.is_empty() => Answer::Failed(refusal.message),
                Err(refusal) => Answer::Wanting(refusal),
            }
        }
    }
}

/// Lets an address in again; whether it was shut out. All listeners share one list.
fn unblock(server: &Server, address: IpAddr) -> bool {
    let guessers = server.listeners().first().map(|listener| listener.guessers.clone());
    let was_blocked = guessers.is_some_and(|guessers| guessers.forgive(address, Instant::now()));
    tracing::info!(%address, was_blocked, "operation unblock");
    was_blocked
}

/// Sends steps on.
struct Steps(mpsc::UnboundedSender<String>);

impl ProgressProvider for Steps {
    fn step(&self, text: String) -> Result<(), CallFailure> {
        self.0.send(text).map_err(|_| CallFailure::Unavailable)
    }
}

/// Runs an operation of an instance.
///
/// # Errors
/// What the operation says, or why there is none.
pub async fn run_operation(
    assembly: &Assembly,
    command: &str,
    instance: Option<&str>,
    operation: String,
    values: Vec<FieldValue>,
    steps: mpsc::UnboundedSender<String>,
) -> Result<Report, Refusal> {
    let instance = instance_for(assembly, command, instance)?;
    let operations: Operations = assembly.service(&instance)?;
    let done = operations.run(operation, values, Progress::new(Steps(steps))).await;
    done.map_err(|failure| Refusal { message: failure.message, ask: failure.ask })
}

/// The instance that offers a command's operations.
///
/// # Errors
/// None, or several.
fn instance_for(assembly: &Assembly, command: &str, wanted: Option<&str>) -> Result<String, String> {
    let mut offering = assembly.members.iter().filter(|member| {
        member.library.manifest.command.as_deref() == Some(command)
            && member.library.manifest.provides.iter().any(|id| id == Operations::ID)
            && wanted.is_none_or(|wanted| wanted == member.config.instance)
    });
    match (offering.next(), offering.next()) {
        (Some(member), None) => Ok(member.config.instance.clone()),
        (Some(first), Some(second)) => Err(format!(
            "`{}` and `{}` both offer `{command}` (choose with --instance)",
            first.config.instance, second.config.instance
        )),
        (None, _) => Err(format!("no plugin instance of this server offers `{command}` (add it to `plugins`)")),
    }
}
