//! The example plugins of `sdk/examples`, in a server as an operator would have it.

use crate::{
    harness::{run_ok, Client, Server, Setup, MAIL_CONFIG, PASSWORD, USER},
    mail::plain,
    policy::{greeted, messages, reload, setup},
};
use std::{fs, path::Path};

const SLOW: &str = "delay_seconds: 3600, retry_window_seconds: 7200";
const CHAIN: &str = "(instance: \"greylist\", stages: [Recipient])";

fn greylisting() -> Setup {
    setup(CHAIN, &format!("\"greylist\": (config: ({SLOW})), \"kv-sqlite\": (),"))
}

/// What RCPT says of a mail from a stranger.
fn stranger(server: &Server) -> (Client, String) {
    let mut client = greeted(server);
    client.expect("MAIL FROM:<ann@remote.test>", "250 ");
    let answer = client.ask("RCPT TO:<Bob@example.test>");
    (client, answer)
}

#[test]
fn a_greylist_lets_strangers_wait_and_remembers_them_after_kill_9() {
    let server = greylisting().start();
    let (_, answer) = stranger(&server);
    assert_eq!(answer, "451 4.7.1 Greylisted, please try again in 3600 seconds");
    let (_, answer) = stranger(&server);
    assert!(answer.starts_with("451 4.7.1 Greylisted, "), "{answer}");
    let shown = run_ok(server.dovetail().args(["kv", "list", "greylist"]));
    assert!(shown.contains("triplet 127.0.0.0/24 <ann@remote.test> <bob@example.test>"), "{shown}");

    // That it was tried outlives the server that saw it: it is no first try now.
    let setup = server.kill();
    let server = setup.start();
    reload(&server, SLOW, "delay_seconds: 0");
    let (mut client, answer) = stranger(&server);
    assert!(answer.starts_with("250 "), "{answer}\n{}", server.log());
    client.expect("DATA", "354 ");
    client.send("Subject: greylisted\r\n\r\nHello.\r\n.\r\n");
    assert!(client.line().starts_with("250 "));
    assert!(messages(&server, "INBOX")[0].contains("Subject: greylisted"));

    // And so is that it has come back.
    reload(&server, "delay_seconds: 0", SLOW);
    let server = server.kill().start();
    assert!(stranger(&server).1.starts_with("250 "));
    let mut client = greeted(&server);
    client.expect("MAIL FROM:<eve@remote.test>", "250 ");
    client.expect("RCPT TO:<bob@example.test>", "451 4.7.1 Greylisted, ");
}

#[test]
fn a_greylist_sees_one_mail_in_many_sessions_at_once() {
    let instances = format!("\"greylist\": (config: ({SLOW}, network_passes_after: 2)), \"kv-sqlite\": (),");
    let server = setup(CHAIN, &instances).start();
    let at_once = || -> Vec<String> {
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| stranger(&server).1)).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let answers = at_once();
    assert!(answers.iter().all(|answer| answer.starts_with("451 4.7.1 Greylisted, ")), "{answers:?}");
    reload(&server, SLOW, "delay_seconds: 0");
    let answers = at_once();
    assert!(answers.iter().all(|answer| answer.starts_with("250 ")), "{answers:?}");
    let shown = run_ok(server.dovetail().args(["kv", "get", "greylist", "network 127.0.0.0/24"]));
    assert!(shown.starts_with("1 returned, "), "{shown}");

    // The second mail that comes back makes the network known: a third need not come twice.
    let from = |sender: &str, expected: &str| {
        let mut client = greeted(&server);
        client.expect(&format!("MAIL FROM:<{sender}@remote.test>"), "250 ");
        client.expect("RCPT TO:<bob@example.test>", expected);
    };
    from("eve", "451 4.7.1 Greylisted, ");
    from("eve", "250 ");
    from("new", "250 ");
}

#[test]
fn a_greylist_lets_users_and_bounces_pass() {
    let server = greylisting().start();
    let mut client = greeted(&server);
    client.expect("MAIL FROM:<>", "250 ");
    client.expect("RCPT TO:<bob@example.test>", "250 ");
    let mut client = server.connect_tls("submissions");
    client.line();
    client.ehlo();
    client.expect(&format!("AUTH PLAIN {}", plain(USER, PASSWORD)), "235 ");
    client.expect(&format!("MAIL FROM:<{USER}>"), "250 ");
    client.expect("RCPT TO:<bob@example.test>", "250 ");
}

#[test]
fn a_greylist_without_room_leaves_it_to_on_error() {
    for (on_error, expected) in [("Accept", "250 "), ("Defer", "451 4.7.1 Not now")] {
        let chain = CHAIN.replace(']', &format!("], on_error: {on_error}"));
        let instances = format!("\"greylist\": (config: ({SLOW})), \"kv-sqlite\": (config: (max_entries: 1)),");
        let server = setup(&chain, &instances).start();
        assert!(stranger(&server).1.starts_with("451 4.7.1 Greylisted, "));
        let mut client = greeted(&server);
        client.expect("MAIL FROM:<eve@remote.test>", "250 ");
        client.expect("RCPT TO:<bob@example.test>", expected);
        server.wait_for_line("the failure", |line| line.contains("the memory failed"));
    }
}

