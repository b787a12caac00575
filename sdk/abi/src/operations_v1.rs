//! `dovetail.operations/1`: administrative actions that a plugin offers, described once for the command line, the control
//! socket and later faces.

use crate::{wire_enum, wire_struct, CallFailure, Secret};

wire_enum! {
    /// What a field takes.
    pub enum FieldKind: unknown Text {
        /// A line of text.
        Text = 1,
        /// A whole number.
        Number = 2,
        /// One of the choices.
        Choice = 3,
        /// Yes or no; on the command line a flag without a value.
        Flag = 4,
        /// A file: the face reads it and sends its name and bytes.
        File = 5,
        /// A secret: read from a file or a prompt, never from the command line.
        Secret = 6,
        /// A folder on the server's machine, as a path.
        Directory = 7,
        /// A file, or a folder with files: the face reads them and sends absolute paths and bytes, the named path first;
        /// that of a folder has no bytes. Of a folder files are read whose name ends like one of the choices, and below it
        /// as far as the face goes. See [`crate::files_v1`] for files that they name.
        Path = 8,
        /// A file or a folder on the server's machine, as a path.
        Place = 9,
    }
}

wire_struct! {
    /// One field of an operation.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Field => FieldAbi {
        /// Its name: `--name` on the command line. A secret `password` is given as `--password-file` or at a prompt.
        pub name: String,
        /// What it is, in one sentence.
        pub help: String,
        /// What it takes.
        pub kind: FieldKind,
        /// The choices of [`FieldKind::Choice`], the endings of [`FieldKind::Path`].
        pub choices: Vec<String>,
        /// The value if none is given; empty: none.
        pub default: String,
        /// Whether it must be given.
        pub required: bool,
        /// Whether it is given by position instead of by name.
        pub positional: bool,
        /// Whether it may be given several times.
        pub many: bool,
        /// For secrets: whether the face should ask for it at a prompt if it is not given.
        pub prompt: bool,
        /// Whether a form asks for it. An operation has a form if any of its fields is asked for; a face that talks with a
        /// person shows it if none of these is given. See [`crate::forms_v1`].
        pub ask: bool,
        /// What a form calls it, such as `Organization (O)`; empty: its name.
        pub title: String,
        /// What a form says to somebody who wants to know more than `help`.
        pub more: String,
        /// An answer that somebody could give.
        pub example: String,
    }
}

wire_struct! {
    /// One operation.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Operation => OperationAbi {
        /// Its name, such as `create`.
        pub name: String,
        /// What it does, in one line.
        pub summary: String,
        /// What a person should know, with examples.
        pub help: String,
        /// Its fields.
        pub fields: Vec<Field>,
        /// The field (of kind `Directory`) with which it needs neither server nor config; empty: it always needs them.
        pub standalone_field: String,
    }
}

impl Operation {
    /// An operation without fields.
    pub fn new(name: &str, summary: &str) -> Self {
        Operation {
            name: name.to_owned(),
            summary: summary.to_owned(),
            help: String::new(),
            fields: Vec::new(),
            standalone_field: String::new(),
        }
    }

    /// Says more, with examples.
    pub fn help(mut self, help: &str) -> Self {
        self.help = help.to_owned();
        self
    }

    /// Adds a field.
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Names the field that makes the operation independent of server and config.
    pub fn standalone_with(mut self, field: &str) -> Self {
        self.standalone_field = field.to_owned();
        self
    }
}

impl Field {
    /// An optional field, given by name, once.
    pub fn new(name: &str, kind: FieldKind, help: &str) -> Self {
        Field {
            name: name.to_owned(),
            help: help.to_owned(),
            kind,
            choices: Vec::new(),
            default: String::new(),
            required: false,
            positional: false,
            many: false,
            prompt: false,
            ask: false,
            title: String::new(),
            more: String::new(),
            example: String::new(),
        }
    }

    /// One of these.
    pub fn choice(name: &str, choices: &[&str], help: &str) -> Self {
        let mut field = Field::new(name, FieldKind::Choice, help);
        field.choices = choices.iter().map(|&choice| choice.to_owned()).collect();
        field
    }

    /// A file, or a folder of which files with these endings are read.
    pub fn path(name: &str, endings: &[&str], help: &str) -> Self {
        let mut field = Field::new(name, FieldKind::Path, help);
        field.choices = endings.iter().map(|&ending| ending.to_owned()).collect();
        field
    }

