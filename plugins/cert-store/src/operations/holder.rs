//! The fields that say who a certificate is for, as `create` and `csr` take them.

use dovetail_sdk::operations::{Field, FieldKind, FieldValue, Operation, OperationFailure, Values};

use crate::create::{Holder, San, Subject};

/// Adds them, in the order of a form.
pub fn with_holder(operation: Operation, common_name_default: &str) -> Operation {
    let text = |name: &str, help: &str| Field::new(name, FieldKind::Text, help);
    operation
        .field(
            text(
                "common-name",
                &format!("The host name that clients connect to (CN); default: {common_name_default}"),
            )
            .asked("Common name (CN)")
            .more(
                "What people enter in their mail programs as the server. A wildcard such as *.example.org fits all names \
                 with one more label. The certificate's files are called after it, unless you say otherwise.",
            )
            .example("mail.example.org"),
        )
        .field(
            text("san", "A further host name, IP address or mail address; may be given several times")
                .many()
                .asked("Further name")
                .more(
                    "Clients compare the name that they connect to with these and with the common name. Add every name \
                     under which the server is reached: smtp.example.org, imap.example.org, the bare domain.",
                )
                .example("smtp.example.org"),
        )
        .field(
            text("organization", "Organization (O)")
                .asked("Organization (O)")
                .more("The name of the company or body, as it is registered. Mail clients don't look at it; some authorities do.")
                .example("Example Ltd"),
        )
        .field(
            text("unit", "Unit of the organization (OU); twice at most")
                .many()
                .asked("Unit (OU)")
                .more("A department. Public authorities leave it out nowadays.")
                .example("Mail"),
        )
        .field(text("locality", "Town (L)").asked("Town (L)").example("Cologne"))
        .field(
            text("state", "State or province (ST)")
                .asked("State or province (ST)")
                .more("Written out, not as an abbreviation.")
                .example("North Rhine-Westphalia"),
        )
        .field(text("country", "Country (C), two letters").asked("Country (C)").more("By ISO 3166.").example("DE"))
        .field(
            text("email", "Mail address of the responsible person, in the subject")
                .asked("Mail address")
                .more("Stands in the certificate for everybody to read; most leave it out.")
                .example("hostmaster@example.org"),
        )
}

/// Who it is for by these values; what isn't given is as in `base`, and what is given empty is left out.
pub fn holder(values: &[FieldValue], base: Holder) -> Result<Holder, OperationFailure> {
    let field = |name: &str, base: Option<String>| match values.text(name) {
        None => base,
        Some(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
    };
    let list = |name: &str| {
        let texts = values.texts(name);
        (!texts.is_empty()).then(|| texts.into_iter().filter(|text| !text.trim().is_empty()).collect::<Vec<_>>())
    };
    let old = base.subject;
    let units = list("unit").map(|units| units.into_iter().map(str::to_owned).collect());
    let sans = list("san").map(|sans| sans.into_iter().map(San::parse).collect::<Result<Vec<_>, _>>()).transpose();
    Ok(Holder {
        subject: Subject {
            common_name: field("common-name", old.common_name),
            organization: field("organization", old.organization),
            units: units.unwrap_or(old.units),
            locality: field("locality", old.locality),
            state: field("state", old.state),
            country: field("country", old.country),
            email: field("email", old.email),
        },
        sans: sans.map_err(OperationFailure::new)?.unwrap_or(base.sans),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, text: &str) -> FieldValue {
        FieldValue { name: name.to_owned(), text: text.to_owned(), bytes: None }
    }

    #[test]
    fn what_is_given_takes_the_place_of_what_was_there() {
        let some = |text: &str| Some(text.to_owned());
        let base = Holder {
            subject: Subject {
                common_name: some("old.example"),
                organization: some("Old"),
                units: vec!["One".into(), "Two".into()],
                locality: some("Town"),
                ..Subject::default()
            },
            sans: vec![San::Dns("old.example".into())],
        };
        assert_eq!(holder(&[], base.clone()).unwrap(), base);
        let values =
            [value("organization", "New"), value("locality", ""), value("unit", ""), value("san", "x.example")];
        let changed = holder(&values, base).unwrap();
        assert_eq!(changed.subject.organization.as_deref(), Some("New"));
        assert_eq!((changed.subject.locality, changed.subject.units), (None, Vec::new()));
        assert_eq!(changed.sans, [San::Dns("x.example".into())]);
        assert_eq!(changed.subject.common_name.as_deref(), Some("old.example"));
        assert!(holder(&[value("san", "a b")], Holder::default()).unwrap_err().message.contains("a b"));
    }
}
