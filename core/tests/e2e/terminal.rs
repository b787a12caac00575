//! Programs at a terminal: `script` gives them one, and the test sits in front of it.

use crate::harness::{have, DEADLINE};
use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Instant,
};

/// A program at a terminal.
pub struct Terminal {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Arc<Screen>,
    /// So much of the screen has been looked at.
    seen: usize,
}

#[derive(Default)]
struct Screen {
    text: Mutex<(Vec<u8>, bool)>,
    news: Condvar,
}

/// Whether there can be one here.
pub fn possible() -> bool {
    have("script")
}

impl Terminal {
    /// Starts a program at a terminal of its own; its standard output goes there too, or into a file.
    pub fn run(command: &Command, output: Option<&Path>) -> Terminal {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let mut line: Vec<String> = words.map(|word| quoted(word.to_str().unwrap())).collect();
        if let Some(output) = output {
            line.push(format!(">{}", quoted(output.to_str().unwrap())));
        }
        // Who starts the tests in the background of a shell has Ctrl-C ignored in all that comes of them.
        let mut script = Command::new("env");
        script
            .args(["--default-signal=INT,QUIT", "script", "-q", "-e", "-f", "-c", &line.join(" "), "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("TERM", "dumb");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut shown, screen) = (child.stdout.take().unwrap(), Arc::new(Screen::default()));
        let sink = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = shown.read(&mut buffer) {
                sink.text.lock().unwrap().0.extend_from_slice(&buffer[..length]);
                sink.news.notify_all();
            }
            sink.text.lock().unwrap().1 = true;
            sink.news.notify_all();
        });
        Terminal { keyboard: child.stdin.take(), child, screen, seen: 0 }
    }

    /// Waits until this comes up on the screen, behind what was waited for before; gives what is between. Both without line
    /// ends, since long lines are broken where they happen to end.
    #[track_caller]
    pub fn expect(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        let mut text = self.screen.text.lock().unwrap();
        loop {
            let shown = one_line(&text.0);
            if let Some((before, _)) = shown[self.seen..].split_once(wanted) {
                let before = before.to_owned();
                self.seen += before.len() + wanted.len();
                return before;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!text.1 && !left.is_zero(), "no {wanted:?} comes after {:?} in:\n{shown}", &shown[..self.seen]);
            text = self.screen.news.wait_timeout(text, left).unwrap().0;
        }
    }

    /// Types bytes.
    pub fn press(&mut self, bytes: &str) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(bytes.as_bytes()).and_then(|()| keyboard.flush()).unwrap();
    }

    /// Waits for a prompt and answers it.
    #[track_caller]
    pub fn answer(&mut self, prompt: &str, line: &str) {
        self.expect(prompt);
        self.press(&format!("{line}\n"));
    }

    /// Waits for the program's end; gives its status and the whole screen.
    #[track_caller]
    pub fn end(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + DEADLINE;
        let mut text = self.screen.text.lock().unwrap();
        while !text.1 {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", String::from_utf8_lossy(&text.0));
            text = self.screen.news.wait_timeout(text, left).unwrap().0;
        }
        let shown = String::from_utf8_lossy(&text.0).into_owned();
        drop(text);
        (self.child.wait().unwrap(), shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is on a screen, with one space between words.
fn one_line(bytes: &[u8]) -> String {
    let mut line = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c.is_whitespace() {
            true if line.ends_with(' ') => {}
            true => line.push(' '),
            false => line.push(c),
        }
    }
    line
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
