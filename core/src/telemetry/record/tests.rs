use super::*;
use proptest::prelude::*;

fn record() -> Record {
    Record {
        time: Some("2026-01-02T03:04:05.678Z".into()),
        level: "info".into(),
        plugin: "mx".into(),
        session: Some("0abc".into()),
        message: "message".into(),
        fields: vec![("delivery".into(), "0abc.1".into()), ("message_id".into(), "<a \"b\"\\\n@x>".into())],
    }
}

#[test]
fn every_form_of_a_record_is_read() {
    let text = record().text();
    assert_eq!(text, r#"2026-01-02T03:04:05.678Z info  mx 0abc: message delivery=0abc.1 message_id="<a \"b\"\\\n@x>""#);
    let json = serde_json::json!({
        "time": "2026-01-02T03:04:05.678Z", "level": "info", "plugin": "mx", "session": "0abc", "message": "message",
        "delivery": "0abc.1", "message_id": "<a \"b\"\\\n@x>"
    })
    .to_string();
    let bare = text.split_once(' ').unwrap().1.to_owned();
    let in_journal = |message: Value| {
        serde_json::json!({ "MESSAGE": message, "PRIORITY": "6", "__REALTIME_TIMESTAMP": "1767323045678000" })
            .to_string()
    };
    for line in [
        text.clone(),
        json.clone(),
        in_journal(bare.clone().into()),
        in_journal(json.into()),
        in_journal(bare.bytes().collect::<Vec<u8>>().into()),
    ] {
        assert_eq!(Record::parse(&line), Some(record()), "{line}");
    }
    let short = format!("Jan 02 03:04:05 host dovetail[12]: {bare}");
    assert_eq!(Record::parse(&short), Some(Record { time: None, ..record() }));
}

#[test]
fn a_text_may_look_like_values() {
    let parse = |line: &str| Record::parse(line).unwrap();
    let with_words = parse("warn  core: a=b is no value x=\"not closed c=d");
    assert_eq!(with_words.message, "a=b is no value x=\"not closed");
    assert_eq!(with_words.fields, [("c".to_owned(), "d".to_owned())]);
    assert_eq!(parse("info  core: stopped").session, None);
    assert_eq!(parse("info  core: a: b c=1").message, "a: b");
}

#[test]
fn what_is_no_record_is_none() {
    for line in [
        "",
        "x",
        "thread 'main' panicked at: y",
        "{}",
        "{\"MESSAGE\":1}",
        "{\"MESSAGE\":\"x\"}",
        "[1]",
        "info a b c: d",
    ] {
        assert_eq!(Record::parse(line), None, "{line}");
    }
    assert_eq!(Record::parse(&format!("info core: {}", "x".repeat(MAX_LINE))), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in ".*", message in "[a-z ]{0,20}[a-z]", session in proptest::option::of("[0-9a-z]{1,11}")) {
        let written = Record { session, message, fields: vec![("a".into(), value), ("b_c".into(), "1".into())], ..record() };
        prop_assert_eq!(Record::parse(&written.text()), Some(written));
    }

    #[test]
    fn nothing_breaks_the_reader(line in ".*") {
        let _ = Record::parse(&line);
        let _ = Record::parse(&format!("info core: {line}"));
    }
}
