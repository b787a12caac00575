//! The real ports without privileges: as a fresh user who has CAP_NET_BIND_SERVICE and nothing else, set up by `init`, and
//! used with the settings of the book's page for clients.

use super::{is_root, owner_and_mode, with_password, Root, ADDRESS, DOMAIN, HOST, PASSWORD};
use crate::harness::{have, have_by, run_ok, Server, Setup};
use std::{fs, path::Path, process::Command};

/// A user that nobody else is.
fn fresh_user() -> u32 {
    60_000_000 + std::process::id() % 1_000_000
}

/// A loopback address for this test process alone, so that its port 25 is free.
fn own_address() -> String {
    let id = std::process::id();
    format!("127.{}.{}.{}", 7 + id / 65_536 % 200, id / 256 % 256, 1 + id % 254)
}

/// The words that make a root's command an unprivileged one that may bind low ports, as the unit does.
pub fn unprivileged(uid: u32, program: &Path) -> Vec<String> {
    let id = uid.to_string();
    let words = ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--no-new-privs"];
    let caps = ["--inh-caps", "-all,+net_bind_service", "--ambient-caps", "-all,+net_bind_service"];
    let bounding = ["--bounding-set", "-all,+net_bind_service"];
    let all = words.into_iter().chain(caps).chain(bounding).map(str::to_owned);
    all.chain([program.to_str().unwrap().to_owned()]).collect()
}

#[test]
fn an_unprivileged_user_serves_the_real_ports_to_clients_set_up_by_the_book() {
    if !is_root() || !have("setpriv") || !have("curl") || !have_by("swaks with Net::SSLeay", SWAKS) {
        return;
    }
    let (root, uid, ip) = (Root::new(), fresh_user(), own_address());
    let user = uid.to_string();
    with_password(root.init(&["--user", &user, "--address", ADDRESS, "--password-stdin", "--listen", &ip]));
    assert_eq!(owner_and_mode(&root.config()), (0, uid, 0o640));
    assert_eq!(owner_and_mode(&root.path("data")), (uid, uid, 0o700));
    for file in ["data/accounts.ron", &format!("data/certs/{HOST}.key")] {
        assert_eq!(owner_and_mode(&root.path(file)), (uid, uid, 0o600), "{file}");
    }

    let program = unprivileged(uid, &root.path("bin/dovetail"));
    let config = root.config();
    let server = Setup::installed(root.dir, config, program).start();
    let listeners: Vec<(&str, u16)> = vec![
        ("smtp", 25),
        ("submission", 587),
        ("submissions", 465),
        ("imap", 143),
        ("imaps", 993),
        ("pop3", 110),
        ("pop3s", 995),
    ];
    for (listener, port) in listeners {
        assert_eq!(server.address(listener).to_string(), format!("{ip}:{port}"));
    }
    assert_unprivileged(&server, uid);

    // Mail from another server, and by each way that the book gives for sending.
    let from_outside = ["--server", &ip, "--port", "25", "--helo", "mx.other.test", "--from", "bob@other.test"];
    run_ok(Command::new("swaks").args(from_outside).args(["--to", "postmaster@example.test", "--tls"]));
    run_ok(Command::new("swaks").args(from_outside).args(["--to", "postmaster", "--tls"]));
    let rows = settings();
    for row in rows.iter().filter(|row| row.protocol == "SMTP") {
        send(&server, &ip, row);
    }
    let sent = 2 + rows.iter().filter(|row| row.protocol == "SMTP").count();
    for row in rows.iter().filter(|row| row.protocol != "SMTP") {
        let mail = fetch(&server, &ip, row);
        assert!(mail.contains("Subject: hello from the book"), "{row:?}: {mail}");
    }
    assert_eq!((sent, rows.len()), (4, 6), "{rows:?}");
    assert!(server.setup.dir.path().join("data/store").exists());
    server.stop();
}

const SWAKS: &str = "command -v swaks && perl -MNet::SSLeay -e1";

/// The process is that user's, with one capability, and can gain no other.
#[track_caller]
fn assert_unprivileged(server: &Server, uid: u32) {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{status}"));
        line.trim_start_matches(':').split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    const NET_BIND_SERVICE: &str = "0000000000000400";
    assert_eq!(field("Uid"), vec![uid.to_string(); 4]);
    assert_eq!(field("Groups"), Vec::<String>::new());
    for set in ["CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(set), [NET_BIND_SERVICE], "{set}");
    }
    assert_eq!(field("NoNewPrivs"), ["1"]);
}

/// A row of the book's table.
#[derive(Debug)]
struct Setting {
    protocol: String,
    port: u16,
    implicit: bool,
}

/// What the book tells people to type into their clients.
fn settings() -> Vec<Setting> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/clients.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains("`mail.example.org`"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, protocol, server, port, security, user] = cells.as_slice() else { panic!("{row}") };
        assert_eq!((*server, *user), ("`mail.example.org`", "`you@example.org`"), "{row}");
        let implicit = match *security {
            "SSL/TLS" => true,
            "STARTTLS" => false,
            other => panic!("{other}"),
        };
        Setting { protocol: (*protocol).to_owned(), port: port.parse().unwrap(), implicit }
    })
    .collect()
}

/// curl as a client with these settings: TLS or nothing, the certificate checked.
fn curl(server: &Server, ip: &str, row: &Setting, path: &str) -> Command {
    let secure = if row.implicit { "s" } else { "" };
    let (scheme, port) = (format!("{}{secure}", row.protocol.to_lowercase()), row.port);
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--ssl-reqd", "--max-time", "60", "--cacert"])
        .arg(server.setup.dir.path().join(format!("data/certs/{HOST}.crt")))
        .args(["--resolve", &format!("{HOST}:{port}:{ip}"), "--user", &format!("{ADDRESS}:{PASSWORD}")])
        .args(["--url", &format!("{scheme}://{HOST}:{port}/{path}")]);
    command
}

fn send(server: &Server, ip: &str, row: &Setting) {
    let file = server.setup.dir.path().join("message");
    fs::write(&file, format!("From: {ADDRESS}\r\nSubject: hello from the book\r\n\r\nIt works.\r\n")).unwrap();
    let mut command = curl(server, ip, row, DOMAIN);
    run_ok(command.args(["--mail-from", ADDRESS, "--mail-rcpt", ADDRESS, "--upload-file"]).arg(&file));
}

fn fetch(server: &Server, ip: &str, row: &Setting) -> String {
    match row.protocol.as_str() {
        "POP3" => run_ok(&mut curl(server, ip, row, "3")),
        "IMAP" => run_ok(&mut curl(server, ip, row, "INBOX;MAILINDEX=3")),
        other => panic!("{other}"),
    }
}