/// A server with an LMTP listener.
fn with_lmtp() -> Setup {
    let setup = setup("", "\"lmtp\": (),");
    let config = fs::read_to_string(&setup.config).unwrap();
    let listener = "listeners: {\n        \"lmtp\": (protocol: \"lmtp\", bind: [\"127.0.0.1:0\"]),";
    fs::write(&setup.config, config.replace("listeners: {", listener)).unwrap();
    setup
}

fn lhlo(server: &Server) -> Client {
    let mut client = server.connect("lmtp");
    assert_eq!(client.line(), "220 mail.example.test LMTP Dovetail");
    client.send("LHLO front.example.test\r\n");
    let extensions = client.reply();
    assert!(extensions.iter().any(|line| line == "250-PIPELINING"), "{extensions:?}");
    client
}

#[test]
fn lmtp_answers_for_each_recipient_and_what_it_took_survives_kill_9() {
    let server = with_lmtp().start();
    let mut client = lhlo(&server);
    client.send(format!(
        "MAIL FROM:<x@remote.test>\r\nRCPT TO:<{USER}>\r\nRCPT TO:<eve@elsewhere.test>\r\nRCPT TO:<{USER}>\r\n\
         RCPT TO:<bob@example.test>\r\nDATA\r\n"
    ));
    for expected in ["250 2.1.0 ", "250 2.1.5 ", "550 5.7.1 ", "250 2.1.5 ", "250 2.1.5 ", "354 "] {
        let line = client.line();
        assert!(line.starts_with(expected), "{line} is not {expected}");
    }
    client.send("Subject: by LMTP\r\n\r\n..dots\r\n.\r\n");
    for recipient in [USER, USER, "bob@example.test"] {
        let line = client.line();
        assert!(line.starts_with("250 2.") && line.contains(&format!("<{recipient}>")), "{line}");
    }
    let server = server.kill().start();
    // Three names, one account: it gets the message once.
    let [message] = &messages(&server, "INBOX")[..] else { panic!("not one message") };
    assert!(message.starts_with("Return-Path: <x@remote.test>\r\nReceived: from front.example.test ([127.0.0.1])"));
    assert!(message.ends_with("Subject: by LMTP\r\n\r\n.dots\r\n"), "{message}");
}

#[test]
fn lmtp_is_no_smtp_and_relays_nothing() {
    let server = with_lmtp().start();
    let mut client = server.connect("lmtp");
    client.line();
    client.expect("EHLO front.example.test", "500 5.5.1 ");
    let mut client = lhlo(&server);
    client.expect(&format!("MAIL FROM:<{USER}>"), "250 ");
    client.expect("RCPT TO:<eve@elsewhere.test>", "550 5.7.1 ");
    client.expect("DATA", "503 5.5.1 ");
    client.expect("QUIT", "221 ");
    assert!(client.rest().is_empty());
}

/// A page of the book, and the sources of what it is about.
fn page(example: &str) -> (String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join(format!("docs/src/plugins/examples-{example}.md"))).unwrap();
    let folder = root.join("sdk/examples").join(example);
    let mut sources = String::new();
    let mut folders = vec![folder.join("src"), folder.join("dialogues")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => sources.push_str(&fs::read_to_string(path).unwrap()),
            }
        }
    }
    (page, sources)
}

/// The blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let blocks: Vec<&str> = page.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "no {language} on the page");
    blocks
}

#[test]
fn the_pages_show_the_code_that_is_compiled() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for example in ["greylist", "lmtp"] {
        let (page, sources) = page(example);
        let sources = words(&sources);
        for block in blocks(&page, "rust") {
            assert!(sources.contains(&words(block)), "{example} has no\n{block}");
        }
        if example == "lmtp" {
            for line in blocks(&page, "text").into_iter().flat_map(str::lines) {
                assert!(sources.contains(line), "no dialogue has\n{line}");
            }
        }
    }
}

#[test]
fn the_configurations_of_the_pages_are_good() {
    let (greylist, lmtp) = (page("greylist").0, page("lmtp").0);
    let [instances] = blocks(&greylist, "ron")[..] else { panic!("one block of RON is expected") };
    let [instance, listener] = blocks(&lmtp, "ron")[..] else { panic!("two blocks of RON are expected") };
    let mx = "\"mx\": (plugin: \"smtp\", config: (role: Mx)),";
    let config = MAIL_CONFIG.replace(mx, &format!("{instances}{instance}"));
    let config = config.replace("listeners: {", &format!("listeners: {{{listener}"));
    assert!(config.contains("greylist") && config.contains("127.0.0.1:24"), "{config}");
    let setup = Setup::new(&config);
    run_ok(setup.dovetail().arg("check"));
}
