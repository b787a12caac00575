//! What `init` says at its end: what was made, and what is left to do.

use super::{account::Account, owner::Owner, plan::Plan};
use crate::cli::{output, place::SYSTEM_CONFIG};
use std::path::Path;

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// One line for each thing.
    pub lines: Vec<String>,
    made: Vec<String>,
    kept: Vec<String>,
    /// The first account.
    pub account: Account,
    /// What `dovetail dns` prints.
    pub dns: String,
}

impl Done {
    /// Notes something that is there now: made, or kept as it was.
    pub fn step(&mut self, made: bool, path: &Path, what: &str) {
        let shown = path.display();
        self.lines.push(match made {
            true => format!("made  {shown}  {what}"),
            false => format!("kept  {shown}  {what}, as it was"),
        });
        let list = if made { &mut self.made } else { &mut self.kept };
        list.push(shown.to_string());
    }

    /// Prints all of it.
    pub fn show(&self, plan: &Plan, owner: &Owner, json: bool) {
        let unused = (self.account.unused_password).then(|| {
            let address = &self.account.address;
            format!(
                "the account {address} was there already: the password on standard input was not set (dovetail accounts password \
                 {address}{} sets another)",
                which(plan)
            )
        });
        for warning in plan.warnings().into_iter().chain(owner.warning()).chain(unused) {
            output::error(&format!("warning: {warning}"));
        }
        if json {
            self.show_json();
            return;
        }
        for line in &self.lines {
            output::line(line);
        }
        let Account { address, made, password, .. } = &self.account;
        output::line(&match made {
            true => format!("made  {address}  first account, with mail to postmaster"),
            false => format!("kept  {address}  first account, as it was"),
        });
        output::line(&format!("\n{}", next(plan, owner)));
        output::line(&format!("\n{}", self.dns.trim_end()));
        if let Some(password) = password {
            output::line(&format!(
                "\nThe password of {address} is shown this once (another: dovetail accounts password {address}{}):\n\n    \
                 {password}",
                which(plan)
            ));
        }
    }

    fn show_json(&self) {
        let Account { address, made, password, .. } = &self.account;
        let report = serde_json::json!({
            "made": self.made,
            "kept": self.kept,
            "account": { "address": address, "made": made, "password": password },
            "dns": self.dns,
        });
        output::json(&report.to_string());
    }
}

/// What commands need to find this server.
fn which(plan: &Plan) -> String {
    let config = plan.config_path();
    match config == Path::new(SYSTEM_CONFIG) {
        true => String::new(),
        false => format!(" --config {}", config.display()),
    }
}

fn next(plan: &Plan, owner: &Owner) -> String {
    let (host, config, which) = (&plan.hostname, plan.config_path(), which(plan));
    let start = match &plan.unit_dir {
        Some(dir) if dir.starts_with("/etc/systemd") => {
            "systemctl daemon-reload && systemctl enable --now dovetail".to_owned()
        }
        _ => format!(
            "{} serve --config {}   (as user {}, with CAP_NET_BIND_SERVICE)",
            plan.exe.display(),
            config.display(),
            owner.name
        ),
    };
    format!(
        "\
What is left to do

1. Start it:            {start}
2. See how it is:       dovetail status{which}
3. Publish in DNS:      the records below (again: dovetail dns {domain}{which})
4. A certificate that others trust: send {csr} to an authority, then
                        dovetail certs import ANSWER --name {host}{which}
5. Set clients up; the user name is the whole address:
     read by IMAP       {host}   port 993, SSL/TLS   (or 143, STARTTLS)
     or by POP3         {host}   port 995, SSL/TLS   (or 110, STARTTLS)
     send by SMTP       {host}   port 465, SSL/TLS   (or 587, STARTTLS)
   It takes mail to its own domains, and sends nothing to other servers: mail to these goes out by a server of somebody
   else's, whose hosts belong into the SPF record before you publish it.",
        domain = plan.domain,
        csr = plan.data_dir.join("certs").join(format!("{host}.csr")).display(),
    )
}
