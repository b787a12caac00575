//! The `dovetail` binary: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    dovetail::cli::run()
}
