//! The control socket: a request as the server reads it, an answer as the command reads it.

use dovetail::control::message::{Answer, Call, Request, Value};
use dovetail_abi::operations_v1::{FieldValue, Report};

/// What is read is written and read back the same, also through the types that plugins see; values stay out of `Debug`.
pub fn control(line: &[u8]) -> bool {
    request(line) | answer(line)
}

fn request(line: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<Request>(line) else {
        return false;
    };
    let said = serde_json::to_vec(&request).expect("a request can be written");
    let shown = format!("{request:?}");
    let again: Request = serde_json::from_slice(&said).expect("what was written can be read");
    assert_eq!(format!("{again:?}"), shown);
    let Call::Operation { command, instance, operation, values } = again.call else {
        return true;
    };
    let bare: Vec<Value> =
        values.iter().map(|value| Value { name: value.name.clone(), text: String::new(), bytes: None }).collect();
    let values = values.into_iter().map(|value| Value::from(FieldValue::from(value))).collect();
    let call = |values| Call::Operation {
        command: command.clone(),
        instance: instance.clone(),
        operation: operation.clone(),
        values,
    };
    let through = Request { version: again.version, call: call(values) };
    assert_eq!(serde_json::to_vec(&through).expect("a request can be written"), said);
    let bare = Request { version: again.version, call: call(bare) };
    assert_eq!(format!("{bare:?}"), shown, "values show in Debug");
    true
}

fn answer(line: &[u8]) -> bool {
    let Ok(answer) = serde_json::from_slice::<Answer>(line) else {
        return false;
    };
    let said = serde_json::to_vec(&answer).expect("an answer can be written");
    let again: Answer = serde_json::from_slice(&said).expect("what was written can be read");
    let again = match again {
        Answer::Report(report) => Answer::Report(Box::new(Report::from(*report).into())),
        other => other,
    };
    assert_eq!(serde_json::to_vec(&again).expect("an answer can be written"), said);
    true
}
