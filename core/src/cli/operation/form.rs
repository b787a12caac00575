//! An operation's form on a terminal: it is asked field by field, and every answer is checked by the plugin as it is given.
//!
//! `?` explains a question, an empty line takes what stands in brackets, `-` leaves a field empty. Before anything happens
//! there is a summary, where each answer can still be changed; if the operation is refused then, or the files that an answer
//! names can't be given to it, the form comes back with all answers.
//!
//! **When.** An operation has a form if its description says which fields are asked for. It is shown on a terminal, if none
//! of these is given on the command line, and `--json` isn't either; other fields, such as the folder, may be given beside it.
//!
//! **How it fails.** At the end of the input, with `n` at the summary, or by Ctrl-C: nothing has been called then.
//!
//! **Bounds**: [`MAX_ANSWERS`] to one field, and [`talk::MAX_LINE`] bytes a line.

mod answer;
mod talk;
mod text;
mod wanted;

pub use talk::{Talk, Terminal};
pub use wanted::{beside, is_wanted, missing};

use super::folder;
use answer::{Answer, Taken};
use dovetail_abi::{
    files_v1::OperationFiles,
    forms_v1::{Form as Wire, OperationForm, Remark},
    operations_v1::{Field, FieldKind, FieldValue, Operation},
    CallFailure,
};
use text::{explanation, title, wrapped};

/// The most answers to one field.
const MAX_ANSWERS: usize = 1000;

/// What the plugin says meanwhile.
pub trait Counsel {
    /// What an empty answer means.
    fn suggest(&self, form: Wire) -> Result<Option<String>, CallFailure>;
    /// What is to be said about answers.
    fn check(&self, form: Wire) -> Result<Vec<Remark>, CallFailure>;
}

impl Counsel for OperationForm {
    fn suggest(&self, form: Wire) -> Result<Option<String>, CallFailure> {
        OperationForm::suggest(self, form)
    }
    fn check(&self, form: Wire) -> Result<Vec<Remark>, CallFailure> {
        OperationForm::check(self, form)
    }
}

/// A form that is being filled in.
pub struct Form<'a, T> {
    operation: &'a Operation,
    counsel: &'a dyn Counsel,
    hostname: String,
    /// What was given on the command line.
    given: Vec<FieldValue>,
    entries: Vec<Entry<'a>>,
    talk: T,
}

/// A field with what was answered.
struct Entry<'a> {
    field: &'a Field,
    answers: Vec<Answer>,
    /// Whether the answer is the suggestion, which may become another when other answers do.
    suggested: bool,
}

impl<'a, T: Talk> Form<'a, T> {
    /// An empty form.
    pub fn new(
        operation: &'a Operation,
        counsel: &'a dyn Counsel,
        hostname: &str,
        given: Vec<FieldValue>,
        talk: T,
    ) -> Self {
        let asked = operation.fields.iter().filter(|field| field.ask);
        let entries = asked.map(|field| Entry { field, answers: Vec::new(), suggested: false }).collect();
        Form { operation, counsel, hostname: hostname.to_owned(), given, entries, talk }
    }

    /// Asks for everything, and gives the values to call the operation with.
    ///
    /// # Errors
    /// If somebody ends it, or the plugin can't answer.
    fn fill(&mut self) -> Result<Vec<FieldValue>, String> {
        let summary = self.operation.summary.clone();
        self.talk.say(&format!(
            "{summary}.\nAn empty line takes what stands in [brackets]; ? explains a question, - leaves it out, Ctrl-C ends \
             without a change.\n"
        ));
        for at in 0..self.entries.len() {
            self.ask(at)?;
        }
        self.confirm()
    }

    /// Asks for everything, and calls the operation with it and with the files that it names. Whatever is wrong then, the form
    /// comes back.
    ///
    /// # Errors
    /// As [`Form::fill`].
    pub fn carry_out<R>(
        &mut self,
        files: Option<&OperationFiles>,
        mut call: impl FnMut(Vec<FieldValue>) -> Result<R, String>,
    ) -> Result<R, String> {
        let mut values = self.fill()?;
        loop {
            let further = folder::add_further(self.operation, files, &mut values);
            match further.and_then(|()| call(values)) {
                Ok(done) => return Ok(done),
                Err(reason) => values = self.again(&reason)?,
            }
        }
    }

