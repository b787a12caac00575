//! What differs between two layouts, in one sentence: the checker's own report is 17 to 220 kB long.

use abi_stable::{
    abi_stability::abi_checking::{AbiInstability, AbiInstabilityError, AbiInstabilityErrors, ExpectedFound},
    type_layout::{TLFieldOrFunction, TypeLayout},
};
use std::{collections::BTreeSet, fmt};

/// The first thing in which two sides' types differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Something that one side has and the other has not.
    Only { what: String, consumer: bool },
    /// Something that both have, each in another way.
    Both { what: String, consumer: String, provider: String },
}

impl Difference {
    /// The sentence, with names for the two sides.
    pub fn between(&self, consumer_name: &str, provider_name: &str) -> String {
        match &self.0 {
            Kind::Only { what, consumer: true } => format!("only {consumer_name} has {what}"),
            Kind::Only { what, consumer: false } => format!("only {provider_name} has {what}"),
            Kind::Both { what, consumer, provider } => {
                format!("{what} is {consumer} for {consumer_name} and {provider} for {provider_name}")
            }
        }
    }

    /// Reads a report; `swapped` if its interface is the provider's.
    pub(super) fn of(report: &AbiInstabilityErrors, swapped: bool) -> Difference {
        let found = tell(report);
        Difference(match found {
            Kind::Only { what, consumer } => Kind::Only { what, consumer: consumer != swapped },
            Kind::Both { what, consumer, provider } if swapped => {
                Kind::Both { what, consumer: provider, provider: consumer }
            }
            both => both,
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.between("the user", "the provider"))
    }
}

impl From<Difference> for String {
    fn from(difference: Difference) -> Self {
        difference.to_string()
    }
}

/// A larger type is larger because of what is in it, so sizes are told only where nothing else is.
fn is_size(error: &AbiInstability) -> bool {
    matches!(error, AbiInstability::Size(_) | AbiInstability::Alignment(_))
}

fn tell(report: &AbiInstabilityErrors) -> Kind {
    let all = || report.errors.iter().flat_map(|error| error.errs.iter().map(move |one| (error, one)));
    let first = all().find(|(_, one)| !is_size(one)).or_else(|| all().next());
    match first {
        Some((error, one)) => sentence(report, error, one),
        None => Kind::Both {
            what: format!("`{}`", report.interface.name()),
            consumer: "laid out in one way".into(),
            provider: "in another".into(),
        },
    }
}

fn sentence(report: &AbiInstabilityErrors, error: &AbiInstabilityError, one: &AbiInstability) -> Kind {
    let place = place(report, &error.stack_trace);
    let both = |what: String, consumer: String, provider: String| Kind::Both { what, consumer, provider };
    match one {
        AbiInstability::FieldCountMismatch(counts) => {
            parts(report, error, &place, &counts.expected.to_string(), &counts.found.to_string())
        }
        AbiInstability::MismatchedPrefixSize(counts) => {
            parts(report, error, &place, &counts.expected.to_string(), &counts.found.to_string())
        }
        AbiInstability::UnexpectedField(fields) => both(
            format!("what stands at the same place in {place}"),
            format!("`{}`", fields.expected.name()),
            format!("`{}`", fields.found.name()),
        ),
        AbiInstability::Name(names) => pair(format!("the type of {}", part(report, error)), names),
        AbiInstability::Package(names) => pair(format!("the package that declares {place}"), names),
        AbiInstability::PackageVersion(versions) => {
            pair(format!("the version of the package that declares {place}"), versions)
        }
        AbiInstability::Size(sizes) => pair(format!("the size of {place}"), sizes),
        AbiInstability::Alignment(alignments) => pair(format!("the alignment of {place}"), alignments),
        AbiInstability::MismatchedPrimitive(found) => debugged(place, found),
        AbiInstability::TLDataDiscriminant(found) => debugged(place, found),
        AbiInstability::TooManyVariants(counts) => pair(format!("the number of variants of {place}"), counts),
        AbiInstability::UnexpectedVariant(found) => pair(format!("a variant of {place}"), found),
        AbiInstability::EnumDiscriminant(found) => debugged(format!("a discriminant of {place}"), found),
        AbiInstability::ReprAttr(found) => debugged(format!("the representation of {place}"), found),
        _ => both(place, "laid out in one way".into(), "in another".into()),
    }
}

/// One side's type has more parts than the other's: the first of them, or else how many each has.
fn parts(report: &AbiInstabilityErrors, error: &AbiInstabilityError, place: &str, mine: &str, theirs: &str) -> Kind {
    let (consumer, provider) = names(report, error);
    let extra = |of: &[String], other: &[String]| of.iter().find(|name| !other.contains(name)).cloned();
    match (extra(&consumer, &provider), extra(&provider, &consumer)) {
        (Some(name), None) => Kind::Only { what: format!("`{name}` in {place}"), consumer: true },
        (None, Some(name)) => Kind::Only { what: format!("`{name}` in {place}"), consumer: false },
        _ => Kind::Both {
            what: format!("the number of parts of {place}"),
            consumer: mine.to_owned(),
            provider: theirs.to_owned(),
        },
    }
}

fn pair<T: fmt::Display>(what: String, found: &ExpectedFound<T>) -> Kind {
    let shown = |value: &T| format!("`{}`", value.to_string().trim());
    Kind::Both { what, consumer: shown(&found.expected), provider: shown(&found.found) }
}

fn debugged<T: fmt::Debug>(what: String, found: &ExpectedFound<T>) -> Kind {
    Kind::Both { what, consumer: format!("{:?}", found.expected), provider: format!("{:?}", found.found) }
}

/// The type that differs, and the method or field of the table that leads to it.
fn place(report: &AbiInstabilityErrors, steps: &[ExpectedFound<TLFieldOrFunction>]) -> String {
    let table = report.interface.name();
    let lead = steps.first().map(|step| name(&step.expected));
    let inner = steps.last().map(|step| match &step.expected {
        TLFieldOrFunction::Field(field) => field.layout().name(),
        TLFieldOrFunction::Function(_) => "",
    });
    match (lead.as_deref(), inner) {
        // What a pointer points to.
        (Some("0"), Some(inner)) => format!("`{inner}`"),
        (Some(lead), Some(inner)) if !inner.is_empty() && inner != table => {
            format!("`{inner}` (in `{lead}` of `{table}`)")
        }
        (Some(lead), _) => format!("`{lead}` of `{table}`"),
        _ => format!("`{table}`"),
    }
}

/// The field that differs, and what it is a field of.
fn part(report: &AbiInstabilityErrors, error: &AbiInstabilityError) -> String {
    let Some((last, before)) = error.stack_trace.split_last() else {
        return place(report, &[]);
    };
    let field = match name(&last.expected).as_str() {
        "__returns" => "the answer".to_owned(),
        other => format!("`{other}`"),
    };
    format!("{field} in {}", place(report, before))
}

fn name(step: &TLFieldOrFunction) -> String {
    match step {
        TLFieldOrFunction::Field(field) => field.name().to_owned(),
        TLFieldOrFunction::Function(function) => function.name.to_string(),
    }
}

/// The names of what the type that differs is made of, on both sides.
fn names(report: &AbiInstabilityErrors, error: &AbiInstabilityError) -> (Vec<String>, Vec<String>) {
    let of = |layout: &'static TypeLayout| -> Vec<String> {
        // A name may come several times in an enum.
        let names: BTreeSet<&str> = layout.get_fields().into_iter().flatten().map(|field| field.name()).collect();
        names.into_iter().map(str::to_owned).collect()
    };
    let step = |step: &TLFieldOrFunction| match step {
        TLFieldOrFunction::Field(field) => of(field.layout()),
        TLFieldOrFunction::Function(_) => Vec::new(),
    };
    match error.stack_trace.last() {
        Some(last) => (step(&last.expected), step(&last.found)),
        None => (of(report.interface), of(report.implementation)),
    }
}

