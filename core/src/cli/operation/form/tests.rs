use super::{text::WIDTH, *};
use dovetail_abi::{
    files_v1::{Given, OperationFilesProvider},
    Secret,
};
use std::{cell::RefCell, collections::VecDeque};

/// Answers what the test says, and keeps what it was told.
struct Scripted<'a> {
    answers: VecDeque<&'a str>,
    heard: &'a RefCell<String>,
}

impl Talk for Scripted<'_> {
    fn say(&mut self, text: &str) {
        self.heard.borrow_mut().push_str(&format!("{text}\n"));
    }
    fn ask(&mut self, prompt: &str) -> Result<Option<Result<String, String>>, String> {
        self.heard.borrow_mut().push_str(&format!("{prompt}\n"));
        Ok(self.answers.pop_front().map(|answer| match answer {
            "unreadable" => Err("That is not UTF-8.".to_owned()),
            answer => Ok(answer.to_owned()),
        }))
    }
    fn secret(&mut self, field: &Field) -> Result<Option<Secret>, String> {
        self.heard.borrow_mut().push_str(&format!("{} (secret)\n", field.name));
        Ok(Some(Secret::new(b"sesame".to_vec())))
    }
}

/// The rules of a plugin that makes badges.
struct Rules;

impl Counsel for Rules {
    fn suggest(&self, form: Wire) -> Result<Option<String>, CallFailure> {
        let who = form.values.iter().find(|value| value.name == "who").map(|value| value.text.clone());
        Ok(match form.field.as_str() {
            "who" => Some(form.hostname),
            "file" => who.map(|who| format!("{who}.txt")),
            _ => None,
        })
    }
    fn check(&self, form: Wire) -> Result<Vec<Remark>, CallFailure> {
        let of = |name: &str| form.values.iter().filter(|value| value.name == name).collect::<Vec<_>>();
        Ok(match form.field.as_str() {
            "who" if of("who")[0].text.contains(' ') => vec![Remark::refuse("who", "a space is in it")],
            "days" if of("days")[0].text == "1" => vec![Remark::note("days", "that is soon over")],
            "also" if of("also").len() > 2 => vec![Remark::refuse("also", "two at most")],
            "" if form.operation != "badge" => Vec::new(),
            "" if of("who").is_empty() && of("also").is_empty() => vec![Remark::refuse("who", "nobody is named")],
            "" if of("days")[0].text == "13" => vec![Remark::refuse("", "13 brings no luck")],
            _ => Vec::new(),
        })
    }
}

fn badge() -> Operation {
    Operation::new("badge", "Make a badge")
        .field(Field::new("dir", FieldKind::Directory, "Where"))
        .field(Field::new("who", FieldKind::Text, "Whose it is").asked("Name").more("The whole name.").example("ann"))
        .field(Field::new("also", FieldKind::Text, "Further names").asked("Also").many())
        .field(Field::choice("colour", &["red", "green"], "Its colour").default_value("red").asked("Colour"))
        .field(Field::new("days", FieldKind::Number, "How long").default_value("30").asked("Days").required())
        .field(Field::new("file", FieldKind::Text, "The file").asked("File"))
}

fn fill(answers: &[&str]) -> (Result<Vec<(String, String)>, String>, String) {
    let operation = badge();
    fill_in(&operation, answers)
}