    /// Takes up the form again, after the operation was refused for this reason.
    ///
    /// # Errors
    /// As [`Form::fill`].
    fn again(&mut self, reason: &str) -> Result<Vec<FieldValue>, String> {
        self.talk.say(&format!("\n{}", wrapped(&format!("Refused: {reason}"), "")));
        self.confirm()
    }

    /// Shows the summary until somebody agrees.
    fn confirm(&mut self) -> Result<Vec<FieldValue>, String> {
        loop {
            if !self.agree_as_a_whole()? {
                continue;
            }
            self.summarize();
            loop {
                let said = self.line("Go ahead? [Y/n, or the number of an answer to change]: ")?;
                match said.to_ascii_lowercase().as_str() {
                    "" | "y" | "yes" => return Ok(self.values(None, &[])),
                    "n" | "no" => return Err(ENDED.to_owned()),
                    number => match number.parse::<usize>().ok().filter(|at| (1..=self.entries.len()).contains(at)) {
                        Some(at) => {
                            self.change(at - 1)?;
                            break;
                        }
                        None => self.talk.say("Answer y, n, or a number that stands before an answer."),
                    },
                }
            }
        }
    }

    /// Has all answers checked together; asks for one again that is refused.
    fn agree_as_a_whole(&mut self) -> Result<bool, String> {
        let remarks = self.check("", self.values(None, &[]))?;
        for remark in &remarks {
            self.remark(remark);
        }
        let Some(refused) = remarks.iter().find(|remark| remark.refused) else { return Ok(true) };
        match self.entries.iter().position(|entry| entry.field.name == refused.field) {
            Some(at) => self.change(at)?,
            None => {
                self.summarize();
                let said = self.line("Which answer shall be another? [its number, n ends]: ")?;
                match said.parse::<usize>() {
                    Ok(at) if (1..=self.entries.len()).contains(&at) => self.change(at - 1)?,
                    _ if said.eq_ignore_ascii_case("n") => return Err(ENDED.to_owned()),
                    _ => {}
                }
            }
        }
        Ok(false)
    }

    /// Asks once more, and brings those up to date whose answers followed from others.
    fn change(&mut self, at: usize) -> Result<(), String> {
        self.ask(at)?;
        for at in at + 1..self.entries.len() {
            if !self.entries[at].suggested {
                continue;
            }
            let suggestion = self.suggestion(at)?;
            match suggestion {
                Some(text) => match answer::take(self.entries[at].field, &text) {
                    Taken::Answer(answer) => self.entries[at].answers = vec![answer],
                    _ => self.ask(at)?,
                },
                None => self.entries[at].answers.clear(),
            }
        }
        Ok(())
    }

    /// Asks for one field until the answer can be taken.
    fn ask(&mut self, at: usize) -> Result<(), String> {
        let field = self.entries[at].field;
        let before: Vec<Answer> = std::mem::take(&mut self.entries[at].answers);
        if field.kind == FieldKind::Secret {
            self.entries[at].answers = self.secret(field)?;
            return Ok(());
        }
        if field.kind == FieldKind::Choice {
            let choices = field.choices.iter().enumerate().map(|(i, choice)| format!("\n{:>3}  {choice}", i + 1));
            self.talk.say(&format!("{}:{}", title(field), choices.collect::<String>()));
        }
        let suggestion = match before.is_empty() {
            true => self.suggestion(at)?,
            false => Some(before.iter().map(|answer| answer.shown.as_str()).collect::<Vec<_>>().join(", ")),
        };
        let mut answers: Vec<Answer> = Vec::new();
        loop {
            let prompt = match (&suggestion, answers.is_empty()) {
                (_, false) => format!("{}, another: ", title(field)),
                (Some(suggestion), _) => format!("{} [{suggestion}]: ", title(field)),
                (None, _) => format!("{}: ", title(field)),
            };
            let line = self.line(&prompt)?;
            let mut by_suggestion = false;
            let text = match line.as_str() {
                "?" => {
                    self.talk.say(&explanation(field));
                    continue;
                }
                "" if !answers.is_empty() => break,
                "" if !before.is_empty() => {
                    self.entries[at].answers = before;
                    return Ok(());
                }
                "" => {
                    by_suggestion = true;
                    suggestion.clone().unwrap_or_default()
                }
                "-" => String::new(),
                text => text.to_owned(),
            };
            if text.is_empty() {
                if field.required {
                    self.talk.say("  This one is needed; ? explains it.");
                    continue;
                }
                self.entries[at].suggested = by_suggestion;
                break;
            }
            let answer = match answer::take(field, &text) {
                Taken::Answer(answer) => answer,
                Taken::Refused(reason) => {
                    self.talk.say(&wrapped(&reason, "  "));
                    continue;
                }
            };
            let mut with = answers.clone();
            with.push(answer);
            let remarks = self.check(&field.name, self.values(Some(at), &with))?;
            for remark in &remarks {
                self.remark(remark);
            }
            if remarks.iter().any(|remark| remark.refused) {
                continue;
            }
            answers = with;
            self.entries[at].suggested = by_suggestion;
            if !field.many || by_suggestion || answers.len() == MAX_ANSWERS {
                break;
            }
        }
        self.entries[at].answers = answers;
        Ok(())
    }

