//! An interface of a third party in two revisions: each user against each provider works, or is refused in one line that
//! names both sides and the cure.

use crate::{
    bad::{library::library, refused, with},
    harness::{plugin_dir, Server, Setup},
};
use std::fs;

/// A server on which `user` gets its counter from these providers.
fn config(user: &str, section: &str, providers: &[&str]) -> String {
    let providers: Vec<String> = providers.iter().map(|id| format!("\"{id}\": (),")).collect();
    let plugins = format!("\"user\": (plugin: \"{user}\"{section}),\n        {}", providers.join("\n        "));
    with(&plugins, r#""l": (protocol: "user", bind: ["127.0.0.1:0"])"#)
}

/// The sums that a session is told.
#[track_caller]
fn counts(server: &Server, steps: &[(&str, &str)]) {
    let mut client = server.connect("l");
    for (by, sum) in steps {
        assert_eq!(client.ask(by), *sum, "{}", server.log());
    }
}

const ONE: &str = ", config: (revision: One)";
const TWO: &str = ", config: (revision: Two)";

#[test]
fn users_and_providers_that_share_a_revision_work() {
    for (user, section, provider) in [
        ("asks-one", "", "counts-one"),
        ("asks-one", "", "counts-both"),
        ("asks-two", "", "counts-both"),
        ("asks-either", ONE, "counts-one"),
        ("asks-either", ONE, "counts-both"),
        ("asks-either", TWO, "counts-both"),
    ] {
        let server = Setup::new(&config(user, section, &[provider])).start();
        counts(&server, &[("2", "2"), ("40", "42"), ("x", "say a number")]);
    }
}

#[test]
fn users_of_both_revisions_share_a_provider_of_both() {
    let plugins =
        "\"old\": (plugin: \"asks-one\"),\n        \"new\": (plugin: \"asks-two\"),\n        \"counts-both\": (),";
    let listeners = "\"old\": (protocol: \"old\", bind: [\"127.0.0.1:0\"]),\n        \
                     \"new\": (protocol: \"new\", bind: [\"127.0.0.1:0\"])";
    let server = Setup::new(&with(plugins, listeners)).start();
    let (mut old, mut new) = (server.connect("old"), server.connect("new"));
    assert_eq!(
        (old.ask("5"), new.ask("7"), old.ask("1"), new.ask("1")),
        ("5".into(), "7".into(), "6".into(), "8".into())
    );
}

#[test]
fn a_user_that_is_newer_than_its_provider_is_refused() {
    let needs =
        "`user` needs example.counter/2: `counts-one` (counts-one 0.1.0, SDK 0.1.0) provides example.counter/1 only";
    let cure = "use a newer build of counts-one, or a build of the one that needs it for what is there";
    refused(&config("asks-two", "", &["counts-one"]), &[("(plugin", &[needs, cure])]);
    refused(&config("asks-either", TWO, &["counts-one"]), &[("(plugin", &[needs, cure])]);
}

#[test]
fn a_user_that_is_older_than_its_provider_is_refused() {
    // The provider of both, as if it had dropped the first for a third.
    let mut bytes = fs::read(plugin_dir().join("libdovetail_test_counts_both.so")).unwrap();
    let (first, third) = (b"example.counter/1", b"example.counter/3");
    let places = bytes.windows(first.len()).enumerate().filter(|(_, window)| window == first).map(|(at, _)| at);
    let places: Vec<usize> = places.collect();
    assert!(places.len() >= 2, "manifest and code name it");
    for at in places {
        bytes[at..at + third.len()].copy_from_slice(third);
    }
    let (_dir, path) = library(&bytes);
    let plugins = format!("\"user\": (plugin: \"asks-one\"),\n        \"counts-both\": (path: {path:?}),");
    let config = with(&plugins, r#""l": (protocol: "user", bind: ["127.0.0.1:0"])"#);
    let needs =
        "`user` needs example.counter/1: `counts-both` (counts-both 0.1.0, SDK 0.1.0) provides example.counter/3 \
                 and example.counter/2 only";
    let cure = "use an older build of counts-both, or a build of the one that needs it for what is there";
    refused(&config, &[("(plugin", &[needs, cure])]);
    let newer = config.replace("asks-one", "asks-two");
    counts(&Setup::new(&newer).start(), &[("1", "1")]);
}

#[test]
fn a_user_without_any_provider_is_refused() {
    let needs = "`user` needs example.counter/1: no plugin instance provides it";
    refused(&config("asks-one", "", &[]), &[("(plugin", &[needs, "dovetail plugin list"])]);
}

#[test]
fn another_shape_under_the_same_id_is_refused() {
    for (user, section) in [("asks-one", ""), ("asks-either", ONE)] {
        let told = format!(
            "`user` needs example.counter/1: what `counts-bent` (counts-bent 0.1.0, SDK 0.1.0) provides is laid out differently \
             from what {user} 0.1.0, SDK 0.1.0 expects: only `counts-bent` has `reset` in `CounterVt`"
        );
        let cure = "build both with the same release of the SDK, or of the package that declares the interface";
        refused(&config(user, section, &["counts-bent"]), &[("(plugin", &[&told, cure])]);
    }
}

#[test]
fn two_providers_are_chosen_between() {
    let cure = "choose with `services: {\"example.counter/1\": \"counts-one\"}`";
    refused(&config("asks-one", "", &["counts-one", "counts-both"]), &[("(plugin", &["both provide it", cure])]);
    let chosen = ", services: {\"example.counter/1\": \"counts-one\"}";
    let server = Setup::new(&config("asks-one", chosen, &["counts-one", "counts-both"])).start();
    counts(&server, &[("3", "3")]);
}
