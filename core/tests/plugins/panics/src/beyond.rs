//! What no boundary contains, on the demand of a session: ways to end the process, to hold one of its threads, and to use
//! its rights. The book's page on trust says so; each line here is one of its items.

use std::{
    hint::black_box,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    process::{self, Command},
    thread,
    time::Duration,
};

/// Ends the process in this way, or gives back that there is none of that name.
pub(crate) fn end(how: &str) {
    match how {
        "ABORT" => process::abort(),
        "EXIT" => process::exit(7),
        "DOUBLE" => {
            let _second = PanicsWhileUnwinding;
            crate::boom("serve")
        }
        "OVERFLOW" => {
            black_box(deeper(1));
        }
        "MEMORY" => {
            black_box(Vec::<u8>::with_capacity(black_box(isize::MAX.unsigned_abs())));
        }
        _ => {}
    }
}

struct PanicsWhileUnwinding;

impl Drop for PanicsWhileUnwinding {
    fn drop(&mut self) {
        crate::boom("a drop while unwinding")
    }
}

/// Calls itself until the stack is used up.
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 128]);
    match black_box(depth) {
        0 => 0,
        _ => deeper(depth + 1) + frame[127],
    }
}

/// Never gives the thread back.
pub(crate) fn block() -> ! {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// The first line of any file that the process may read.
pub(crate) fn read(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| error.to_string());
    text.lines().next().unwrap_or_default().to_owned()
}

/// Listens by itself, past the server's limits; the first client is told so.
pub(crate) fn listen() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::Builder::new().spawn(move || {
        if let Ok((mut client, _)) = listener.accept() {
            // A client that has gone needs no answer.
            let _ = client.write_all(b"unseen\r\n");
        }
    })?;
    Ok(port)
}

/// Runs a program that sends the process a signal; what it says.
pub(crate) fn signal() -> std::io::Result<String> {
    let told = Command::new("sh").args(["-c", "kill -TERM $PPID && echo sent"]).output()?;
    let mut said = String::new();
    BufReader::new(told.stdout.as_slice()).read_line(&mut said)?;
    Ok(said.trim_end().to_owned())
}
