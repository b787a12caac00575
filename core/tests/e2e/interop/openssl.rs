//! `openssl s_client`.

use super::{converse, for_each, Lab, Port, OTHER, PORTS};
use crate::tls::HOST;
use std::process::Command;

fn client(lab: &Lab, port: &Port, version: &str, name: &str) -> (bool, String) {
    let mut command = Command::new("timeout");
    command.args(["60", "openssl", "s_client", "-ign_eof", "-verify_return_error", "-verify_hostname", name]);
    command.arg("-CAfile").arg(&lab.ca).args(["-no-CApath", "-no-CAstore", "-servername", name]);
    command.args(["-connect", &format!("127.0.0.1:{}", lab.port(port))]);
    command.arg(format!("-tls{}", version.trim_start_matches("TLSv").replace('.', "_")));
    if port.explicit {
        command.args(["-starttls", port.protocol]);
    }
    converse(&mut command, &format!("{}\r\n", port.farewell()))
}

pub fn openssl(lab: &Lab) {
    for_each(
        |_| true,
        |port, version| {
            let (content, said) = client(lab, port, version, HOST);
            assert!(content && said.contains("Verify return code: 0 (ok)"), "{}: {said}", port.listener);
            assert!(said.contains(&format!("New, {version}, Cipher is ")), "{}: {said}", port.listener);
            assert!(said.contains(port.answer()), "{}: {said}", port.listener);
        },
    );
    let (content, said) = client(lab, &PORTS[6], "TLSv1.3", OTHER);
    assert!(!content && said.contains("hostname mismatch"), "{said}");
}