    /// Must be given.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Is given by position.
    pub fn positional(mut self) -> Self {
        self.positional = true;
        self
    }

    /// May be given several times.
    pub fn many(mut self) -> Self {
        self.many = true;
        self
    }

    /// Has this value if none is given.
    pub fn default_value(mut self, value: &str) -> Self {
        self.default = value.to_owned();
        self
    }

    /// A secret that is asked for at a prompt if it is not given.
    pub fn prompted(mut self) -> Self {
        self.prompt = true;
        self
    }

    /// Asked for in the operation's form, under this title.
    pub fn asked(mut self, title: &str) -> Self {
        self.ask = true;
        self.title = title.to_owned();
        self
    }

    /// Says more in a form, to somebody who asks.
    pub fn more(mut self, more: &str) -> Self {
        self.more = more.to_owned();
        self
    }

    /// Gives an example in a form.
    pub fn example(mut self, example: &str) -> Self {
        self.example = example.to_owned();
        self
    }
}

impl Report {
    /// A report of one line, which is its `message` for programs too.
    pub fn line(text: impl Into<String>) -> Self {
        Report { lines: vec![text.into()], ..Report::default() }
    }
}

impl OperationFailure {
    /// Says why. One clear reason, with what to do.
    pub fn new(message: impl std::fmt::Display) -> Self {
        OperationFailure { message: message.to_string(), ask: String::new() }
    }

    /// Names the field whose value was missing.
    pub fn asking(mut self, field: &str) -> Self {
        self.ask = field.to_owned();
        self
    }
}

wire_struct! {
    /// The value of a field.
    #[derive(Debug, Clone)]
    pub struct FieldValue => FieldValueAbi {
        /// The field's name.
        pub name: String,
        /// Text, number, choice or path; for a file its name; `true` for a flag.
        pub text: String,
        /// A file's bytes or the secret.
        pub bytes: Option<Secret>,
    }
}

wire_struct! {
    /// Rows for people.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Table => TableAbi {
        /// The columns' names.
        pub columns: Vec<String>,
        /// The rows, each as long as `columns`.
        pub rows: Vec<Vec<String>>,
    }
}

wire_struct! {
    /// What an operation has to say when it is done.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Report => ReportAbi {
        /// Lines for people.
        pub lines: Vec<String>,
        /// A table for people, after the lines.
        pub table: Option<Table>,
        /// Warnings; faces print them apart, beginning with `warning:`.
        pub warnings: Vec<String>,
        /// The same for programs, as a JSON document; empty: made of lines, table and warnings.
        pub json: String,
        /// What the command ends with, 0 to 99: 0 is "done as asked"; an operation that judges something says its verdict
        /// to scripts by others. Its help tells which.
        pub exit: u32,
    }
}

wire_struct! {
    /// Why an operation was refused or failed. Nothing has changed then.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("{message}")]
    pub struct OperationFailure => OperationFailureAbi {
        /// One clear reason, with what to do.
        pub message: String,
        /// The secret field without whose value it can't be done, as turned out: the password of a file that is encrypted.
        /// Empty: none. A face that talks with a person asks for it, once, and calls again.
        pub ask: String,
    }
}

impl From<CallFailure> for OperationFailure {
    fn from(failure: CallFailure) -> Self {
        OperationFailure::new(failure)
    }
}

crate::interface! {
    /// Where an operation reports how far it is.
    pub interface Progress, provider ProgressProvider, table ProgressVt = "dovetail.operations.progress/1" {
        /// Says what is being done.
        now fn step(text: String) -> Result<(), CallFailure>;
    }
}

crate::interface! {
    /// The description of a plugin's operations; asked of the library, before there is an instance.
    pub interface OperationList, provider OperationListProvider, table OperationListVt = "dovetail.operations.list/1" {
        /// All operations.
        now fn operations() -> Result<Vec<Operation>, CallFailure>;
    }
}

crate::interface! {
    /// A plugin's operations.
    pub interface Operations, provider OperationsProvider, table OperationsVt = "dovetail.operations/1" {
        /// Runs an operation. Dropping the future does not undo what is done.
        later fn run(operation: String, values: Vec<FieldValue>, progress: Progress) -> Result<Report, OperationFailure>;
    }
}
