//! The tutorial of the book, followed word by word: its files are written, its commands run, its dialogues played.
//!
//! A block of code is a file if the line before it ends in "becomes:"; text that replaces another if that says "instead of"; one of
//! `toml` goes below `[dependencies]`; `sh` is run; `text` with `C:` is a dialogue with the server that the page has started.

use crate::{
    harness::run_ok,
    new_plugin::{target, top, BUILDING},
    other_rustc::clean,
};
use dovetail_testkit::Script;
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::PoisonError,
    time::{Duration, Instant},
};

/// The page's port.
const PORT: &str = "7777";
const PATIENCE: Duration = Duration::from_secs(30);

/// A block of code with the last line before it.
struct Block {
    before: String,
    language: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut before) = (Vec::new(), String::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { before: std::mem::take(&mut before), language: language.to_owned(), text });
        } else if !line.is_empty() {
            line.clone_into(&mut before);
        }
    }
    blocks
}

/// What stands between the first two backticks.
fn quoted(line: &str) -> &str {
    line.split('`').nth(1).unwrap_or_else(|| panic!("no `...` in {line:?}"))
}

/// Somebody who follows the page.
struct Reader {
    at: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Reader {
    fn follow(&mut self, block: &Block) {
        let text = block.text.replace(PORT, &self.port.to_string());
        match block.language.as_str() {
            "sh" => text.lines().for_each(|line| self.run(line)),
            "text" if !block.before.ends_with("becomes:") => self.talk(&text),
            "toml" => self.edit("Cargo.toml", "[dependencies]\n", &format!("[dependencies]\n{text}")),
            _ if block.before.ends_with("becomes:") => fs::write(self.at.join(quoted(&block.before)), text).unwrap(),
            _ => {
                let (file, rest) = block.before.split_once("instead of").unwrap_or_else(|| panic!("what is {text}"));
                self.edit(quoted(file), quoted(rest), text.trim_end());
            }
        }
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.at.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {file}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn run(&mut self, line: &str) {
        if let Some(folder) = line.strip_prefix("cd ") {
            self.at.push(folder);
            // The versions that are here, and what other tests have compiled.
            fs::copy(top().join("Cargo.lock"), self.at.join("Cargo.lock")).unwrap();
            fs::create_dir_all(target()).unwrap();
            symlink(target(), self.at.join("target")).unwrap();
            return;
        }
        let mut shell = Command::new("sh");
        clean(&mut shell).args(["-ec", &format!("exec {line}")]).current_dir(&self.at).env("CARGO_NET_OFFLINE", "true");
        shell.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_TEST_DEBUG", "0");
        if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
            shell.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        let ours = Path::new(env!("CARGO_BIN_EXE_dovetail")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", ours.display()));
        if line.contains(" serve ") {
            self.server = Some(shell.spawn().unwrap());
        } else {
            run_ok(&mut shell);
        }
    }

    /// Plays a dialogue, as soon as the server is there.
    fn talk(&self, text: &str) {
        let script = Script::parse("tutorial", text).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let started = Instant::now();
        runtime.block_on(async {
            let mut stream = loop {
                match tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await {
                    Ok(stream) => break stream,
                    Err(error) => assert!(started.elapsed() < PATIENCE, "no server: {error}"),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            script.play(&mut stream).await.unwrap();
        });
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It may have ended already; the test has said so then.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

#[test]
fn who_follows_it_gets_a_plugin() {
    let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::Builder::new().prefix("dovetail-e2e-").tempdir().unwrap();
    symlink(top(), dir.path().join("dovetail")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut reader = Reader { at: dir.path().to_owned(), port, server: None };
    let page = fs::read_to_string(top().join("docs/src/plugins/tutorial.md")).unwrap();
    let blocks = blocks(&page);
    assert!(blocks.len() > 10, "{}", blocks.len());
    blocks.iter().for_each(|block| reader.follow(block));
}
