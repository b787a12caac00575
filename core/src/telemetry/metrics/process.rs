//! What the system says about the process. Where /proc does not tell, the figure is left out.

/// Memory, files and threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Process {
    /// Octets in memory.
    pub resident: Option<u64>,
    /// Open files, connections included.
    pub open_files: Option<u64>,
    /// As many may be open.
    pub max_files: Option<u64>,
}

impl Process {
    /// As it is now.
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Process {
            resident: resident(&status),
            open_files: std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64),
            max_files: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        }
    }
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_files() {
        let now = Process::now();
        assert!(now.resident.unwrap() > 100_000 && now.open_files.unwrap() >= 3 && now.max_files.unwrap() >= 3);
        assert_eq!(resident("VmPeak:\t  9 kB\nVmRSS:\t  12 kB\n"), Some(12 * 1024));
        assert_eq!(resident("VmRSS:\t  x kB\n"), None);
    }
}
