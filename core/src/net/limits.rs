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
        let mut permit = self.enter_unknown()?;
        permit.claim(address)?;
        Ok(permit)
    }

    /// Counts a connection whose client is not known yet.
    ///
    /// # Errors
    /// If it is one too many.
    pub fn enter_unknown(&self) -> Result<Permit, Full> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= counts.max_total {
            return Err(Full::Listener);
        }
        counts.total += 1;
        drop(counts);
        Ok(Permit { limit: self.clone(), client: None })
    }

    /// Other limits from now on; who is in stays in.
    pub fn set(&self, max_total: u32, max_per_client: u32) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (counts.max_total, counts.max_per_client) = (max_total, max_per_client);
    }

    fn leave(&self, client: IpAddr) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                counts.clients.remove(&client);
            }
        }
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
    client: Option<IpAddr>,
}

impl Permit {
    /// Counts it for its client, once that is known.
    ///
    /// # Errors
    /// If the client has enough.
    pub fn claim(&mut self, address: IpAddr) -> Result<(), Full> {
        let client = client_of(address);
        let mut counts = self.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
        let max = counts.max_per_client;
        let count = counts.clients.entry(client).or_default();
        if *count >= max {
            return Err(Full::Client);
        }
        *count += 1;
        drop(counts);
        if let Some(earlier) = self.client.replace(client) {
            self.limit.leave(earlier);
        }
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(client) = self.client {
            self.limit.leave(client);
        }
        self.limit.0.lock().unwrap_or_else(PoisonError::into_inner).total -= 1;
    }
}

/// Addresses that failed to log in, over all listeners.
#[derive(Debug)]
pub struct Guessers {
    config: Mutex<LoginBlocking>,
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
        Guessers { config: Mutex::new(config), max: MAX_GUESSERS, clients: Mutex::default(), swept: Mutex::default() }
    }

    /// Whether an address is shut out now.
    pub fn is_blocked(&self, address: IpAddr, now: Instant) -> bool {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.get(&client_of(address)).and_then(|guesser| guesser.blocked_until).is_some_and(|until| now < until)
    }

    /// Who is shut out now, and for how long still: how many, and at most `max` of them, longest first.
    pub fn blocked(&self, now: Instant, max: usize) -> (usize, Vec<(IpAddr, Duration)>) {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let mut blocked: Vec<(IpAddr, Duration)> = clients
            .iter()
            .filter_map(|(address, guesser)| Some((*address, guesser.blocked_until?.checked_duration_since(now)?)))
            .filter(|(_, left)| !left.is_zero())
            .collect();
        drop(clients);
        let count = blocked.len();
        blocked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        blocked.truncate(max);
        (count, blocked)
    }

    /// Forgets an address; whether it was shut out.
    pub fn forgive(&self, address: IpAddr, now: Instant) -> bool {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = clients.remove(&client_of(address));
        forgotten.and_then(|guesser| guesser.blocked_until).is_some_and(|until| now < until)
    }

    /// Counts a failure; gives `true` if it shuts the address out.
    pub fn failed(&self, address: IpAddr, now: Instant) -> bool {
        let config = self.config();
        if config.failures == 0 || config.block_seconds == 0 {
            return false;
        }
        let window = Duration::from_secs(config.window_seconds);
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
        if guesser.failures < config.failures || guesser.blocked_until.is_some() {
            return false;
        }
        guesser.blocked_until = Some(now + Duration::from_secs(config.block_seconds));
        true
    }

    /// Forgets whom it need not remember; if that is nobody, whoever is not blocked. The whole table is looked at once a
    /// second at most.
    fn make_room(&self, clients: &mut HashMap<IpAddr, Guesser>, now: Instant) {
        let window = Duration::from_secs(self.config().window_seconds);
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

    /// Other rules from now on; who is shut out stays so.
    pub fn set(&self, config: LoginBlocking) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }

    fn config(&self) -> LoginBlocking {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How late a failure is answered.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.config().delay_milliseconds)
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
    fn a_client_may_become_known_later() {
        let limit = ConnectionLimit::new(3, 1);
        let mut first = limit.enter_unknown().unwrap();
        let mut second = limit.enter_unknown().unwrap();
        first.claim(ip("192.0.2.1")).unwrap();
        assert_eq!(second.claim(ip("192.0.2.1")), Err(Full::Client));
        assert_eq!(limit.enter(ip("192.0.2.1")).unwrap_err(), Full::Client);
        assert_eq!(limit.total(), 2);
        first.claim(ip("192.0.2.2")).unwrap();
        second.claim(ip("192.0.2.1")).unwrap();
        let _third = limit.enter_unknown().unwrap();
        assert_eq!(limit.enter_unknown().unwrap_err(), Full::Listener);
        drop((first, second));
        assert_eq!(limit.total(), 1);
        limit.enter(ip("192.0.2.1")).unwrap();
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
        assert!(!guessers.forgive(client, at(32)));
        assert!(!guessers.failed(client, at(33)));
        assert!(!guessers.failed(client, at(33)));
        assert!(guessers.failed(client, at(33)));
        assert!(guessers.forgive(client, at(34)));
        assert!(!guessers.is_blocked(client, at(34)) && !guessers.failed(client, at(34)));
    }
}
