//! The systemd unit that `init` writes: the server as an unprivileged user who may do what a mail server does, no more.
//!
//! Plugins run inside the process, so these are the limits of all of them. See systemd.exec(5). A reload is a command rather
//! than `Type=notify-reload`, so that one that fails is told to who asked for it; and older systemd knows it, too.

use super::plan::Plan;
use std::path::Path;

/// The unit's text.
///
/// # Errors
/// If a path cannot be written in it.
pub fn text(plan: &Plan) -> Result<String, String> {
    let (exe, config, data_dir) = (word(&plan.exe)?, word(&plan.config_path())?, word(&plan.data_dir)?);
    // systemd itself makes what is below /var/lib, of the right owner and mode.
    let data = match plan.data_dir.strip_prefix("/var/lib") {
        Ok(below) if below.components().count() > 0 => {
            format!("StateDirectory={}\nStateDirectoryMode=0700", word(below)?)
        }
        _ => format!("ReadWritePaths={data_dir}"),
    };
    let (user, domain) = (&plan.user, &plan.domain);
    Ok(format!(
        "\
# The mail server of {domain}, as `dovetail init` has made it. For changes: systemctl edit dovetail
[Unit]
Description=Dovetail mail server
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={exe} serve --config {config}
ExecReload={exe} reload --config {config}
Restart=on-failure
RestartSec=2
TimeoutStopSec=30
LimitNOFILE=524288
UMask=0077

# An unprivileged user, with one privilege: ports below 1024.
User={user}
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

# The system can only be read; mail, accounts and certificates are here.
ProtectSystem=strict
{data}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes

ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"
    ))
}

/// A path as one word of a unit file (systemd.syntax(7), systemd.unit(5) on specifiers).
fn word(path: &Path) -> Result<String, String> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    let text = text.ok_or_else(|| format!("{:?} cannot stand in a unit file; choose another name", path))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ',' | '@' | ':');
    if text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    Ok(format!("\"{escaped}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::init::plan::tests::plan;

    #[test]
    fn the_data_directory_can_be_written_wherever_it_is() {
        let mut plan = plan();
        let unit = text(&plan).unwrap();
        assert!(unit.contains("\nStateDirectory=dovetail\n") && !unit.contains("ReadWritePaths"), "{unit}");
        assert!(unit.contains("\nExecStart=/usr/local/bin/dovetail serve --config /etc/dovetail/dovetail.ron\n"));
        for (data_dir, line) in [
            ("/srv/mail", "ReadWritePaths=/srv/mail"),
            ("/var/lib", "ReadWritePaths=/var/lib"),
            ("/srv/50% $x", "ReadWritePaths=\"/srv/50%% $$x\""),
        ] {
            plan.data_dir = data_dir.into();
            let unit = text(&plan).unwrap();
            assert!(unit.contains(&format!("\n{line}\n")) && !unit.contains("StateDirectory"), "{unit}");
        }
        plan.data_dir = "/srv/a\nUser=root".into();
        text(&plan).unwrap_err();
    }
}
