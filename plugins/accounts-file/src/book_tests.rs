//! What the book answers, and what it refuses.

use super::*;

fn settings() -> Settings {
    Settings { domains: vec!["own.example".parse().unwrap()], separator: Some('+') }
}

fn book(text: &str) -> Result<Book, BookError> {
    Book::new(Content::parse(text).unwrap(), &settings())
}

fn usual() -> Book {
    book(
        r#"(
            postmaster: "b@example.org",
            alias_domains: {"example.net": "example.org"},
            accounts: {
                "a@example.org": (aliases: ["info@example.org", "*@shop.example"]),
                "b@example.org": (),
            },
            aliases: {
                "team@example.org": ["a@example.org", "b@example.org", "info@example.org"],
                "boss@example.org": ["chief@example.org"],
                "chief@example.org": ["b+chief@example.net"],
                "all@example.org": ["team@example.org", "boss@example.org"],
            },
        )"#,
    )
    .unwrap()
}

fn local(names: &[&str]) -> Result<Destination, BookError> {
    Ok(Destination::Local(names.iter().map(|name| name.parse().unwrap()).collect()))
}

#[test]
fn where_addresses_go() {
    let book = usual();
    let (a, b) = ("a@example.org", "b@example.org");
    for (address, accounts) in [
        ("a@example.org", &[a][..]),
        ("A@Example.Org", &[a]),
        ("\"a\"@example.net", &[a]),
        ("a+shop@example.org", &[a]),
        ("info+x@example.net", &[a]),
        ("anything@shop.example", &[a]),
        ("team@example.org", &[a, b]),
        ("boss@example.org", &[b]),
        ("all@example.org", &[a, b]),
        ("postmaster", &[b]),
        ("<PostMaster>", &[b]),
        ("postmaster@example.org", &[b]),
        ("Postmaster@own.example", &[b]),
        ("postmaster@example.net", &[b]),
        ("postmaster@shop.example", &[b]),
    ] {
        assert_eq!(book.resolve(address), local(accounts), "{address}");
    }
    for (address, want) in [
        ("nobody@example.org", Destination::Unknown),
        ("a-x@example.org", Destination::Unknown),
        ("+a@example.org", Destination::Unknown),
        ("anyone@own.example", Destination::Unknown),
        ("nonsense", Destination::Unknown),
        ("", Destination::Unknown),
        ("a@elsewhere.example", Destination::Remote),
        ("postmaster@elsewhere.example", Destination::Remote),
        ("a@sub.example.org", Destination::Remote),
        ("a@[192.0.2.1]", Destination::Remote),
    ] {
        assert_eq!(book.resolve(address), Ok(want), "{address}");
    }
}

#[test]
fn who_may_send_as_whom() {
    let book = usual();
    let a = "a@example.org";
    for address in ["a@example.org", "A+x@example.net", "info@example.org", "x@shop.example"] {
        assert!(book.may_send_as(a, address), "{address}");
    }
    for address in
        ["b@example.org", "team@example.org", "postmaster@example.org", "postmaster", "", "a@elsewhere.example"]
    {
        assert!(!book.may_send_as(a, address), "{address}");
    }
    assert!(book.may_send_as("b@example.org", "boss@example.org"));
    assert!(book.may_send_as("b@example.org", "postmaster@own.example"));
    assert!(!book.may_send_as("info@example.org", "a@example.org"), "an alias is not an account");
}

