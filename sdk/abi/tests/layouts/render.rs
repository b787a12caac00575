//! A layout as text: the table of an interface and every type that can be reached from it, each once, in the order of its
//! first mention. Versions of packages are left out: what crosses is the layout. So are pointers and markers, which are no
//! more than their names tell.

use abi_stable::{
    std_types::utypeid::UTypeId,
    type_layout::{ReprAttr, TLData, TLEnum, TLField, TLFunction, TLPrefixType, TLPrimitive, TypeLayout},
};
use std::{
    collections::{HashSet, VecDeque},
    fmt::Write as _,
};

/// Renders a layout and all that it reaches.
pub fn render(layout: &'static TypeLayout) -> String {
    let mut text = String::new();
    let mut open = VecDeque::from([layout]);
    let mut seen: HashSet<UTypeId> = HashSet::from([layout.get_utypeid()]);
    while let Some(layout) = open.pop_front() {
        let mut reached = Vec::new();
        one(layout, &mut text, &mut reached);
        for next in reached {
            if seen.insert(next.get_utypeid()) {
                open.push_back(next);
            }
        }
    }
    text
}

type Reached = Vec<&'static TypeLayout>;

fn one(layout: &'static TypeLayout, text: &mut String, reached: &mut Reached) {
    let plain = matches!(layout.data(), TLData::Primitive(_))
        || ["NonNull", "PhantomData", "PrefixRef", "()"].contains(&layout.name());
    let mut nothing = String::new();
    let text = if plain { &mut nothing } else { text };
    let kind = match layout.data() {
        TLData::Primitive(_) => "primitive",
        TLData::Opaque => "opaque",
        TLData::Struct { .. } => "struct",
        TLData::Union { .. } => "union",
        TLData::Enum(_) => "enum",
        TLData::PrefixType(_) => "prefix",
    };
    let nonzero = if layout.is_nonzero() { ", never zero" } else { "" };
    let _ = writeln!(
        text,
        "\n{kind} {} of {}: {} bytes, aligned to {}, {}{nonzero}",
        name(layout),
        layout.package(),
        layout.size(),
        layout.alignment(),
        repr(layout.repr_attr()),
    );
    match layout.data() {
        TLData::Primitive(_) | TLData::Opaque => {}
        TLData::Struct { fields } | TLData::Union { fields } => {
            for field in fields {
                let _ = writeln!(text, "    {}", self::field(&field, reached));
            }
        }
        TLData::Enum(data) => variants(&data, text, reached),
        TLData::PrefixType(data) => prefix(&data, text, reached),
    }
    for field in layout.phantom_fields() {
        let _ = writeln!(text, "    phantom {}", self::field(&field, reached));
    }
    let tag = one_line(&layout.tag().to_string());
    if tag != "null" {
        let _ = writeln!(text, "    tag {tag}");
    }
    if let Some(checks) = layout.extra_checks() {
        let _ = writeln!(text, "    checks {}", one_line(&checks.to_string()));
        reached.extend(checks.nested_type_layouts().iter().copied());
    }
}

