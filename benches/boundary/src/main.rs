//! What crossing into a plugin costs: the same work through loaded plugins (`through`) and by direct calls of the same
//! source (`direct`). `cargo xtask bench boundary` runs this and makes the report.
//!
//!     boundary list             # the pieces of work, as WORK/WAY
//!     boundary run NAME COUNT   # one of them, COUNT times
//!     boundary facts            # Markdown: what the work is, and the allocations of a pending read (needs valgrind)
//!     boundary fill DIR COUNT   # makes so many certificates in a folder
//!     boundary certs DIR        # JSON: what the certificate store takes for this folder (a pair in it is replaced)
//!
//! `run` keeps to one thread and to memory, so that instructions can be counted: client and server are two tasks with a pipe
//! between them. `certs` takes the time instead, with two threads and the folder. Plugins are looked for beside this
//! program: `cargo build --release` makes them.
//!
//! **How it fails.** With one line on standard error and exit code 1; nothing is measured then.

mod certs;
mod error;
mod facts;
mod fakes;
mod host;
mod work;

use error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("boundary: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["list"] => work::LISTED.iter().for_each(|name| println!("{name}")),
        ["run", name, count] => work::run(name, count.parse().map_err(|_| Error::Usage)?)?,
        ["fill", dir, count] => certs::fill(dir.as_ref(), count.parse().map_err(|_| Error::Usage)?)?,
        ["certs", dir] => println!("{}", certs::measure(dir.as_ref())?),
        ["facts"] => print!("{}", facts::markdown()?),
        _ => return Err(Error::Usage),
    }
    Ok(())
}