#[test]
fn the_first_account_is_postmaster_unless_one_is_named() {
    let book = book(r#"(accounts: {"z@x.org": (), "a@x.org": ()})"#).unwrap();
    assert_eq!(book.resolve("postmaster"), local(&["z@x.org"]));
    assert_eq!(Book::default().resolve("postmaster"), Ok(Destination::Unknown));
}

#[test]
fn an_own_postmaster_address_goes_first() {
    let book = book(r#"(accounts: {"z@x.org": (), "p@x.org": (aliases: ["postmaster@x.org"])})"#).unwrap();
    assert_eq!(book.resolve("postmaster@x.org"), local(&["p@x.org"]));
    assert_eq!(book.resolve("postmaster@own.example"), local(&["z@x.org"]));
}

#[test]
fn domains_are_those_of_config_and_file() {
    let want = ["example.net", "example.org", "own.example", "shop.example"];
    assert_eq!(usual().domains(), want);
}

#[test]
fn files_that_do_not_fit_together() {
    for (text, words) in [
        (r#"(accounts: {"a@x.org": (aliases: ["a@x.org"])})"#, "a@x.org stands for two things"),
        (r#"(accounts: {"a@x.org": (), "b@x.org": (aliases: ["a@x.org"])})"#, "a@x.org stands for two things"),
        (r#"(accounts: {"a@x.org": ()}, aliases: {"a@x.org": ["a@x.org"]})"#, "a@x.org stands for two things"),
        (r#"(accounts: {"*@x.org": ()})"#, "*@x.org cannot be an account"),
        (r#"(accounts: {"a@x.org": ()}, aliases: {"b@x.org": ["*@x.org"]})"#, "not one address"),
        (r#"(alias_domains: {"y.org": "x.org"}, accounts: {"a@y.org": ()})"#, "write it with x.org"),
        (r#"(alias_domains: {"y.org": "x.org", "x.org": "z.org"})"#, "an alias domain too"),
        (r#"(alias_domains: {"y.org": "y.org"})"#, "an alias domain too"),
        (r#"(aliases: {"b@x.org": []})"#, "leads nowhere"),
        (r#"(aliases: {"b@x.org": ["c@x.org"]})"#, "b@x.org leads to c@x.org, which is neither"),
        (r#"(aliases: {"b@x.org": ["c@y.org"]})"#, "does not forward"),
        (r#"(aliases: {"b@x.org": ["b@x.org"]})"#, "b@x.org leads back to itself"),
        (r#"(aliases: {"b@x.org": ["c@x.org"], "c@x.org": ["b+x@x.org"]})"#, "leads back to itself"),
        (r#"(aliases: {"*@x.org": ["b@x.org"]})"#, "*@x.org leads back to itself"),
        (r#"(postmaster: "p@x.org", accounts: {"a@x.org": ()})"#, "which is not an account"),
        (r#"(accounts: {"a@x.org": (password: "plain")})"#, "dovetail accounts password a@x.org"),
        (
            &format!(r#"(accounts: {{"a@x.org": (certificates: [{KEY}]), "b@x.org": (certificates: [{KEY}])}})"#),
            "is among the `certificates` of a@x.org and again of b@x.org",
        ),
        (&format!(r#"(accounts: {{"a@x.org": (certificates: [{KEY}, {KEY}])}})"#), "and again of a@x.org"),
    ] {
        let error = book(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

const KEY: &str = r#"(key: "0000000000000000000000000000000000000000000000000000000000000000")"#;

#[test]
fn keys_have_a_limit_and_one_account() {
    let keys = |count: usize| {
        let keys: String = (0..count).map(|n| format!("(key: \"{n:064}\"),")).collect();
        book(&format!("(accounts: {{\"a@x.org\": (certificates: [{keys}])}})"))
    };
    let full = keys(MAX_CERTIFICATES).unwrap();
    assert_eq!(full.account_by_key(&format!("{:064}", 7).parse().unwrap()).map(Name::as_str), Some("a@x.org"));
    assert_eq!(full.account_by_key(&Fingerprint::of(b"")), None);
    assert!(matches!(keys(MAX_CERTIFICATES + 1), Err(BookError::Certificates(_))));
}

#[test]
fn chains_and_widths_have_limits() {
    let chain = |length: usize| {
        let links: String = (1..length).map(|n| format!("\"a{n}@x.org\": [\"a{}@x.org\"],", n + 1)).collect();
        book(&format!("(accounts: {{\"a{length}@x.org\": ()}}, aliases: {{{links}}})"))
    };
    assert!(chain(MAX_DEPTH + 1).is_ok());
    assert!(matches!(chain(MAX_DEPTH + 2), Err(BookError::TooDeep(_))));

    let wide = |width: usize| {
        let accounts: String = (0..width).map(|n| format!("\"a{n}@x.org\": (),")).collect();
        let targets: String = (0..width).map(|n| format!("\"a{n}@x.org\",")).collect();
        book(&format!("(accounts: {{{accounts}}}, aliases: {{\"all@x.org\": [{targets}]}})"))
    };
    assert!(wide(MAX_EXPANSION).is_ok());
    assert!(matches!(wide(MAX_EXPANSION + 1), Err(BookError::TooWide(_))));
}

#[test]
fn many_ways_to_the_same_place_cost_no_more() {
    // Without remembering what was followed this takes 10^15 steps.
    let mut aliases = String::new();
    for level in 0..15 {
        let next: String = (0..10).map(|n| format!("\"l{}n{n}@x.org\",", level + 1)).collect();
        for n in 0..10 {
            aliases += &format!("\"l{level}n{n}@x.org\": [{next}],");
        }
    }
    let accounts: String = (0..10).map(|n| format!("\"l15n{n}@x.org\": (),")).collect();
    let book = book(&format!("(accounts: {{{accounts}}}, aliases: {{{aliases}}})")).unwrap();
    assert!(matches!(book.resolve("l0n0@x.org"), Ok(Destination::Local(all)) if all.len() == 10));
}
