//! A client's octets, cut into packets in any way, are the same commands.

use super::*;
use crate::testing::packets;
use proptest::prelude::*;

/// All that these packets are taken for, and what was written meanwhile.
fn inputs(cut: Vec<Vec<u8>>, max: usize) -> (Vec<String>, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut stream, written) = packets(cut);
    let seen = runtime.block_on(async {
        let seen = read_all(&mut stream, max).await;
        stream.flush().await.unwrap();
        seen
    });
    let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    (seen, written)
}

/// Reads to the end of the connection, as a conversation would.
async fn read_all(stream: &mut LineStream, max: usize) -> Vec<String> {
    let mut limits = Limits::default();
    limits.command = max;
    let mut seen = Vec::new();
    loop {
        let line = match stream.read_line(max).await.unwrap() {
            Line::Good(line) => line,
            Line::Bad(bad) => {
                seen.push(format!("bad line: {bad:?}"));
                continue;
            }
            Line::End => return seen,
        };
        let input = rest_of_command(stream, line, &limits).await.unwrap();
        let (text, goes_on) = match input {
            Input::Command(command) => (String::from_utf8_lossy(&command).into_owned(), true),
            Input::Append(head) => {
                let whole = discard(stream, head.message.size).await.unwrap();
                (format!("append of {} octets, whole: {whole}", head.message.size), whole)
            }
            Input::NotUnderstood(error) => (format!("not understood: {error}"), true),
            Input::Bad(bad) => (format!("bad: {bad:?}"), true),
            Input::TooLarge(command) => (format!("too large: {}", String::from_utf8_lossy(&command)), true),
            Input::Misplaced(error) => (format!("misplaced: {error:?}"), false),
            Input::Flood => ("flood".to_owned(), false),
            Input::End => ("end".to_owned(), false),
        };
        seen.push(text);
        if !goes_on {
            return seen;
        }
    }
}

fn read(text: &str) -> (Vec<String>, String) {
    inputs(vec![text.as_bytes().to_vec()], 100)
}

#[test]
fn literals_are_part_of_their_command() {
    let (seen, written) = read("a LOGIN {3}\r\nann {2}\r\npw\r\nb NOOP\r\n");
    assert_eq!(seen, ["a LOGIN {3}\r\nann {2}\r\npw", "b NOOP"]);
    assert_eq!(written, "+ Go on\r\n+ Go on\r\n");
    let (seen, written) = read("a SELECT {8+}\r\nb LOGOUT\r\nc NOOP\r\n");
    assert_eq!(seen, ["a SELECT {8+}\r\nb LOGOUT", "c NOOP"]);
    assert_eq!(written, "", "nobody waits for it");
    let (seen, _) = read("a SELECT {4+}\r\n{9}\n\r\nb NOOP\r\n");
    assert_eq!(seen, ["a SELECT {4+}\r\n{9}\n", "b NOOP"], "a mark within a literal is none");
}

#[test]
fn the_message_of_append_stays_on_the_stream() {
    let (seen, written) = read("a APPEND {1+}\r\nx (\\Seen) {5}\r\nhello\r\nb NOOP\r\n");
    assert_eq!(seen, ["append of 5 octets, whole: true", "", "b NOOP"]);
    assert_eq!(written, "", "whether it is wanted has not been judged yet");
    let (seen, _) = read("a APPEND x (\\*) {8+}\r\nb LOGOUT\r\nc NOOP\r\n");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].starts_with("not understood: "), "{seen:?}");
    assert_eq!(seen[1], "c NOOP");
}

#[test]
fn what_is_too_large_is_thrown_away_if_it_comes() {
    let (seen, written) = read("a SELECT {101}\r\nb NOOP\r\n");
    assert_eq!(seen, ["too large: a SELECT {101}", "b NOOP"]);
    assert_eq!(written, "", "nothing has been asked for");
    let literal = "x LOGOUT\r\n".repeat(20);
    let (seen, _) = read(&format!("a SELECT {{200+}}\r\n{literal} {{10+}}\r\ny LOGOUT\r\n\r\nb NOOP\r\n"));
    assert_eq!(seen, ["too large: a SELECT {200+}", "b NOOP"]);
    let (seen, _) = read(&format!("a SELECT {{{}+}}\r\nb NOOP\r\n", MAX_DISCARD + 1));
    assert_eq!(seen, ["flood"]);
}

#[test]
fn where_no_literal_can_be_nothing_more_is_read() {
    let (seen, _) = read("a SELECT \"x {8+}\r\nb LOGOUT\r\n");
    assert_eq!(seen, ["misplaced: Misplaced"]);
    let (seen, _) = read("a SELECT \"x {8}\r\nb LOGOUT\r\n");
    assert_eq!(seen, ["a SELECT \"x {8}", "b LOGOUT"], "who waits gets an answer instead");
}

#[test]
fn a_client_that_is_gone_has_said_nothing() {
    for cut in ["a SELECT {5+}\r\nINB", "a SELECT {5+}\r\n", "a SELECT {5+}\r\nINBOX", "a SELECT {101+}\r\nINBOX"] {
        assert_eq!(read(cut).0.len(), 1, "{cut}");
        assert!(matches!(read(cut).0[0].as_str(), "end" | "flood"), "{cut}: {:?}", read(cut));
    }
    assert!(read("a NOOP").0.is_empty());
}

/// What clients say, and what they should not.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "a NOOP\r\n",
        "b SELECT {5}\r\nINBOX\r\n",
        "c SELECT {5+}\r\nINBOX\r\n",
        "d LOGIN {3+}\r\na\r\n {1}\r\nb\r\n",
        "e APPEND x {7+}\r\nhe\r\n\r\no\r\n",
        "f APPEND {1}\r\nx () {2}\r\nhi\r\n",
        "g APPEND x (\\*) {4+}\r\nhi\r\n\r\n",
        "h SELECT {60+}\r\nx NOOP {5+}\r\n",
        "i SELECT {60}\r\n",
        "j SELECT \"x {5+}\r\n",
        "k SELECT ~{2+}\r\nhi\r\n",
        "l SELECT {99999999+}\r\n",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
        "m \0\r\n",
        "n\r",
        "\n",
        " {",
        "+}",
    ];
    prop_oneof![
        8 => prop::sample::select(known.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ]
}

proptest! {
    #[test]
    fn packets_make_no_difference(
        fragments in prop::collection::vec(fragment(), 0..12),
        cuts in prop::collection::vec(1usize..30, 1..40),
    ) {
        let whole = fragments.concat();
        let mut rest = whole.as_slice();
        let mut cut = Vec::new();
        for size in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (packet, more) = rest.split_at((*size).min(rest.len()));
            cut.push(packet.to_vec());
            rest = more;
        }
        let single = whole.iter().map(|octet| vec![*octet]).collect();
        let expected = inputs(vec![whole.clone()], 50);
        prop_assert_eq!(&inputs(cut, 50), &expected);
        prop_assert_eq!(&inputs(single, 50), &expected);
    }
}
