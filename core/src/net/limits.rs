//! How many connections there may be, and who is shut out for guessing passwords.
//!
//! IPv6 addresses count by their /64, since one client owns that many. Both tables are bounded: the first by the number of
//! connections, the second by [`MAX_GUESSERS`].

use crate::config::model::LoginBlocking;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many addresses with failed logins are remembered.
const MAX_GUESSERS: usize = 100_000;

/// The part of an address that stands for one client.
pub fn client_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => {
                let mut segments = v6.segments();
                segments[4..].fill(0);
                IpAddr::V6(Ipv6Addr::from(segments))
            }
        },
        v4 => v4,
    }
}

/// Connections of one listener.
#[derive(Debug, Clone)]
pub struct ConnectionLimit(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    total: u32,
    max_total: u32,
    max_per_client: u32,
    clients: HashMap<IpAddr, u32>,
}

/// Why a connection is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The listener has no room.
    Listener,
    /// The client has enough.
    Client,
}

impl ConnectionLimit {
    /// Limits for a listener.
    pub fn new(max_total: u32, max_per_client: u32) -> Self {
        ConnectionLimit(Arc::new(Mutex::new(Counts { total: 0, max_total, max_per_client, clients: HashMap::new() })))
    }

    /// Counts a connection until the permit is dropped.
    ///
    /// # Errors
    /// If it is one too many.
    pub fn enter(&self, address: IpAddr) -> Result<Permit, Full> {
        let client = client_of(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= counts.max_total {
            return Err(Full::Listener);
        }
        let max = counts.max_per_client;
        let count = counts.clients.entry(client).or_default();
        if *count >= max {
            return Err(Full::Client);
        }
        *count += 1;
        counts.total += 1;
        drop(counts);
        Ok(Permit { limit: self.clone(), client })
    }

    /// Connections now.
    pub fn total(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

/// A counted connection.
#[derive(Debug)]
pub struct Permit {
    limit: ConnectionLimit,
    client: IpAddr,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total -= 1;
        if let Some(count) = counts.clients.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.clients.remove(&self.client);
            }
        }
    }
}

/// Addresses that failed to log in, over all listeners.
#[derive(Debug)]
pub struct Guessers {
    config: LoginBlocking,
    max: usize,
    clients: Mutex<HashMap<IpAddr, Guesser>>,
    swept: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Guesser {
    failures: u32,
    first: Instant,
    blocked_until: Option<Instant>,
}

impl Guessers {
    /// Nobody yet.
    pub fn new(config: LoginBlocking) -> Self {
        Guessers { config, max: MAX_GUESSERS, clients: Mutex::default(), swept: Mutex::default() }
    }

    /// Whether an address is shut out now.
    pub fn is_blocked(&self, address: IpAddr, now: Instant) -> bool {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.get(&client_of(address)).and_then(|guesser| guesser.blocked_until).is_some_and(|until| now < until)
    }

    /// Counts a failure; gives `true` if it shuts the address out.
    pub fn failed(&self, address: IpAddr, now: Instant) -> bool {
        if self.config.failures == 0 || self.config.block_seconds == 0 {
            return false;
        }
        let window = Duration::from_secs(self.config.window_seconds);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= self.max && !clients.contains_key(&client_of(address)) {
            self.make_room(&mut clients, now);
        }
        let guesser =
            clients.entry(client_of(address)).or_insert(Guesser { failures: 0, first: now, blocked_until: None });
        let expired = guesser.blocked_until.is_some_and(|until| now >= until);
        if expired || now >= guesser.first + window {
            *guesser = Guesser { failures: 0, first: now, blocked_until: None };
        }
        guesser.failures += 1;
        if guesser.failures < self.config.failures || guesser.blocked_until.is_some() {
            return false;
        }
        guesser.blocked_until = Some(now + Duration::from_secs(self.config.block_seconds));
        true
    }

    /// Forgets whom it need not remember; if that is nobody, whoever is not blocked. The whole table is looked at once a
    /// second at most.
    fn make_room(&self, clients: &mut HashMap<IpAddr, Guesser>, now: Instant) {
        let window = Duration::from_secs(self.config.window_seconds);
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_none_or(|swept| now >= swept + Duration::from_secs(1)) {
            *swept = Some(now);
            clients
                .retain(|_, guesser| guesser.blocked_until.map_or(now < guesser.first + window, |until| now < until));
        }
        if clients.len() >= self.max {
            let victim = clients.iter().find(|(_, guesser)| guesser.blocked_until.is_none()).or(clients.iter().next());
            if let Some(victim) = victim.map(|(address, _)| *address) {
                clients.remove(&victim);
            }
        }
    }

    /// How late a failure is answered.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.config.delay_milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn both_limits_hold_and_permits_give_back() {
        let limit = ConnectionLimit::new(3, 2);
        let a = limit.enter(ip("192.0.2.1")).unwrap();
        let _b = limit.enter(ip("192.0.2.1")).unwrap();
        assert_eq!(limit.enter(ip("192.0.2.1")).unwrap_err(), Full::Client);
        let _c = limit.enter(ip("192.0.2.2")).unwrap();
        assert_eq!(limit.enter(ip("192.0.2.3")).unwrap_err(), Full::Listener);
        drop(a);
        limit.enter(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(limit.total(), 2);
    }

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        assert_eq!(client_of(ip("2001:db8::1")), client_of(ip("2001:db8::ffff:1")));
        assert_ne!(client_of(ip("2001:db8:0:1::1")), client_of(ip("2001:db8::1")));
    }

    #[test]
    fn a_full_table_goes_on_blocking() {
        let config = LoginBlocking { failures: 2, window_seconds: 10, block_seconds: 20, delay_milliseconds: 0 };
        let guessers = Guessers { max: 2, ..Guessers::new(config) };
        let now = Instant::now();
        for other in 1..=9 {
            guessers.failed(ip(&format!("192.0.2.{other}")), now);
        }
        assert!(!guessers.failed(ip("198.51.100.1"), now));
        assert!(guessers.failed(ip("198.51.100.1"), now));
        assert!(guessers.clients.lock().unwrap().len() <= 2);
    }

    #[test]
    fn guessers_are_blocked_for_a_time() {
        let config = LoginBlocking { failures: 3, window_seconds: 10, block_seconds: 20, delay_milliseconds: 0 };
        let guessers = Guessers::new(config);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let client = ip("192.0.2.1");
        assert!(!guessers.failed(client, at(0)));
        assert!(!guessers.failed(client, at(1)));
        // The window has passed: the count starts over.
        assert!(!guessers.failed(client, at(10)));
        assert!(!guessers.failed(client, at(11)));
        assert!(guessers.failed(client, at(12)));
        assert!(guessers.is_blocked(client, at(31)));
        assert!(!guessers.is_blocked(ip("192.0.2.2"), at(13)));
        assert!(!guessers.is_blocked(client, at(32)));
        assert!(!guessers.failed(client, at(33)));
    }
}