    fn secret(&mut self, field: &Field) -> Result<Vec<Answer>, String> {
        Ok(self.talk.secret(field)?.map(|secret| Answer::secret(field, secret)).into_iter().collect())
    }

    /// What an empty answer means now.
    fn suggestion(&self, at: usize) -> Result<Option<String>, String> {
        let field = self.entries[at].field;
        let form = self.form(&field.name, self.values(Some(at), &[]));
        let suggested = self.counsel.suggest(form).map_err(|failure| unanswered(&failure))?;
        let default = Some(field.default.clone()).filter(|text| !text.is_empty());
        Ok(suggested.filter(|text| !text.is_empty()).or(default))
    }

    fn check(&self, field: &str, values: Vec<FieldValue>) -> Result<Vec<Remark>, String> {
        self.counsel.check(self.form(field, values)).map_err(|failure| unanswered(&failure))
    }

    fn form(&self, field: &str, values: Vec<FieldValue>) -> Wire {
        let hostname = self.hostname.clone();
        Wire { operation: self.operation.name.clone(), field: field.to_owned(), values, hostname }
    }

    /// What was given and answered; of the field `at` these answers instead of its own.
    fn values(&self, at: Option<usize>, answers: &[Answer]) -> Vec<FieldValue> {
        let answered = self.entries.iter().enumerate().flat_map(|(i, entry)| match at {
            Some(at) if at == i => answers,
            _ => entry.answers.as_slice(),
        });
        self.given.iter().cloned().chain(answered.flat_map(|answer| answer.values.clone())).collect()
    }

    fn remark(&mut self, remark: &Remark) {
        let text = if remark.refused { remark.text.clone() } else { format!("note: {}", remark.text) };
        self.talk.say(&wrapped(&text, "  "));
    }

    fn summarize(&mut self) {
        let width = self.entries.iter().map(|entry| title(entry.field).chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let shown: Vec<&str> = entry.answers.iter().map(|answer| answer.shown.as_str()).collect();
            let shown = if shown.is_empty() { "-".to_owned() } else { shown.join(", ") };
            text.push_str(&format!("\n{:>3}  {:width$}  {shown}", at + 1, title(entry.field)));
        }
        self.talk.say(&text);
    }

    fn line(&mut self, prompt: &str) -> Result<String, String> {
        loop {
            match self.talk.ask(prompt)? {
                None => return Err(ENDED.to_owned()),
                Some(Err(reason)) => self.talk.say(&format!("  {reason}")),
                Some(Ok(line)) => return Ok(line.trim().to_owned()),
            }
        }
    }
}

fn unanswered(failure: &CallFailure) -> String {
    format!("the plugin cannot say what it thinks of the answers: {failure}; nothing has changed")
}

/// What a face says when somebody ends the form.
const ENDED: &str = "ended; nothing has changed";

#[cfg(test)]
mod tests;
