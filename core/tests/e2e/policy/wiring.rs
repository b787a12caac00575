//! Policies that a section names: wrong names are found by `check` and at start, with place and cure.

use super::{config, rules};
use crate::{
    bad::refused,
    harness::{run_ok, Setup},
};

const MX: &str = "(plugin: \"smtp\", config: (role: Mx";
const SUBMISSION: &str = "(plugin: \"smtp\", config: (role: Submission";

#[test]
fn an_instance_that_is_none_or_no_policy() {
    for (name, told, cure) in [
        ("nobody", "its section names `nobody`, which is no instance", "correct the name"),
        ("delivery", "its section names `delivery`, which does not provide it", "name another instance"),
    ] {
        let config = config(&format!("(instance: \"{name}\", stages: [Mail])"), "");
        let needs = |instance: &str| format!("`{instance}` needs dovetail.policy/1: {told}");
        refused(&config, &[(MX, &[&needs("mx"), cure]), (SUBMISSION, &[&needs("submission"), cure])]);
    }
}

#[test]
fn a_policy_that_may_read_messages_needs_a_spool() {
    let told = |instance: &str| format!("`{instance}` needs dovetail.spool/1: no plugin instance provides it");
    let cure = "add \"spool\": () to `plugins`";
    let missing = config("(instance: \"p\")", &rules("p", ""));
    refused(&missing, &[(MX, &[&told("mx"), cure]), (SUBMISSION, &[&told("submission"), cure])]);
    // Both cures that there are.
    for good in [
        config("(instance: \"p\")", &(rules("p", "") + "\"spool\": (),")),
        config("(instance: \"p\", stages: [Connect, Recipient])", &rules("p", "")),
    ] {
        run_ok(Setup::new(&good).dovetail().arg("check"));
    }
}

#[test]
fn policies_that_ask_each_other_in_a_circle() {
    let asks = |name: &str, after: &str| format!("\"{name}\": (plugin: \"policy\", config: (after: \"{after}\")),");
    let circle = config("", &(asks("a", "b") + &asks("b", "a")));
    refused(&circle, &[("(plugin: \"policy\"", &["need each other in a circle: a -> b -> a"])]);
    let line = config("", &(asks("a", "b") + &rules("b", "")));
    run_ok(Setup::new(&line).dovetail().arg("check"));
}

#[test]
fn what_only_some_sections_ask_for() {
    let remembers = "\"p\": (plugin: \"policy\", config: (remember: true)),";
    let told = ["`p` needs dovetail.kv/1: no plugin instance provides it", "add \"kv-sqlite\": () to `plugins`"];
    refused(&config("", remembers), &[("(plugin: \"policy\"", &told)]);
    run_ok(Setup::new(&config("", &rules("p", ""))).dovetail().arg("check"));
    run_ok(Setup::new(&config("", &format!("{remembers} \"kv-sqlite\": (),"))).dovetail().arg("check"));
}