fn fill_in(operation: &Operation, answers: &[&str]) -> (Result<Vec<(String, String)>, String>, String) {
    let heard = RefCell::new(String::new());
    let talk = Scripted { answers: answers.iter().copied().collect(), heard: &heard };
    let given = vec![FieldValue { name: "dir".into(), text: "/here".into(), bytes: None }];
    let outcome = Form::new(operation, &Rules, "host.example", given, talk).fill();
    let outcome = outcome.map(|values| values.into_iter().map(|value| (value.name, value.text)).collect());
    (outcome, heard.into_inner())
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn empty_lines_take_what_is_suggested() {
    let (values, heard) = fill(&["", "", "", "", "", ""]);
    let expected =
        [("dir", "/here"), ("who", "host.example"), ("colour", "red"), ("days", "30"), ("file", "host.example.txt")];
    assert_eq!(values.unwrap(), pairs(&expected));
    for part in
        ["Name [host.example]: ", "Also: ", "1  red\n  2  green", "Colour [red]: ", "Days [30]: ", "2  Also    -"]
    {
        assert!(heard.contains(part), "{part} missing in {heard}");
    }
}

#[test]
fn every_answer_is_checked_when_it_is_given() {
    let answers = ["?", "a b", "unreadable", "ann", "x", "y", "z", "", "blue", "2", "soon", "1", "-", "y"];
    let (values, heard) = fill(&answers);
    let expected = [("dir", "/here"), ("who", "ann"), ("also", "x"), ("also", "y"), ("colour", "green"), ("days", "1")];
    assert_eq!(values.unwrap(), pairs(&expected));
    for part in [
        "Whose it is.",
        "The whole name.",
        "For example: ann",
        "a space is in it",
        "not UTF-8",
        "Also, another: ",
        "two at most",
        "Choose one of red, green",
        "whole number",
        "note: that is soon over",
        "File [ann.txt]: ",
    ] {
        assert!(heard.contains(part), "{part} missing in {heard}");
    }
}

#[test]
fn a_field_that_is_needed_is_asked_for_again() {
    let (values, heard) = fill(&["ann", "", "", "-", "5", "", ""]);
    assert!(values.unwrap().contains(&("days".into(), "5".into())));
    assert!(heard.contains("This one is needed"), "{heard}");
}

#[test]
fn an_answer_can_be_changed_and_what_followed_from_it_follows() {
    let (values, heard) = fill(&["ann", "", "", "", "", "1", "bob", "perhaps", "9", "4", "7", "y"]);
    let expected = [("dir", "/here"), ("who", "bob"), ("colour", "red"), ("days", "7"), ("file", "bob.txt")];
    assert_eq!(values.unwrap(), pairs(&expected));
    assert!(heard.contains("Name [ann]: ") && heard.contains("Answer y, n, or a number"), "{heard}");
    // An answer of one's own stays.
    let (values, _) = fill(&["ann", "", "", "", "mine", "1", "bob", ""]);
    assert!(values.unwrap().contains(&("file".into(), "mine".into())));
}

#[test]
fn answers_that_do_not_fit_together_are_asked_for_again() {
    // By name, then a choice of which.
    let (values, heard) = fill(&["-", "", "", "13", "-", "ann", "4", "12", ""]);
    assert!(values.unwrap().contains(&("days".into(), "12".into())));
    assert!(heard.contains("nobody is named") && heard.contains("13 brings no luck"), "{heard}");
    let (values, _) = fill(&["ann", "", "", "13", "", "n"]);
    assert_eq!(values.unwrap_err(), ENDED);
}

#[test]
fn it_ends_without_values_at_the_end_of_the_input_and_at_no() {
    for answers in [&[][..], &["ann"], &["ann", "", "", "", "", "n"], &["ann", "", "", "", ""]] {
        assert_eq!(fill(answers).0.unwrap_err(), ENDED, "{answers:?}");
    }
}

#[test]
fn after_a_refusal_all_answers_are_still_there() {
    let (operation, heard) = (badge(), RefCell::new(String::new()));
    let answers = ["ann", "", "", "", "", "y", "1", "bob", "y"].into();
    let mut form = Form::new(&operation, &Rules, "", Vec::new(), Scripted { answers, heard: &heard });
    form.fill().unwrap();
    let values = form.again("ann has a badge already").unwrap();
    assert_eq!(values[0].text, "bob");
    assert!(heard.borrow().contains("Refused: ann has a badge already"));
}

/// Has a file `many` name more files than are taken.
struct Names;

impl OperationFilesProvider for Names {
    fn more(&self, given: Given) -> Result<Vec<String>, CallFailure> {
        let many = given.values.iter().any(|value| value.text.ends_with("/many"));
        Ok((0..100).filter(|_| many).map(|at| format!("/none/{at}")).collect())
    }
}

#[test]
fn files_that_are_too_many_bring_the_form_back_and_so_does_a_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        std::fs::write(dir.path().join(name), "x").unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    let (many, few) = (file("many"), file("few"));
    let operation = Operation::new("import", "Take them")
        .field(Field::new("who", FieldKind::Text, "Whose").asked("Name"))
        .field(Field::path("path", &[".pem"], "Where").asked("Path"));
    let (files, heard) = (OperationFiles::new(Names), RefCell::new(String::new()));
    let answers = ["ann", &many, "y", "2", &few, "y", "1", "bob", "y"].into();
    let mut form = Form::new(&operation, &Rules, "", Vec::new(), Scripted { answers, heard: &heard });
    let called = form.carry_out(Some(&files), |values| match values[0].text.as_str() {
        "ann" => Err("ann has one".to_owned()),
        who => Ok((who.to_owned(), values[1].text.clone())),
    });
    let heard = heard.borrow();
    assert_eq!(called, Ok(("bob".to_owned(), few)), "{heard}");
    assert!(
        heard.contains("Refused: more than 64 files are named") && heard.contains("Refused: ann has one"),
        "{heard}"
    );
}

#[test]
fn a_secret_is_asked_for_and_never_shown() {
    let operation = Operation::new("lock", "Lock it")
        .field(Field::new("days", FieldKind::Number, "How long").default_value("1").asked("Days"))
        .field(Field::new("password", FieldKind::Secret, "The password").prompted().asked("Password"));
    let heard = RefCell::new(String::new());
    let talk = Scripted { answers: ["", ""].into(), heard: &heard };
    let values = Form::new(&operation, &Rules, "", Vec::new(), talk).fill().unwrap();
    assert_eq!(values[1].bytes.as_ref().unwrap().expose(), b"sesame");
    assert!(heard.borrow().contains("(given)") && !heard.borrow().contains("sesame"));
}

#[test]
fn a_form_is_wanted_where_none_of_its_fields_is_given() {
    let operations = [badge(), Operation::new("bare", "No form").field(Field::new("who", FieldKind::Text, "Who"))];
    let wanted = |words: &[&str]| {
        let command = crate::cli::operation::arguments::bare("badges", "Badges", &operations);
        let matches = command.get_matches_from([&["badges"], words].concat());
        let (name, matches) = matches.subcommand().unwrap();
        is_wanted(operations.iter().find(|operation| operation.name == name).unwrap(), matches)
    };
    assert!(wanted(&["badge"]) && wanted(&["badge", "--dir", "x"]));
    assert!(!wanted(&["badge", "--days", "30"]) && !wanted(&["badge", "--dir", "x", "--who", "ann"]));
    assert!(!wanted(&["bare"]));
    assert_eq!(beside(&operations[0]).fields.len(), 1);
    assert!(missing(&operations[0], &[]).unwrap().contains("--days"));
    let given = FieldValue { name: "days".into(), text: "1".into(), bytes: None };
    assert_eq!(missing(&operations[0], &[given]), None);
}

#[test]
fn long_text_is_wrapped_behind_its_indent() {
    let text = wrapped(&"word ".repeat(40), "  ");
    assert!(text.lines().count() > 2 && text.lines().all(|line| line.starts_with("  word") && line.len() <= WIDTH));
    assert_eq!(wrapped("", "  "), "  ");
}
