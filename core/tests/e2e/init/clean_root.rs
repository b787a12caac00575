//! `dovetail init` with its defaults on a machine that has seen no Dovetail: the system's own folders, a user that has to be
//! made, all addresses. The machine is this one, with a copy of `/etc` that only the test sees and a network of its own.

use super::{is_root, Root};
use crate::harness::{have_by, run};
use std::{fs, process::Command};

/// What is done there, as root. `$R` is the folder with the program.
const SCRIPT: &str = r#"
set -eu
ip link set lo up
mkdir "$R/upper" "$R/work" "$R/lib"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$R/upper,workdir=$R/work" /etc
mount --bind "$R/lib" /var/lib
! id dovetail 2>/dev/null
cd "$R"

printf '%s\n' "$P" | bin/dovetail init --domain example.test --hostname mail.example.test --password-stdin > said
id -u dovetail > /dev/null
stat -c '%n %U %G %a' /etc/dovetail/dovetail.ron /var/lib/dovetail /var/lib/dovetail/accounts.ron \
    /etc/systemd/system/dovetail.service > modes

# What the unit says about privileges and memory, by other means. PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN is kept by the
# programs that follow; kernels before 6.3 don't know it.
grep -q MemoryDenyWriteExecute=yes /etc/systemd/system/dovetail.service
python3 -c 'import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])' \
    setpriv --reuid dovetail --regid dovetail --clear-groups --no-new-privs --inh-caps -all,+net_bind_service \
    --ambient-caps -all,+net_bind_service --bounding-set -all,+net_bind_service bin/dovetail serve 2> log &
server=$!
trap 'kill $server; wait $server' EXIT
tail -n +1 --pid=$server -f log | grep -q -m1 ' core: ready '

fetch() { curl -sS --ssl-reqd --max-time 60 --cacert /var/lib/dovetail/certs/mail.example.test.crt \
    --resolve "mail.example.test:$1:127.0.0.1" --user "postmaster@example.test:$P" "$2://mail.example.test:$1/$3"; }
printf 'Subject: hello\r\n\r\nIt works.\r\n' > message
curl -sS --max-time 60 --mail-from bob@other.test --mail-rcpt postmaster@example.test -T message smtp://127.0.0.1:25
fetch 995 pop3s 1 > by-pop3s
fetch 993 imaps "INBOX;UID=1" > by-imaps
bin/dovetail status > status
bin/dovetail dns example.test --json > dns
"#;

#[test]
fn a_machine_that_has_seen_no_dovetail() {
    let tools = "unshare -mn true && command -v setpriv curl ip useradd python3 tail";
    if !is_root() || !have_by("a mount and a network of one's own, setpriv, curl, ip, useradd, python3", tools) {
        return;
    }
    let root = Root::new();
    let mut script = Command::new("unshare");
    script.args(["-mn", "sh", "-c", SCRIPT]).env("R", root.dir.path()).env("P", super::PASSWORD);
    let (status, stdout, stderr) = run(&mut script);
    let read = |name: &str| fs::read_to_string(root.path(name)).unwrap_or_default();
    assert!(status.success(), "{status}\n{stdout}{stderr}\n{}\n{}", read("said"), read("log"));
    let modes = "/etc/dovetail/dovetail.ron root dovetail 640\n/var/lib/dovetail dovetail dovetail 700\n\
                 /var/lib/dovetail/accounts.ron dovetail dovetail 600\n/etc/systemd/system/dovetail.service root root 644\n";
    assert_eq!(read("modes"), modes);
    assert!(read("said").contains("made  the system user dovetail"), "{}", read("said"));
    assert!(read("by-pop3s").ends_with("Subject: hello\r\n\r\nIt works.\r\n"), "{}", read("by-pop3s"));
    assert_eq!(read("by-imaps"), read("by-pop3s"));
    assert!(read("status").contains(":993") && read("status").contains(":25"), "{}", read("status"));
    let dns: serde_json::Value = serde_json::from_str(&read("dns")).unwrap();
    assert!(dns["records"].as_array().unwrap().iter().any(|record| record["type"] == "TLSA"), "{dns}");
}
