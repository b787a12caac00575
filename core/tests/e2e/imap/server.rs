//! Servers for IMAP tests: the listener `imap` takes passwords in the clear, the listener `smtp` takes mail.

use crate::harness::{Server, Setup};

/// One with the plugin's own settings.
pub fn start() -> Server {
    start_with("")
}

/// One with these settings of the plugin.
pub fn start_with(settings: &str) -> Server {
    Setup::mail_with(&CONFIG.replace("SETTINGS", settings)).start()
}

/// One that ends sessions which are silent for a second.
pub fn start_impatient() -> Server {
    Setup::mail_with(
        &CONFIG.replace("SETTINGS", "").replace("insecure_auth: true,", "insecure_auth: true, idle_seconds: 1,"),
    )
    .start()
}

const CONFIG: &str = r#"(
    hostname: "mail.example.test",
    data_dir: "data",
    plugins: {
        "tls-rustls": (),
        "cert-store": (config: (create_missing: true)),
        "accounts-file": (config: (domains: ["example.test"])),
        "store-sqlite": (),
        "delivery": (),
        "mx": (plugin: "smtp", config: (role: Mx)),
        "imap": (config: (SETTINGS)),
    },
    listeners: {
        "smtp": (protocol: "mx", bind: ["127.0.0.1:0"], tls: Explicit),
        "imap": (protocol: "imap", bind: ["127.0.0.1:0"], insecure_auth: true, max_connections_per_address: 1000),
    },
)"#;
