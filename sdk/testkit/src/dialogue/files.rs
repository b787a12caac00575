//! Scripts in folders, such as `tests/dialogues/01-greeting/`.

use super::{DialogueError, Peer, Script};
use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
};

/// Plays the script of one file.
///
/// # Errors
/// See [`DialogueError`].
pub async fn run_file<S: Peer>(path: impl AsRef<Path>, stream: &mut S) -> Result<(), DialogueError> {
    Script::read(path)?.play(stream).await
}

/// Plays every `*.dialogue` of a folder in the order of their names, each on a connection of its own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # std::fs::write(folder.path().join("hello.dialogue"), "S: hello\nS!")?;
/// # let folder = folder.path();
/// dovetail_testkit::run_dir(folder, |_script| async {
///     let (client, mut server) = tokio::io::duplex(64);
///     tokio::io::AsyncWriteExt::write_all(&mut server, b"hello\r\n").await?;
///     Ok(client)
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first that a script gives; [`DialogueError::NoScript`] if there is none to play.
pub async fn run_dir<S, F>(folder: impl AsRef<Path>, mut connect: impl FnMut(&Path) -> F) -> Result<(), DialogueError>
where
    S: Peer,
    F: Future<Output = io::Result<S>>,
{
    let folder = folder.as_ref();
    let scripts = scripts(folder).map_err(|source| DialogueError::Read { path: folder.to_owned(), source })?;
    if scripts.is_empty() {
        return Err(DialogueError::NoScript { path: folder.to_owned() });
    }
    for path in scripts {
        let script = Script::read(&path)?;
        let connected = connect(&path).await;
        let mut stream = connected.map_err(|source| script.io(0, "connecting", source))?;
        script.play(&mut stream).await?;
    }
    Ok(())
}

fn scripts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "dialogue") {
            scripts.push(path);
        }
    }
    scripts.sort();
    Ok(scripts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{duplex, AsyncWriteExt, DuplexStream};

    async fn greeted(_: PathBuf) -> io::Result<DuplexStream> {
        let (client, mut server) = duplex(64);
        server.write_all(b"hello\r\n").await?;
        Ok(client)
    }

    #[tokio::test]
    async fn every_script_is_played_and_the_first_failure_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("notes.txt", "S: not a script");
        let run = || run_dir(folder.path(), |path| greeted(path.to_owned()));
        assert!(matches!(run().await, Err(DialogueError::NoScript { .. })));
        write("1.dialogue", "S: hello\nS!");
        run().await.unwrap();
        write("2.dialogue", "\nS: goodbye");
        let error = run().await.unwrap_err().to_string();
        assert!(error.contains("2.dialogue:2: the server said something else"), "{error}");
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_and_a_server_that_is_not_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let error = run_dir(folder.path().join("none"), |path| greeted(path.to_owned())).await.unwrap_err();
        assert!(matches!(error, DialogueError::Read { .. }));
        std::fs::write(folder.path().join("1.dialogue"), "S: hello").unwrap();
        let refused = |_: &Path| async { Err::<DuplexStream, _>(io::ErrorKind::ConnectionRefused.into()) };
        let error = run_dir(folder.path(), refused).await.unwrap_err().to_string();
        assert!(error.contains("connecting"), "{error}");
    }
}
