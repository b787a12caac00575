//! Default values, worked out from the expressions that make them.

use super::source::{derives, last_word, Source};
use syn::{BinOp, Expr, Lit, Type, UnOp};

/// A value that is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(i128),
    /// `true` or `false`.
    Flag(bool),
    /// A text or a path.
    Text(String),
    /// A character.
    Character(char),
    /// A variant without fields.
    Variant(String),
    /// `None`.
    Nothing,
    /// A list without entries.
    EmptyList,
    /// A map without entries.
    EmptyMap,
    /// The defaults of a struct.
    Group,
}

/// The value of an expression that makes a `wanted`; none if it cannot be told without running it.
pub fn evaluate(source: &Source, expression: &Expr, wanted: &Type) -> Option<Value> {
    evaluate_at(source, expression, wanted, 0)
}

fn evaluate_at(source: &Source, expression: &Expr, wanted: &Type, depth: usize) -> Option<Value> {
    // Constants that are made of themselves do not compile, but this reads what may not compile.
    let depth = (depth < MAX_DEPTH).then_some(depth + 1)?;
    let again = |expression: &Expr| evaluate_at(source, expression, wanted, depth);
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok().map(Value::Number),
            Lit::Bool(flag) => Some(Value::Flag(flag.value)),
            Lit::Str(text) => Some(Value::Text(text.value())),
            Lit::Char(character) => Some(Value::Character(character.value())),
            _ => None,
        },
        Expr::Paren(inner) => again(&inner.expr),
        Expr::Cast(cast) => again(&cast.expr),
        Expr::Unary(unary) => match (&unary.op, again(&unary.expr)?) {
            (UnOp::Neg(_), Value::Number(number)) => number.checked_neg().map(Value::Number),
            (UnOp::Not(_), Value::Flag(flag)) => Some(Value::Flag(!flag)),
            _ => None,
        },
        Expr::Binary(binary) => match (again(&binary.left)?, again(&binary.right)?) {
            (Value::Number(left), Value::Number(right)) => calculate(left, &binary.op, right).map(Value::Number),
            _ => None,
        },
        Expr::Path(path) => {
            let words: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            match words.as_slice() {
                [word] if word == "None" => Some(Value::Nothing),
                [.., word] if source.constants.contains_key(word) => again(source.constants.get(word)?),
                [.., of, variant] if source.enums.contains_key(of) => Some(Value::Variant(variant.clone())),
                _ => None,
            }
        }
        // Of all methods just those that change a text's type.
        Expr::MethodCall(call) if ["into", "to_owned", "to_string"].contains(&call.method.to_string().as_str()) => {
            again(&call.receiver).filter(|value| matches!(value, Value::Text(_)))
        }
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let words: Vec<String> = function.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let argument = call.args.first();
            match (words.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), argument) {
                (["Some"], Some(inner)) => again(inner),
                ([.., "Duration", "from_secs"] | [.., "u64" | "u32" | "usize", "from"], Some(inner)) => again(inner),
                ([.., "Vec", "new"], None) => Some(Value::EmptyList),
                ([.., "BTreeMap" | "HashMap", "new"], None) => Some(Value::EmptyMap),
                ([.., "String" | "PathBuf", "new"], None) => Some(Value::Text(String::new())),
                ([.., "default"], None) => of_type(source, wanted),
                ([name], None) => again(source.functions.get(*name)?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What `Default` makes of a type.
pub fn of_type(source: &Source, wanted: &Type) -> Option<Value> {
    let name = last_word(wanted)?;
    match name.as_str() {
        "Option" => Some(Value::Nothing),
        "bool" => Some(Value::Flag(false)),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => Some(Value::Number(0)),
        "String" | "PathBuf" => Some(Value::Text(String::new())),
        "Vec" => Some(Value::EmptyList),
        "BTreeMap" | "HashMap" => Some(Value::EmptyMap),
        _ if source.fields(&name).is_some() => Some(Value::Group),
        _ => {
            let item = source.enums.get(&name).filter(|item| derives(&item.attrs, "Default"))?;
            let is_default =
                |variant: &&syn::Variant| variant.attrs.iter().any(|attribute| attribute.path().is_ident("default"));
            item.variants.iter().find(is_default).map(|variant| Value::Variant(variant.ident.to_string()))
        }
    }
}

fn calculate(left: i128, operation: &BinOp, right: i128) -> Option<i128> {
    match operation {
        BinOp::Add(_) => left.checked_add(right),
        BinOp::Sub(_) => left.checked_sub(right),
        BinOp::Mul(_) => left.checked_mul(right),
        BinOp::Div(_) => left.checked_div(right),
        BinOp::Shl(_) => left.checked_shl(u32::try_from(right).ok()?),
        _ => None,
    }
}

impl Value {
    /// As it is written in RON.
    pub fn ron(&self) -> String {
        match self {
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => format!("{text:?}"),
            Value::Character(character) => format!("{character:?}"),
            Value::Variant(name) => name.clone(),
            Value::Nothing => "None".into(),
            Value::EmptyList => "[]".into(),
            Value::EmptyMap => "{}".into(),
            Value::Group => "()".into(),
        }
    }
}

const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(expression: &str, wanted: &str) -> Option<String> {
        let mut source = Source::default();
        let items = "const KIB: u64 = 1 << 10; const MIB: u64 = KIB * 1024; const LOOP: u64 = LOOP;
            fn seconds() -> u64 { 60 * 2 }
            #[derive(Default)] enum Mode { On, #[default] Off }
            #[derive(Deserialize)] struct Group { a: u8 }";
        source.add(items).unwrap();
        let expression = syn::parse_str(expression).unwrap();
        evaluate(&source, &expression, &syn::parse_str(wanted).unwrap()).map(|value| value.ron())
    }

    #[test]
    fn what_can_be_told_is_what_the_program_computes() {
        for (expression, wanted, expected) in [
            ("50 * MIB", "u64", "52428800"),
            ("(1_000 - 1) as u32", "u32", "999"),
            ("seconds()", "u64", "120"),
            ("Duration::from_secs(10)", "Duration", "10"),
            ("\"a\\\"b\".into()", "PathBuf", "\"a\\\"b\""),
            ("Some('+')", "Option<char>", "'+'"),
            ("None", "Option<char>", "None"),
            ("Mode::On", "Mode", "On"),
            ("Mode::default()", "Mode", "Off"),
            ("Default::default()", "bool", "false"),
            ("std::collections::BTreeMap::new()", "BTreeMap<String, String>", "{}"),
            ("Group::default()", "Group", "()"),
        ] {
            assert_eq!(value(expression, wanted).as_deref(), Some(expected), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        for expression in
            ["LOOP", "[1, 2].map(f).into()", "count(1)", "u64::MAX", "UNKNOWN", "\"a\".len()", "1 / 0", "1 << 200"]
        {
            assert_eq!(value(expression, "u64"), None, "{expression}");
        }
    }
}
