//! Plays the dialogues in `core/tests/dialogues/imap`, one file a command, each on an account of its own.
//!
//! A file's first line says where the dialogue begins: `# begins: greeting` (in the clear, TLS offered), `# begins: login`
//! (the greeting heard, passwords taken), `# begins: authenticated` or `# begins: selected` (INBOX, empty).

use crate::harness::{Server, Setup, PASSWORD};
use dovetail_testkit::Script;
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::net::TcpStream;

/// One test a file.
macro_rules! dialogues {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                play(stringify!($name).trim_start_matches("r#"));
            }
        )*

        #[test]
        fn every_file_has_a_test() {
            let known = [$(stringify!($name).trim_start_matches("r#")),*];
            let files = std::fs::read_dir(folder()).unwrap();
            for file in files.map(|file| file.unwrap().path()) {
                let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
                assert!(known.contains(&stem.as_str()), "{} is not played", file.display());
            }
        }
    };
}

dialogues! {
    append
    authenticate
    capability
    close
    copy
    create
    delete
    enable
    errors
    examine
    expunge
    fetch
    fetch_binary
    fetch_odd
    fetch_parts
    id
    idle
    list
    list_extended
    literals
    literals_misplaced
    login
    login_failures
    logout
    lsub
    r#move
    names
    namespace
    noop
    pipelining
    rename
    search
    search_return
    select
    starttls
    status
    store
    subscribe
    uid
    uid_expunge
    unselect
    unsubscribe
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dialogues/imap"))
}

/// One server for those that play at the same time; the last one out ends it.
fn server() -> Arc<Server> {
    static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    server.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Setup::mail_with(CONFIG).start());
        *server = Arc::downgrade(&started);
        started
    })
}

fn play(name: &str) {
    let path = folder().join(format!("{name}.dialogue"));
    let text = std::fs::read_to_string(&path).unwrap();
    let server = server();
    let account = format!("{}@example.test", name.replace('_', "-"));
    {
        // The command line's: one at a time.
        static ACCOUNTS: Mutex<()> = Mutex::new(());
        let _one = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
        server.setup.add_account(&account, PASSWORD);
    }
    let begins = text.lines().next().and_then(|line| line.strip_prefix("# begins: ")).unwrap_or("nowhere");
    let greeting = "S: * OK [CAPABILITY *] Dovetail IMAP ready\n";
    let login = format!("{greeting}C: in LOGIN {account} \"{PASSWORD}\"\nS: in OK *\n");
    let (listener, preamble) = match begins {
        "greeting" => ("imap", String::new()),
        "login" => ("plain", greeting.to_owned()),
        "authenticated" => ("plain", login),
        "selected" => ("plain", format!("{login}C: go SELECT INBOX\nS: ...\nS: go OK *\n")),
        other => panic!("{}: `# begins: {other}`", path.display()),
    };
    // The preamble stands in the first line's place, so that a failure names the line of the file.
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest).replace("{account}", &account);
    let lines = preamble.lines().count();
    let script = Script::parse(&format!("{name}.dialogue (with {lines} lines before)"), &format!("{preamble}\n{rest}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let played = runtime.block_on(async {
        let mut stream = TcpStream::connect(server.address(listener)).await.unwrap();
        script?.play(&mut stream).await
    });
    played.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
}

const CONFIG: &str = r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    login_blocking: (delay_milliseconds: 0, failures: 1000),
    plugins: {
        "tls-rustls": (),
        "cert-store": (config: (create_missing: true)),
        "accounts-file": (config: (domains: ["example.test"])),
        "store-sqlite": (),
        "imap": (),
    },
    listeners: {
        "imap": (protocol: "imap", bind: ["127.0.0.1:0"], tls: Explicit, max_connections_per_address: 1000),
        "plain": (protocol: "imap", bind: ["127.0.0.1:0"], insecure_auth: true, max_connections_per_address: 1000),
    },
)"#;