fn repr(repr: ReprAttr) -> String {
    match repr {
        ReprAttr::C => "repr(C)".into(),
        ReprAttr::Transparent => "repr(transparent)".into(),
        ReprAttr::Int(int) => format!("repr({})", format!("{int:?}").to_lowercase()),
        ReprAttr::CAndInt(int) => format!("repr(C, {})", format!("{int:?}").to_lowercase()),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn variants(data: &TLEnum, text: &mut String, reached: &mut Reached) {
    if data.exhaustiveness.is_nonexhaustive() {
        text.push_str("    non-exhaustive\n");
    }
    // Their Debug is a list of numbers.
    let discriminants = format!("{:?}", data.discriminants);
    let discriminants = discriminants.trim_matches(['[', ']']).split(',').map(str::trim);
    let mut fields = data.fields.iter();
    for ((name, count), discriminant) in data.variant_names_iter().zip(data.field_count.iter()).zip(discriminants) {
        let fields: Vec<String> = fields.by_ref().take(usize::from(*count)).map(|f| field(&f, reached)).collect();
        let _ = match fields.is_empty() {
            true => writeln!(text, "    {discriminant} = {name}"),
            false => writeln!(text, "    {discriminant} = {name} {{ {} }}", fields.join(", ")),
        };
    }
}

fn prefix(data: &TLPrefixType, text: &mut String, reached: &mut Reached) {
    for (index, field) in data.fields.iter().enumerate() {
        let place = if index < usize::from(data.first_suffix_field) { "prefix" } else { "suffix" };
        let access = format!("{:?}", data.accessible_fields.at(index)).to_lowercase();
        let conditional = if data.conditional_prefix_fields.at(index) as u8 == 0 { "" } else { ", conditional" };
        let _ = writeln!(text, "    ({place}, {access}{conditional}) {}", self::field(&field, reached));
    }
}

fn field(field: &TLField, reached: &mut Reached) -> String {
    let functions: Vec<String> = field.function_range().iter().map(|f| function(&f, reached)).collect();
    // Behind a function there is nothing but its address.
    if field.is_function() {
        return format!("{}: {}", field.name(), functions.join(" "));
    }
    reached.push(field.layout());
    let within = if functions.is_empty() { String::new() } else { format!(" with {}", functions.join(" ")) };
    format!("{}: {}{within}", field.name(), name(field.layout()))
}

fn function(function: &TLFunction, reached: &mut Reached) -> String {
    let mut show = |layout: extern "C" fn() -> &'static TypeLayout| {
        reached.push(layout());
        name(layout())
    };
    let parameters: Vec<String> = function.param_type_layouts.iter().map(&mut show).collect();
    let answer = function.return_type_layout().map_or_else(|| "()".to_owned(), show);
    let head = if function.fn_qualifs.is_unsafe() { "unsafe fn" } else { "fn" };
    format!("{head}({}) -> {answer}", parameters.join(", "))
}

/// The name of a type with its parameters, which abi_stable's own name leaves out.
fn name(layout: &'static TypeLayout) -> String {
    let fields: Vec<TLField> = layout.get_fields().map(|fields| fields.iter().collect()).unwrap_or_default();
    let of = |field: Option<&TLField>| field.map_or_else(String::new, |field| name(field.layout()));
    let field = |name: &str| fields.iter().find(|field| field.name() == name);
    let inner = || layout.phantom_fields().get(0).map_or_else(String::new, |field| name(field.layout()));
    let generic = |parameters: &[String]| format!("{}<{}>", layout.name(), parameters.join(", "));
    if let TLData::Primitive(primitive) = layout.data() {
        return match primitive {
            TLPrimitive::SharedRef => format!("&{}", inner()),
            TLPrimitive::MutRef => format!("&mut {}", inner()),
            TLPrimitive::ConstPtr => format!("*const {}", inner()),
            TLPrimitive::MutPtr => format!("*mut {}", inner()),
            _ => layout.full_type().to_string().trim().to_owned(),
        };
    }
    match layout.name() {
        "RVec" => {
            let item = field("_marker").and_then(|marker| marker.layout().phantom_fields().get(0));
            generic(&[of(item.as_ref())])
        }
        "NonNull" => generic(&[of(fields.first()).trim_start_matches("*const ").to_owned()]),
        "PhantomData" | "PrefixRef" => generic(&[inner()]),
        "ROption" | "RResult" => generic(&fields.iter().map(|field| name(field.layout())).collect::<Vec<_>>()),
        "AbiHandle" => generic(&[of(field("vt")).trim_start_matches('&').to_owned()]),
        "AbiFuture" => of(field("vt")).trim_start_matches('&').replacen("AbiFutureVt", "AbiFuture", 1),
        "AbiFutureVt" => {
            let poll = field("poll").and_then(|poll| poll.function_range().get(0));
            let answer = poll.and_then(|poll| poll.param_type_layouts.iter().last());
            generic(&[answer.map_or_else(String::new, |answer| name(answer()).trim_start_matches("*mut ").to_owned())])
        }
        _ => layout.full_type().to_string().trim().to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
