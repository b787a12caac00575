//! Java, Python and Node: a script each, in one process for all listeners, which says the way to TLS by hand.
//!
//! A script is given our name, another name, the authority, and `listener:protocol:explicit|implicit:port` for each listener. It says a
//! line `listener version answer` for each conversation, and `refused` when the first listener under the other name was refused.

use super::{Lab, OTHER, PORTS, VERSIONS};
use crate::{
    harness::{have, run_ok},
    tls::HOST,
};
use std::{collections::BTreeSet, path::Path, process::Command};

fn shake(lab: &Lab, program: &[&str], script: &str) {
    let mut command = Command::new("timeout");
    command.arg("120").args(program);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/interop").join(script));
    command.args([HOST, OTHER]).arg(&lab.ca).args(PORTS.iter().map(|port| {
        let way = if port.explicit { "explicit" } else { "implicit" };
        format!("{}:{}:{way}:{}", port.listener, port.protocol, lab.port(port))
    }));
    let said = run_ok(&mut command);
    let mut wanted: BTreeSet<String> = PORTS
        .iter()
        .flat_map(|port| VERSIONS.map(|version| format!("{} {version} {}", port.listener, port.answer().trim())))
        .collect();
    wanted.insert("refused".to_owned());
    // Of an answer, as many words as are wanted.
    let heard = said.lines().map(|line| {
        let known = wanted.iter().find(|wanted| line.starts_with(wanted.as_str()));
        known.cloned().unwrap_or_else(|| line.to_owned())
    });
    assert_eq!(heard.collect::<BTreeSet<_>>(), wanted, "{said}");
}

pub fn java(lab: &Lab) {
    // A script wants the compiler, too.
    if have("javac") && have("java") {
        // The small, quick one of its compilers and collectors: it runs for a second.
        shake(lab, &["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"], "Shake.java");
    }
}

pub fn python(lab: &Lab) {
    if have("python3") {
        shake(lab, &["python3", "-I"], "shake.py");
    }
}

pub fn node(lab: &Lab) {
    if have("node") {
        shake(lab, &["node"], "shake.mjs");
    }
}
