//! mailbench: a load generator and loss checker for mail servers. See README.md.
mod args;
mod conn;
mod dialogue;
mod handshake;
mod idle;
mod imap;
mod misc;
mod msg;
mod net;
mod pop3;
mod procs;
mod smtp;
mod stats;
mod tls;
mod verify;

use args::Args;

const FLAGS: &[&str] = &[
    "resume",
    "polite",
    "pipelining",
    "lmtp",
    "retry",
    "rcpt-by-conn",
    "silent",
    "create",
    "dele",
    "top",
    "deep",
    "kill",
    "allow-remote",
];

const USAGE: &str = "mailbench SUBCOMMAND --port N [--host 127.0.0.1] [--tls none|implicit|starttls] [options]

subcommands
  handshake  --proto smtp|lmtp|imap|pop3|http|raw [--resume] [--polite]
  login      --proto imap|pop3|smtp --user U --password P       whole login sessions
  smtp       [--lmtp] [--size 8k|mix] [--pipelining] [--per-conn K] [--rcpt 'u{n}@bench.test'] [--users N]
             [--rcpt-by-conn] [--rcpts K] [--user U --password P] [--acks FILE] [--retry] [--drain DIR,DIR]
  imap       --user U --password P [--mailbox INBOX] [--mix flags=1,body=20,...] [--batch K] [--append-to BOX]
             [--search EXPR] [--silent]      ops: flags body header envelope store append search idle noop select status
  fill       --user 'u{n}' --password P --users N --messages M [--size 8k] [--mailbox BOX] [--create] [--batch 50]
  pop3       --user 'u{n}' --password P [--users N] [--pipeline K] [--dele] [--top] [--max-messages M]
  idle       --proto P --connections N --state connected|greeted|auth|selected|idle [--hold S] [--settle S] --pid/--proc
  verify     --acks FILE --proto imap|pop3 --password P [--login '{rcpt}'|'{local}'] [--deep] [--wait S]
  startup    --proto P --port N [--kill] -- command args...
  mem        --pid/--proc
  fsync      --dir D [--mode append|overwrite|newfile|maildir] [--size 8k] [--connections THREADS] [--duration S]

common
  --connections N  --duration S (after --warmup S, 1)  or --count N   --label TEXT   --threads N (client, 2)
  --pid P,P --proc NAME,NAME   the server: CPU per operation and memory, over whole process trees
  --ca FILE (default: no verification)  --sni NAME  --tls-version any|1.2|1.3  --kx x25519|p256|mlkem
  --users N --user-from K      {n} in --user/--rcpt runs over K..K+N
  --source-ips N               spread connections over 127.1.0.1 and following
  --timeout S";

fn main() {
    let argv: Vec<String> = std::env::args().skip(1).collect();
    let Some(cmd) = argv.first().cloned() else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let code = match go(&cmd, &argv[1..]) {
        Ok(()) => 0,
        Err(e) if e.is_empty() => 1,
        Err(e) => {
            eprintln!("mailbench {cmd}: {e}");
            2
        }
    };
    std::process::exit(code);
}

fn go(cmd: &str, argv: &[String]) -> Result<(), String> {
    let a = Args::parse(argv, FLAGS)?;
    match cmd {
        "fsync" => return misc::fsync(&a),
        "mem" => return misc::mem(&a),
        _ => {}
    }
    let threads: usize = a.num("threads", 2)?;
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    rt.block_on(async {
        match cmd {
            "handshake" => handshake::run(&a, false).await,
            "login" => handshake::run(&a, true).await,
            "smtp" => smtp::run(&a).await,
            "imap" => imap::run(&a).await,
            "fill" => imap::fill(&a).await,
            "pop3" => pop3::run(&a).await,
            "idle" => idle::run(&a).await,
            "verify" => verify::run(&a).await,
            "startup" => misc::startup(&a).await,
            "help" | "--help" | "-h" => {
                println!("{USAGE}");
                Ok(())
            }
            _ => Err(format!("unknown subcommand\n{USAGE}")),
        }
    })
}
