//! Services that nobody or too many provide, and circles.

use super::{echo_with, refused, with};

#[test]
fn a_missing_provider() {
    let config = with(
        "\"in\": (plugin: \"smtp\", config: ()),",
        r#""l": (protocol: "in", bind: ["127.0.0.1:0"], tls: Explicit)"#,
    );
    refused(
        &config,
        &[
            ("(plugin", &["`in` needs dovetail.directory/1: no plugin", "add \"accounts-file\": () to `plugins`"]),
            ("(plugin", &["`in` needs dovetail.delivery/1: no plugin", "add \"delivery\": () to `plugins`"]),
            ("(protocol", &["listener `l` needs dovetail.tls/1 for TLS", "add \"tls-rustls\": ()"]),
            ("(protocol", &["listener `l` needs dovetail.certs/1 for TLS", "add \"cert-store\": ()"]),
        ],
    );
}

#[test]
fn two_providers_and_the_cure_that_is_named() {
    let plugins = "\"accounts-file\": (config: (domains: [\"a.test\"])),\n        \"delivery\": ( ),\n        \
                   \"s1\": (plugin: \"store-sqlite\"),\n        \"s2\": (plugin: \"store-sqlite\"),\n        \"echo\": (),";
    let config = echo_with(plugins);
    let told = "`delivery` needs dovetail.store/1: `s1` and `s2` both provide it";
    let cure = "services: {\"dovetail.store/1\": \"s1\"}";
    refused(&config, &[("( )", &[told, cure])]);

    // The cure as it is named, then with mistakes in it.
    let cured = |cure: &str| config.replace("( )", &format!("({cure})"));
    let setup = crate::harness::Setup::new(&cured(cure));
    crate::harness::run_ok(setup.dovetail().arg("check"));
    let wrong = cured(&cure.replace("s1", "s3"));
    refused(&wrong, &[("(services", &["`services` names `s3`, which is no instance", "correct the name"])]);
    let wrong = cured(&cure.replace("s1", "echo"));
    refused(&wrong, &[("(services", &["`services` names `echo`, which does not provide it", "name another"])]);
}

#[test]
fn a_circle_is_told_as_a_path() {
    let config = echo_with(
        "\"echo\": (),\n        \"a\": (plugin: \"ring\"),\n        \"b\": (plugin: \"ring\", services: {\"dovetail.certs/1\": \"a\"}),",
    );
    refused(&config, &[("(plugin: \"ring\"),", &["need each other in a circle: a -> b -> a", "`services`"])]);
    let alone = echo_with("\"echo\": (),\n        \"a\": (plugin: \"ring\", services: {\"dovetail.certs/1\": \"a\"}),");
    refused(&alone, &[("(plugin: \"ring\"", &["in a circle: a -> a", "`services`"])]);
}

#[test]
fn a_listener_of_a_plugin_that_is_no_protocol() {
    let config = with("\"cert-store\": (),", r#""l": (protocol: "cert-store", bind: ["127.0.0.1:0"])"#);
    refused(&config, &[("(protocol", &["which is a plugin but no protocol", "dovetail.protocol/1"])]);
}
