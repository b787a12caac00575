//! The config that `init` writes.

use super::plan::Plan;
use std::net::SocketAddr;

/// Its text.
///
/// # Errors
/// If a path cannot be written in it.
pub fn text(plan: &Plan) -> Result<String, String> {
    let quoted = |text: &str| ron::to_string(text).map_err(|error| format!("{text:?} cannot be written: {error}"));
    let path = |path: &std::path::Path| {
        let text = path.to_str().ok_or_else(|| format!("{} is not UTF-8; choose another name", path.display()))?;
        quoted(text)
    };
    let bind = |port: u16| {
        let all: Vec<String> = plan.listen.iter().map(|ip| format!("\"{}\"", SocketAddr::new(*ip, port))).collect();
        format!("[{}]", all.join(", "))
    };
    let plugin_dirs = match plan.plugin_dirs.as_slice() {
        [] => String::new(),
        dirs => {
            let dirs = dirs.iter().map(|dir| path(dir)).collect::<Result<Vec<_>, _>>()?;
            format!("    plugin_dirs: [{}],\n", dirs.join(", "))
        }
    };
    let (domain, hostname, data_dir) = (quoted(&plan.domain)?, quoted(&plan.hostname)?, path(&plan.data_dir)?);
    Ok(format!(
        "\
// The mail server of {plain}, as `dovetail init` has made it. Options that are not here have their defaults.
// After a change: `dovetail check`, then `dovetail reload`.
(
    hostname: {hostname},
    data_dir: {data_dir},
{plugin_dirs}
    plugins: {{
        \"tls-rustls\": (),
        // Keys and certificates: `dovetail certs`. The default is for clients that ask for no name.
        \"cert-store\": (config: (default: {hostname}, auto_renew: true)),
        // Accounts, aliases and alias domains: `dovetail accounts`. Further domains go in here, or come with their accounts.
        \"accounts-file\": (config: (domains: [{domain}])),
        \"store-sqlite\": (),
        \"delivery\": (),
        \"mx\": (plugin: \"smtp\", config: (role: Mx)),
        \"submission\": (plugin: \"smtp\", config: (role: Submission)),
        \"imap\": (),
        \"pop3\": (),
    }},

    listeners: {{
        // Mail from other servers.
        \"smtp\": (protocol: \"mx\", bind: {p25}, tls: Explicit),

        // Mail from users: STARTTLS on 587, TLS from the first byte on 465.
        \"submission\": (protocol: \"submission\", bind: {p587}, tls: Explicit, require_tls: true),
        \"submissions\": (protocol: \"submission\", bind: {p465}, tls: Implicit),

        // Mail to users: STARTTLS or STLS on 143 and 110, TLS from the first byte on 993 and 995.
        \"imap\": (protocol: \"imap\", bind: {p143}, tls: Explicit, require_tls: true, idle_seconds: 1860),
        \"imaps\": (protocol: \"imap\", bind: {p993}, tls: Implicit, idle_seconds: 1860),
        \"pop3\": (protocol: \"pop3\", bind: {p110}, tls: Explicit, require_tls: true),
        \"pop3s\": (protocol: \"pop3\", bind: {p995}, tls: Implicit),
    }},
)
",
        plain = plan.domain,
        p25 = bind(25),
        p587 = bind(587),
        p465 = bind(465),
        p143 = bind(143),
        p993 = bind(993),
        p110 = bind(110),
        p995 = bind(995),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::init::plan::tests::plan, config::Config};
    use std::path::Path;

    #[test]
    fn it_is_a_config_that_says_what_was_asked_for() {
        let mut plan = plan();
        plan.data_dir = "/srv/a \"b\"\\c".into();
        plan.plugin_dirs = vec!["/opt/plugins".into()];
        plan.listen = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let config = Config::parse("dovetail.ron", text(&plan).unwrap(), Path::new("/etc/dovetail")).unwrap();
        assert!(config.problems.0.is_empty(), "{}", config.problems);
        assert_eq!(config.hostname, "mail.example.org");
        assert_eq!(config.data_dir, plan.data_dir);
        assert_eq!(config.plugin_dirs, plan.plugin_dirs);
        let mut ports: Vec<u16> = config.listeners.iter().map(|listener| listener.options.bind[0].port()).collect();
        ports.sort_unstable();
        assert_eq!(ports, [25, 110, 143, 465, 587, 993, 995]);
        let bind = &config.listeners[0].options.bind;
        assert_eq!(bind.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.1:25", "[2001:db8::1]:25"]);
        assert!(config.listeners.iter().all(|listener| !listener.options.insecure_auth));
    }
}
