//! NSS' `tstclnt`. It finds trust in a database and has no STARTTLS for mail; what it says comes from a file, since it takes no end of
//! a pipe.

use super::{for_each, Lab, Port, OTHER, PORTS};
use crate::{
    harness::{have, run, run_ok},
    tls::HOST,
};
use std::{fs, path::Path, process::Command};

fn client(lab: &Lab, folder: &Path, port: &Port, version: &str, name: &str) -> (bool, String) {
    let version = version.replace("TLSv", "tls");
    let mut command = Command::new("timeout");
    command.current_dir(folder).args(["60", "tstclnt", "-d", "sql:.", "-A", port.protocol]);
    command.args(["-h", "127.0.0.1", "-p", &lab.port(port), "-a", name, "-V", &format!("{version}:{version}")]);
    let (status, stdout, stderr) = run(&mut command);
    (status.success(), format!("{stdout}{stderr}"))
}

pub fn nss(lab: &Lab) {
    if !have("tstclnt") || !have("certutil") {
        return;
    }
    let folder = lab.folder().join("nss");
    fs::create_dir(&folder).unwrap();
    let certutil = |words: &str| run_ok(Command::new("certutil").current_dir(&folder).args(words.split(' ')));
    certutil("-N --empty-password -d sql:.");
    certutil("-A -n authority -t C,, -d sql:. -i ../ca.pem");
    for port in &PORTS {
        fs::write(folder.join(port.protocol), format!("{}\r\n", port.farewell())).unwrap();
    }
    for_each(
        |port| !port.explicit,
        |port, version| {
            let (content, said) = client(lab, &folder, port, version, HOST);
            assert!(content && said.contains(port.answer()), "{} {version}: {said}", port.listener);
        },
    );
    let (content, said) = client(lab, &folder, &PORTS[6], "TLSv1.3", OTHER);
    assert!(!content && !said.contains(PORTS[6].answer()), "{said}");
    assert!(said.contains("SSL_ERROR_BAD_CERT_DOMAIN"), "{said}");
}
