//! The instance's section.

use dovetail_sdk::Problems;
use serde::Deserialize;

/// A greylist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Seconds that an unknown triplet has to wait. 0: it passes at the second try, whenever that comes.
    pub delay_seconds: u64,
    /// Seconds after the first try until which another one has to come. Later, the triplet is unknown again.
    pub retry_window_seconds: u64,
    /// Seconds that a known triplet, or a network that passes as a whole, is remembered after its last mail.
    pub remember_seconds: u64,
    /// So many mails that came back in time make their whole network pass. 0: never.
    pub network_passes_after: u32,
    /// Whether mail from the null sender `<>` has to wait too.
    pub null_sender: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            delay_seconds: 300,
            // Servers try for 4 to 5 days (RFC 5321 section 4.5.4.1), but all of them more than once in two.
            retry_window_seconds: 2 * DAY,
            // A newsletter that comes every month does not wait every month.
            remember_seconds: 35 * DAY,
            network_passes_after: 5,
            null_sender: false,
        }
    }
}

impl Config {
    /// Finds times that would never let a mail pass, and such as are no times.
    pub fn check(&self, problems: &mut Problems) {
        if self.retry_window_seconds <= self.delay_seconds {
            let (window, delay) = (self.retry_window_seconds, self.delay_seconds);
            problems.error(
                format!("retry_window_seconds is {window} and delay_seconds {delay}: no retry could ever be in time"),
                "make the window longer than the delay by a day or more, or leave both out",
            );
        }
        if self.remember_seconds == 0 {
            problems
                .error("remember_seconds is 0: nothing would ever be known", "set it to some days, or leave it out");
        }
        let times = [
            ("delay_seconds", self.delay_seconds),
            ("retry_window_seconds", self.retry_window_seconds),
            ("remember_seconds", self.remember_seconds),
        ];
        for (name, seconds) in times {
            if seconds > MAX_SECONDS {
                problems.error(
                    format!("{name} is {seconds}, and at most {MAX_SECONDS} (ten years) make sense"),
                    format!("set {name} to less, or leave it out"),
                );
            }
        }
    }
}

const DAY: u64 = 24 * 60 * 60;
const MAX_SECONDS: u64 = 3650 * DAY;
