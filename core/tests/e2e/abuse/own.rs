//! Limits of the core's own: requests and files of operators, open files.

use super::{assert_sound, greeted, server, server_with};
use crate::harness::{plugin_dir, run, run_ok, Client, Setup, BINARY, DEADLINE, MAIL_CONFIG, PASSWORD, USER};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    time::Instant,
};

#[test]
fn a_control_request_without_end_is_refused() {
    let server = server("");
    let path = server.setup.data_dir().join("run/control");
    let mut stream = UnixStream::connect(path).unwrap();
    let piece = vec![b'x'; 1 << 20];
    let sent = (0..64).take_while(|_| stream.write_all(&piece).is_ok()).count();
    // 32 MiB are read, and what the socket holds.
    assert!((32..40).contains(&sent), "{sent} MiB were taken");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(answer.contains("this is no request"), "{answer}");
    run_ok(server.dovetail().arg("status"));
    assert_sound(&server);
}

#[test]
fn files_and_secrets_of_operations() {
    let setup = Setup::mail_with(MAIL_CONFIG);
    let path = setup.dir.path().join("big");
    std::fs::write(&path, vec![b'x'; 4097]).unwrap();
    let (status, _, stderr) = run(setup.dovetail().args(["accounts", "password", USER, "--password-file"]).arg(&path));
    assert!(!status.success() && stderr.contains("is 4097 bytes long; 4096 is the limit"), "{stderr}");
    std::fs::File::create(&path).unwrap().set_len((8 << 20) + 1).unwrap();
    let (status, _, stderr) = run(setup.dovetail().args(["certs", "import", "--cert"]).arg(&path));
    assert!(!status.success() && stderr.contains("is 8388609 bytes long; 8388608 is the limit"), "{stderr}");
}

/// A mail server that a shell starts with other limits of open files.
fn with_open_files(limit: &str, options: &str) -> Setup {
    let config = MAIL_CONFIG
        .replace("tls: Explicit", &format!("tls: Explicit{options}"))
        .replace("data_dir: \"data\",", "data_dir: \"data\", drain_seconds: 0,");
    let Setup { dir, config, .. } = Setup::mail_with(&config);
    let run = format!("{limit} && exec \"$0\" \"$@\"");
    let plugins = plugin_dir().display().to_string();
    let words = ["sh", "-c", &run, BINARY, "--plugin-dir", &plugins];
    Setup::installed(dir, config, words.map(str::to_owned).into())
}

#[test]
fn the_limit_of_open_files_is_raised_as_far_as_it_goes() {
    let server = with_open_files("ulimit -Sn 300 && ulimit -Hn 1000", "").start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["1000", "1000"], "{line}");
}

#[test]
fn without_open_files_it_waits_and_goes_on() {
    let server = with_open_files("ulimit -n 200", ", max_connections_per_address: 5000").start();
    let address = server.address("smtp");
    let crowd: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
    server.wait_for_log("cannot accept now; raise the limit of open files");
    // Who is in is served.
    let mut first = Client::new(crowd[0].try_clone().unwrap());
    assert!(first.line().starts_with("220 "));
    first.expect("NOOP", "250 ");
    drop((first, crowd));
    let begun = Instant::now();
    while !server.connect("smtp").line().starts_with("220 ") {
        assert!(begun.elapsed() < DEADLINE, "{}", server.log());
    }
    server.leave(b"Subject: still here\r\n\r\n");
    assert_eq!(server.mailbox(USER, PASSWORD).len(), 1);
}

#[test]
fn the_window_of_failed_logins_passes() {
    let blocking = "login_blocking: (failures: 3, window_seconds: 1, delay_milliseconds: 0),";
    let server = server_with("", blocking);
    let mut first = greeted(&server, "pop3");
    let guess = |client: &mut Client| {
        client.expect(&format!("USER {USER}"), "+OK");
        client.expect("PASS guess", "-ERR");
    };
    guess(&mut first);
    guess(&mut first);
    let since = Instant::now();
    // What is waited for is the window itself; meanwhile the address is served.
    while since.elapsed().as_millis() < 1050 {
        greeted(&server, "smtp").expect("QUIT", "221 ");
    }
    let mut second = greeted(&server, "pop3");
    guess(&mut second);
    guess(&mut second);
    greeted(&server, "pop3").expect("QUIT", "+OK");
    guess(&mut second);
    assert!(server.connect("pop3").line().starts_with("-ERR [SYS/TEMP]"));
}
