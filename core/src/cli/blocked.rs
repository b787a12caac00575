//! `dovetail blocked` and `dovetail unblock`: the addresses that are shut out for failed logins.

use super::{output, place, Common};
use crate::control::{
    message::{Answer, Call},
    status::Blocked,
};
use clap::Args;
use dovetail_abi::operations_v1::Table;
use std::{
    net::{IpAddr, Ipv6Addr},
    process::ExitCode,
};

/// What `unblock` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dovetail unblock 192.0.2.1\n  dovetail unblock 2001:db8:1:2::/64")]
pub struct Unblock {
    /// The address; of IPv6 any one of the /64, which is let in as a whole
    #[arg(value_parser = address)]
    address: IpAddr,
}

/// Shows who is shut out.
pub fn list(common: &Common) -> Result<ExitCode, String> {
    let Answer::Blocked(blocked) = place::running(common)?.call(Call::Blocked, |_| {})? else {
        return Err(UNEXPECTED.into());
    };
    if common.json {
        output::json(&serde_json::to_string(&blocked.addresses).map_err(|error| error.to_string())?);
    } else if blocked.addresses.is_empty() {
        output::line("no address is shut out");
    } else {
        output::show_table(&table(&blocked));
    }
    Ok(ExitCode::SUCCESS)
}

/// Lets an address in again. That it was not shut out is a failure.
pub fn unblock(common: &Common, command: &Unblock) -> Result<ExitCode, String> {
    let address = command.address;
    let Answer::Unblocked(was_blocked) = place::running(common)?.call(Call::Unblock { address }, |_| {})? else {
        return Err(UNEXPECTED.into());
    };
    if !was_blocked {
        return Err(format!("{address} is not shut out (`dovetail blocked` lists the addresses that are)"));
    }
    if common.json {
        output::json(&serde_json::json!({ "unblocked": address }).to_string());
    } else {
        output::line(&format!("{address} may connect again"));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(blocked: &Blocked) -> Table {
    let shown = |address: &IpAddr| if address.is_ipv6() { format!("{address}/64") } else { address.to_string() };
    Table {
        columns: ["address", "seconds left"].map(str::to_owned).into(),
        rows: blocked.addresses.iter().map(|one| vec![shown(&one.address), one.seconds_left.to_string()]).collect(),
    }
}

/// An address as it is listed: that of IPv6 may have its /64.
fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_suffix("/64").and_then(|bare| bare.parse::<Ipv6Addr>().ok()).map(IpAddr::V6);
    bare.or_else(|| text.parse().ok())
        .ok_or_else(|| "this is no address (write it like 192.0.2.1 or 2001:db8:1:2::/64)".to_owned())
}

const UNEXPECTED: &str = "the server answered something else than was asked (use the `dovetail` of the running server)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_they_are_listed() {
        for good in ["192.0.2.1", "2001:db8::1", "2001:db8::/64"] {
            address(good).unwrap();
        }
        for bad in ["", "192.0.2.1/64", "2001:db8::/65", "host.example"] {
            assert!(address(bad).unwrap_err().contains("is no address"), "{bad}");
        }
    }
}