#[cfg(test)]
mod tests {
    use crate::layout::compatible;
    use abi_stable::{type_layout::TypeLayout, StableAbi};

    /// Declares the same names once more, in another shape.
    macro_rules! shapes {
        ($($module:ident { $($field:ident: $ty:ty),* } => { $($method:ident: $fn:ty),* })*) => {$(
            mod $module {
                use super::*;
                #[repr(C)]
                #[derive(StableAbi)]
                pub struct Inner { $(pub $field: $ty),* }
                #[repr(C)]
                #[derive(StableAbi)]
                pub struct Table { $(pub $method: $fn),* }
                pub const LAYOUT: &TypeLayout = <Table as StableAbi>::LAYOUT;
            }
        )*};
    }

    shapes! {
        old { a: u32 } => { get: extern "C" fn() -> Inner, set: extern "C" fn(u32) }
        same { a: u32 } => { get: extern "C" fn() -> Inner, set: extern "C" fn(u32) }
        grown { a: u32, b: u64 } => { get: extern "C" fn() -> Inner, set: extern "C" fn(u32) }
        typed { a: i32 } => { get: extern "C" fn() -> Inner, set: extern "C" fn(u32) }
        renamed { z: u32 } => { get: extern "C" fn() -> Inner, set: extern "C" fn(u32) }
        longer { a: u32 } => { get: extern "C" fn() -> Inner, set: extern "C" fn(u32), clear: extern "C" fn() }
        called { a: u32 } => { get: extern "C" fn() -> Inner, set: extern "C" fn(u32, u32) }
        swapped { a: u32 } => { set: extern "C" fn(u32), get: extern "C" fn() -> Inner }
    }

    fn told(consumer: &'static TypeLayout, provider: &'static TypeLayout) -> String {
        compatible(consumer, provider).unwrap_err().between("A", "B")
    }

    #[test]
    fn the_type_the_field_and_both_sides_are_named() {
        compatible(old::LAYOUT, same::LAYOUT).unwrap();
        for (other, forth, back) in [
            (
                grown::LAYOUT,
                "only B has `b` in `Inner` (in `get` of `Table`)",
                "only A has `b` in `Inner` (in `get` of `Table`)",
            ),
            (longer::LAYOUT, "only B has `clear` in `Table`", "only A has `clear` in `Table`"),
            (
                renamed::LAYOUT,
                "what stands at the same place in `Inner` (in `get` of `Table`) is `a` for A and `z` for B",
                "what stands at the same place in `Inner` (in `get` of `Table`) is `z` for A and `a` for B",
            ),
            (
                called::LAYOUT,
                "the number of parts of `set` of `Table` is 2 for A and 3 for B",
                "the number of parts of `set` of `Table` is 3 for A and 2 for B",
            ),
            (
                swapped::LAYOUT,
                "what stands at the same place in `Table` is `get` for A and `set` for B",
                "what stands at the same place in `Table` is `set` for A and `get` for B",
            ),
            (
                typed::LAYOUT,
                "the type of `a` in `Inner` (in `get` of `Table`) is `u32` for A and `i32` for B",
                "the type of `a` in `Inner` (in `get` of `Table`) is `i32` for A and `u32` for B",
            ),
        ] {
            assert_eq!((told(old::LAYOUT, other).as_str(), told(other, old::LAYOUT).as_str()), (forth, back));
        }
    }
}
