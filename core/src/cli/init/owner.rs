//! The server's user: found, or made by root; who the config and the data belong to.

use super::{
    file::{make_folders, Planned},
    guide::Done,
    plan::Plan,
};
use rustix::process::{getegid, geteuid};
use std::{
    fs,
    os::unix::fs::{chown, MetadataExt},
    path::Path,
    process::{Command, Stdio},
};

/// Who the server will run as.
#[derive(Debug)]
pub struct Owner {
    /// The name, or the number as text.
    pub name: String,
    uid: u32,
    gid: u32,
    /// Whether we are root and can give things away.
    root: bool,
}

/// Finds the user of the plan; root makes one that is missing.
///
/// # Errors
/// If there is none and none can be made, or things cannot be given to it.
pub fn find(plan: &Plan, done: &mut Done) -> Result<Owner, String> {
    let (us, root, name) = (geteuid().as_raw(), geteuid().is_root(), plan.user.clone());
    if !root && !plan.user_is_given {
        return Ok(Owner { name, uid: us, gid: getegid().as_raw(), root });
    }
    // A number needs no entry anywhere.
    let number = name.parse::<u32>().ok().map(|id| (id, id));
    let mut ids = number.or_else(|| ids(&name));
    if ids.is_none() && root {
        make(&name, &plan.data_dir)?;
        done.lines.push(format!("made  the system user {name}"));
        ids = self::ids(&name);
    }
    let (uid, gid) = ids.ok_or_else(|| {
        format!("there is no user {name:?} (make it with {}, or choose another with --user)", how_to_make(&name))
    })?;
    if !root && uid != us {
        return Err(format!("only root can set up a server for user {name} (leave --user out, or run this as root)"));
    }
    Ok(Owner { name, uid, gid, root })
}

/// What the caller is called.
pub fn caller() -> String {
    let number = geteuid().as_raw().to_string();
    output("id", &["-un"]).filter(|name| !name.is_empty()).unwrap_or(number)
}

impl Owner {
    /// As whom commands must run, if not as ourselves.
    pub fn as_user(&self) -> Option<(u32, u32)> {
        self.root.then_some((self.uid, self.gid))
    }

    /// What speaks against it.
    pub fn warning(&self) -> Option<String> {
        let text = "the server will run as root, and so will its plugins: choose an unprivileged user with --user";
        (self.uid == 0).then(|| text.to_owned())
    }

    /// The group that shall be able to read a file.
    pub fn group_of(&self, file: &Planned) -> Option<u32> {
        (self.root && file.for_group).then_some(self.gid)
    }

    /// Makes the data directory, the user's own, and says whether it did.
    ///
    /// # Errors
    /// If it cannot be made, or is somebody else's.
    pub fn data_dir(&self, path: &Path) -> Result<bool, String> {
        let shown = path.display();
        if let Ok(metadata) = fs::metadata(path) {
            return match metadata.uid() == self.uid {
                true => Ok(false),
                false => Err(format!(
                    "{shown} belongs to user {}, not to {} (give it to the server's user: chown -R {} {shown})",
                    metadata.uid(),
                    self.name,
                    self.name
                )),
            };
        }
        if let Some(parent) = path.parent() {
            make_folders(parent, 0o755)?;
        }
        make_folders(path, 0o700)?;
        if self.root {
            let given = chown(path, Some(self.uid), Some(self.gid));
            given.map_err(|error| format!("{shown} cannot be given to {}: {error}", self.name))?;
        }
        Ok(true)
    }
}

/// User and group id of a name. `id` asks all the places where a system keeps its users.
fn ids(name: &str) -> Option<(u32, u32)> {
    let number = |option| output("id", &[option, "--", name]).and_then(|text| text.parse().ok());
    Some((number("-u")?, number("-g")?))
}

fn make(name: &str, home: &Path) -> Result<(), String> {
    let home = home.to_string_lossy();
    let shells = ["/usr/sbin/nologin", "/sbin/nologin"];
    let shell = shells.into_iter().find(|shell| Path::new(shell).exists()).unwrap_or("/bin/false");
    let useradd = ["--system", "--user-group", "--no-create-home", "--home-dir", &home, "--shell", shell, name];
    // Where there is no useradd, adduser is BusyBox's.
    let adduser = ["-S", "-D", "-H", "-h", &home, "-s", shell, "-G", name, name];
    let made = run("useradd", &useradd).or_else(|error| match error {
        Failed::Missing => run("addgroup", &["-S", name]).and_then(|()| run("adduser", &adduser)),
        error => Err(error),
    });
    made.map_err(|error| {
        let why = match error {
            Failed::Missing => "there is no useradd here".to_owned(),
            Failed::Said(why) => why,
        };
        format!("the user {name} cannot be made: {why} (make it yourself: {})", how_to_make(name))
    })
}

fn how_to_make(name: &str) -> String {
    format!("useradd --system --user-group --no-create-home --shell /usr/sbin/nologin {name}")
}

enum Failed {
    Missing,
    Said(String),
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Failed> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failed::Missing,
            _ => Failed::Said(format!("{program}: {error}")),
        })?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failed::Said(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
